"""From the ingest log to ClickHouse: claim a batch, decode, check, drop duplicates, insert, quarantine the rest.

A batch is one insert under the batch's own id. A crash between the insert and the log's commit leads to a replay: the
same token inserts nothing, and the batch's own rows do not count as duplicates.

Batches are written strictly in order, by one thread; decoding runs ahead of it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice, repeat
from threading import Event
from uuid import UUID, uuid5

import structlog
from django.db import DataError, OperationalError, connections

from apps.common.errors import Unavailable
from apps.common.texts import storable
from apps.events.decoding import Decoded, Decoders, prepare_apart
from apps.events.generated import data_id_of, part_id_of
from apps.events.known import KnownIds
from apps.events.lock import WriteLock, write_lock
from apps.events.log.chosen import event_log
from apps.events.log.interface import LINES_PER_RECORD, EventLog, Record
from apps.events.persons import PersonNumbers
from apps.events.preparing import Arrived, Job, Prepared, prepare
from apps.events.writing import write
from apps.orgs.public import SERVICE, acting

log = structlog.get_logger()
# So many batches are decoded ahead of the one that is being written.
AHEAD = 1
# From so many waiting lines on, decoding is spread over several processes.
POOL_FROM = 100_000
# How long it waits before it looks again whether there is work, in seconds: what comes in between is one insert, and
# an insert of a few rows costs the engine as much as one of thousands.
IDLE = 1.0
# What it waits for a service that does not answer, in seconds: the last for ever, or not at all for the impatient.
PAUSES = (0.2, 0.5, 1, 2, 5)
LONGEST_PAUSE = 15
# What is wrong with the data and with nothing else. Other failures are not the records' fault: they are raised, whoever
# runs this begins anew, and the batch waits.
UNFIT = (ValueError, DataError)
# So often a record may take the process down that decodes it, which may be for want of memory: some minutes in all.
MOST_DEATHS = 20


class Stopped(Exception):
    """Told to stop while it waited for a service; what was under way is taken up by the next ingestor."""


class Ingestor:
    """What the one process that writes events needs, for as long as it is the one: see `only_ingestor`."""

    def __init__(self, events: EventLog, decoders: Decoders, lock: WriteLock, *, patient: bool) -> None:
        self._log, self._decoders, self._lock, self._patient = events, decoders, lock, patient
        self._known, self._persons = KnownIds(), PersonNumbers()
        self._stopped = Event()

    def stop(self) -> None:
        """May be called from a signal handler."""
        self._stopped.set()

    def run(self) -> None:
        """Work until told to stop, or until the log cannot be read: whoever runs it begins anew then."""
        while not self._stopped.is_set():
            try:
                done = self.drain()
            except Stopped:
                return
            except Unavailable as error:
                log.warning("events.service_unavailable", error=str(error))
                return
            if not done:
                self._decoders.rest()
                self._stopped.wait(IDLE)

    def drain(self, *, after_each: Callable[[int], None] = lambda lines: None) -> int:
        """Work on what waits until nothing does; answers how many batches that were.

        `after_each` is called with the number of lines of each finished batch.
        """
        done = 0
        with acting(SERVICE):
            much_waits = self._log.waiting_lines() >= POOL_FROM
        with ThreadPoolExecutor(1, thread_name_prefix="ingest-write") as writer:
            try:
                under_way: deque[Future[int]] = deque()
                for batch_id, records in _batches(self._log, self._stopped.is_set):
                    decoded = [
                        (part, self._decoders.submit(_job(part_id_of(batch_id, part[0]), part), much_waits=much_waits))
                        for part in _portions(records)
                    ]
                    under_way.append(writer.submit(self._finish, batch_id, decoded))
                    if len(under_way) > AHEAD:
                        after_each(under_way.popleft().result())
                    done += 1
                for last in under_way:
                    after_each(last.result())
            except BaseException:
                self._stopped.set()
                writer.shutdown(wait=False, cancel_futures=True)
                raise
        return done

    def _finish(self, batch_id: UUID, decoded: Sequence[tuple[Sequence[Record], Decoded]]) -> int:
        """The writer's step; answers the batch's number of lines."""
        try:
            outcomes = [pair for records, one in decoded for pair in self._outcomes(batch_id, records, one)]
            for part_id, some in _by_part(batch_id, outcomes).items():
                done = [record for records, _ in some for record in records]
                self._write(part_id, done, [prepared for _, prepared in some])
            return sum(record.line_count for records, _ in decoded for record in records)
        finally:
            connections.close_all()

    def _write(self, batch_id: UUID, records: Sequence[Record], prepared: Sequence[Prepared]) -> None:
        """A service that does not answer is waited for; records that cannot be written are noted and passed over."""
        for pause in chain(PAUSES, repeat(LONGEST_PAUSE if self._patient else None)):
            try:
                write(self._log, batch_id, records, prepared, self._known, self._persons, self._lock)
            except (Unavailable, OperationalError) as error:
                log.warning("events.service_unavailable", error=str(error))
                connections.close_all()
                if pause is None:
                    raise
                if self._stopped.wait(pause):
                    raise Stopped from error
            except UNFIT as error:
                log.exception("events.batch_failed", batch=str(batch_id), records=len(records))
                self._write_apart(batch_id, records, error)
                return
            else:
                return

    def _write_apart(self, batch_id: UUID, records: Sequence[Record], error: Exception) -> None:
        """Find the record that is to blame by halves, each an insert of its own; its id is the same in a replay."""
        if len(records) == 1:
            self._pass_over(records, error)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            half_id = uuid5(batch_id, f"{half[0].pk}..{half[-1].pk}")
            self._write(half_id, half, [prepare(_job(half_id, half))])

    def _outcomes(
        self, batch_id: UUID, records: Sequence[Record], decoded: Decoded
    ) -> Iterator[tuple[Sequence[Record], Prepared]]:
        """What became of a job. One that fails is tried again record by record, to find which of them is to blame."""
        try:
            yield records, self._decoded_in_the_end(decoded, is_alone=len(records) == 1)
        except Stopped:
            raise
        except Exception as error:
            log.exception("events.decoding_failed", records=[record.pk for record in records])
            if len(records) == 1:
                self._pass_over(records, error)
                return
            for record in records:
                job = _job(part_id_of(batch_id, record), [record])
                yield from self._outcomes(batch_id, [record], partial(prepare_apart, job))

    def _decoded_in_the_end(self, decoded: Decoded, *, is_alone: bool) -> Prepared:
        """A process that dies says nothing against a record before it has done so many times, with it alone."""
        pauses = islice(chain(PAUSES, repeat(LONGEST_PAUSE)), MOST_DEATHS) if self._patient and is_alone else PAUSES
        for pause in pauses:
            try:
                return decoded()
            except (BrokenExecutor, OSError) as error:
                log.warning("events.decoder_died", error=repr(error))
                if self._stopped.wait(pause):
                    raise Stopped from error
        return decoded()

    def _pass_over(self, records: Sequence[Record], error: Exception) -> None:
        with acting(SERVICE):
            self._log.fail(records, storable(f"{type(error).__name__}: {error}"[:2000]))


@contextmanager
def only_ingestor(*, patient: bool = False) -> Iterator[Ingestor | None]:
    """The one ingestor for as long as the block lasts, or nothing when there is one elsewhere.

    A patient one waits for services that do not answer until told to stop, another gives up after some seconds.
    """
    with write_lock() as lock:
        if lock is None:
            yield None
            return
        with Decoders() as decoders:
            yield Ingestor(event_log(), decoders, lock, patient=patient)


def _batches(events: EventLog, stop: Callable[[], bool]) -> Iterator[tuple[UUID, Sequence[Record]]]:
    """What another ingestor left behind, then new batches until nothing waits. Each once, and in order."""
    with acting(SERVICE):
        left = deque(events.unfinished())
    while not stop():
        with acting(SERVICE):
            batch_id = left.popleft() if left else events.claim()
            if batch_id is None:
                return
            records = events.records_of(batch_id)
        if records:
            yield batch_id, records


def _portions(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records that are decoded together: as many as make one job of a fair size, real or generated ones."""
    portion: list[Record] = []
    lines = 0
    for record in records:
        is_other = portion and data_id_of(record) != data_id_of(portion[0])
        if portion and (is_other or lines + record.line_count > LINES_PER_RECORD):
            yield portion
            portion, lines = [], 0
        portion.append(record)
        lines += record.line_count
    yield portion


def _job(part_id: UUID, records: Sequence[Record]) -> Job:
    org = records[0].org
    arrived = [Arrived(bytes(one.payload), one.created_at, one.history) for one in records]
    return Job(data_id_of(records[0]), part_id, org.currency, org.raw_event_days, arrived)


def _by_part(
    batch_id: UUID, outcomes: Sequence[tuple[Sequence[Record], Prepared]]
) -> dict[UUID, list[tuple[Sequence[Record], Prepared]]]:
    """What is written together: generated events never with real ones."""
    parts: dict[UUID, list[tuple[Sequence[Record], Prepared]]] = {}
    for records, prepared in outcomes:
        parts.setdefault(part_id_of(batch_id, records[0]), []).append((records, prepared))
    return parts
