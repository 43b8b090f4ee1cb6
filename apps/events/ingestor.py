"""From the ingest log to ClickHouse: decode, check, drop duplicates, insert, put the rest into quarantine.

One record is one insert under the record's own batch id. A crash between the insert and the log's commit leads to a
replay: the same token inserts nothing, and the batch's own rows do not count as duplicates.

Records are written strictly in order, by one thread. Decoding runs ahead of it: in this process when little waits, in
processes of a pool when much does.
"""

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pyarrow as pa
import structlog
from django.db import connection, connections

from apps.common.errors import Unavailable
from apps.events.log import store
from apps.events.log.models import LogRecord
from apps.events.models import QuarantinedLine
from apps.events.preparing import Job, Prepared, Rejected, prepare, without_pandas
from apps.events.queries import known_ids
from apps.orgs.public import SERVICE, acting, in_schema_of
from apps.warehouse.public import insert

log = structlog.get_logger()
Decoded = Callable[[], Prepared]
# One ingestor works at a time: PostgreSQL keeps this lock for as long as the holder's connection lives.
LOCK = 0x5052_4543
QUARANTINED_CHARACTERS = 65_536
# So many records are decoded ahead of the one that is being written.
AHEAD = 3
# From so many waiting records on, a pool of processes is worth its start.
POOL_FROM = 5
# What a failed attempt waits before the next, in seconds.
PAUSES = (0.2, 0.5, 1, 2, 5)


def drain(*, stop: Callable[[], bool] = lambda: False, after_each: Callable[[int], None] = lambda lines: None) -> int:
    """Work on what waits until nothing does; answers how many records that were. Hold the lock meanwhile.

    `after_each` is called with the number of lines of each finished record.
    """
    done = 0
    with _decoders() as decoders, ThreadPoolExecutor(1, thread_name_prefix="ingest-write") as writer:
        under_way: deque[Future[int]] = deque()
        for record in _records(stop):
            under_way.append(writer.submit(_finish, record, _decode(decoders, record)))
            if len(under_way) > AHEAD:
                after_each(under_way.popleft().result())
            done += 1
        for last in under_way:
            after_each(last.result())
    return done


def job_of(record: LogRecord) -> Job:
    return Job(
        record.org_id, record.batch_id, bytes(record.payload), record.created_at, record.history, record.org.currency
    )


def write(record: LogRecord, prepared: Prepared) -> int:
    """Bring a prepared record to its end, in one transaction; answers its number of lines."""
    with acting(SERVICE), in_schema_of(record.org):
        known = known_ids.fetch(record.org_id, record.batch_id, prepared.keys)
        table = prepared.table.filter(pa.array(~known)) if known.any() else prepared.table
        if table.num_rows:
            insert("events", table, token=str(record.batch_id))
        _quarantine(record, prepared.rejected)
        counts = {
            "accepted": table.num_rows,
            "duplicate": prepared.duplicate + int(known.sum()),
            "rejected": len(prepared.rejected),
        }
        store.finish(record, **counts)
    log.info("events.batch_done", org=str(record.org_id), batch=str(record.batch_id), **counts)
    return int(record.line_count)


@contextmanager
def only_ingestor() -> Iterator[bool]:
    """Whether this process is the one ingestor for as long as the block lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        held = bool(cursor.fetchone()[0])
        try:
            yield held
        finally:
            if held:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def _decoders() -> Iterator[Executor]:
    """Where decoding happens: a pool of processes when much waits, a thread otherwise."""
    with acting(SERVICE):
        waiting = len(store.waiting(limit=POOL_FROM))
    cores = os.cpu_count() or 1
    if waiting < POOL_FROM or cores == 1:
        with ThreadPoolExecutor(1, thread_name_prefix="ingest-decode") as thread:
            yield thread
        return
    # Not forked: this process has threads and connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(cores, 4), context, initializer=without_pandas) as pool:
        yield pool


def _records(stop: Callable[[], bool]) -> Iterator[LogRecord]:
    """Waiting records in order, each once, until none are left."""
    last = 0
    while not stop():
        with acting(SERVICE):
            found = store.next_record(after=last)
        if found is None:
            return
        yield found
        last = found.pk


def _decode(decoders: Executor, record: LogRecord) -> Decoded:
    """Decoding under way, as a function that waits for it. A pool that lost a process is not the record's fault."""
    job = job_of(record)
    try:
        future = decoders.submit(prepare, job)
    except BrokenExecutor:
        return partial(prepare, job)

    def wait() -> Prepared:
        try:
            return future.result()
        except BrokenExecutor:
            log.warning("events.decoder_lost", record=record.pk)
            return prepare(job)

    return wait


def _finish(record: LogRecord, decoded: Decoded) -> int:
    """The writer's step. The engine's absence is waited out; any other failure is noted on the record, which waits."""
    try:
        for pause in (*PAUSES, None):
            try:
                return write(record, decoded())
            except Unavailable as error:
                log.warning("events.warehouse_unavailable", error=error.message)
                if pause is None:
                    raise
                time.sleep(pause)
            except Exception as error:
                log.exception("events.batch_failed", record=record.pk)
                with acting(SERVICE):
                    store.fail(record, f"{type(error).__name__}: {error}"[:2000])
                return 0
        return 0
    finally:
        connections.close_all()


def _quarantine(record: LogRecord, rejected: Sequence[Rejected]) -> None:
    QuarantinedLine.objects.bulk_create(
        (
            QuarantinedLine(
                import_id=record.import_id,
                batch_id=record.batch_id,
                position=record.first_position + one.place,
                code=one.why.code,
                field=one.why.field[:120],
                message=one.why.message[:2000].replace("\x00", "\ufffd"),
                line=one.line[:QUARANTINED_CHARACTERS].decode("utf-8", "replace").replace("\x00", "\ufffd"),
            )
            for one in rejected
        ),
        batch_size=5_000,
    )
