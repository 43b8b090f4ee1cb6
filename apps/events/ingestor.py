"""From the ingest log to ClickHouse: decode, check, drop duplicates, insert, put the rest into quarantine.

One record is one insert under the record's own batch id. A crash between the insert and the log's commit leads to a
replay: the same token inserts nothing, and the batch's own rows do not count as duplicates.

Two threads share the work: one decodes the next record while the other waits for the engine to store the last.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import pyarrow as pa
import structlog
from django.db import connection, connections
from msgspec import Struct

from apps.common.errors import Unavailable
from apps.events import columns, quality
from apps.events.canonical import Rejection, decode
from apps.events.columns import Accepted
from apps.events.log import store
from apps.events.log.models import LogRecord
from apps.events.models import QuarantinedLine
from apps.events.queries import known_ids
from apps.orgs.public import SERVICE, acting, in_schema_of
from apps.warehouse.public import insert

log = structlog.get_logger()
# One ingestor works at a time: PostgreSQL keeps this lock for as long as the holder's connection lives.
LOCK = 0x5052_4543
QUARANTINED_CHARACTERS = 65_536
Work = TypeVar("Work", int, "Prepared")
Outcome = TypeVar("Outcome")
# What a failed attempt waits before the next, in seconds.
PAUSES = (0.2, 0.5, 1, 2, 5)


class Sorted(Struct, frozen=True):
    """A batch after the rules: what is kept, what repeats, what is turned away (by place in the batch)."""

    accepted: list[Accepted]
    duplicate: int
    rejected: list[tuple[int, Rejection]]


class Prepared(Struct, frozen=True):
    """A record as far as it goes without asking the engine."""

    record: LogRecord
    lines: list[bytes]
    batch: Sorted
    keys: list[known_ids.Key]
    table: pa.Table


def prepare(number: int) -> Prepared:
    """Read, decode and check one record, and lay its events out in columns."""
    with acting(SERVICE):
        record = LogRecord.objects.select_related("org").get(pk=number)
    lines = store.lines_of(record)
    batch = sort(lines, now=record.created_at, history=record.history)
    table = columns.table(
        record.org_id, record.batch_id, batch.accepted, received_at=record.created_at, currency=record.org.currency
    )
    return Prepared(record, lines, batch, [key_of(row.event_id) for row in batch.accepted], table)


def write(prepared: Prepared) -> int:
    """Bring a prepared record to its end, in one transaction; answers its number of lines."""
    record, batch, table = prepared.record, prepared.batch, prepared.table
    with acting(SERVICE), in_schema_of(record.org):
        if known := known_ids.fetch(record.org_id, record.batch_id, prepared.keys):
            table = table.filter(pa.array([key not in known for key in prepared.keys]))
        if table.num_rows:
            insert("events", table, token=str(record.batch_id))
        _quarantine(record, prepared.lines, batch.rejected)
        repeated = batch.duplicate + len(batch.accepted) - table.num_rows
        counts = {"accepted": table.num_rows, "duplicate": repeated, "rejected": len(batch.rejected)}
        store.finish(record, **counts)
    log.info("events.batch_done", org=str(record.org_id), batch=str(record.batch_id), **counts)
    return int(record.line_count)


def sort(lines: Sequence[bytes], *, now: datetime, history: bool) -> Sorted:
    """Decode and check each line; of lines with one event id the first counts."""
    accepted: dict[str, Accepted] = {}
    rejected: list[tuple[int, Rejection]] = []
    for place, line in enumerate(lines):
        found = decode(line)
        if isinstance(found, Rejection):
            rejected.append((place, found))
            continue
        event, properties = found
        if broken := quality.check(event, properties, now=now, history=history):
            rejected.append((place, broken))
            continue
        digest = sha256(line).digest()
        event_id = digest.hex() if event.event_id is None else str(event.event_id)
        accepted.setdefault(event_id, Accepted(event, properties, event_id, digest))
    return Sorted(list(accepted.values()), len(lines) - len(rejected) - len(accepted), rejected)


def key_of(event_id: str) -> known_ids.Key:
    """The id as `event_keys` has it: the first 128 bits of its SHA-256, as two little-endian integers."""
    digest = sha256(event_id.encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def drain(*, stop: Callable[[], bool] = lambda: False, after_each: Callable[[int], None] = lambda lines: None) -> int:
    """Work on what waits until nothing does; answers how many records that were. Hold the lock meanwhile.

    `after_each` is called with the number of lines of each finished record.
    """
    done = 0
    with ThreadPoolExecutor(1, thread_name_prefix="ingest-write") as writer:
        last: Future[int] | None = None
        for number in _numbers(stop):
            prepared = _attempt(prepare, number)
            if last is not None:
                after_each(last.result())
            last = writer.submit(_write_apart, prepared) if prepared is not None else None
            done += 1
        if last is not None:
            after_each(last.result())
    return done


def _numbers(stop: Callable[[], bool]) -> Iterator[int]:
    """Ids of waiting records in order, each once, until none are left."""
    last = 0
    while not stop():
        with acting(SERVICE):
            waiting = store.waiting(after=last, limit=32)
        if not waiting:
            return
        for number in waiting:
            if stop():
                return
            yield number
            last = number


def _write_apart(prepared: Prepared) -> int:
    """`write` in a thread of its own, whose connection goes back when it is done."""
    try:
        return _attempt(write, prepared) or 0
    finally:
        connections.close_all()


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


def _attempt(step: Callable[[Work], Outcome], work: Work) -> Outcome | None:
    """Run one step. The engine's absence is waited out; any other failure is noted on the record, which waits."""
    for pause in (*PAUSES, None):
        try:
            return step(work)
        except Unavailable as error:
            log.warning("events.warehouse_unavailable", error=error.message)
            if pause is None:
                raise
            time.sleep(pause)
        except Exception as error:
            number = work.record.pk if isinstance(work, Prepared) else work
            log.exception("events.batch_failed", record=number)
            with acting(SERVICE):
                LogRecord.objects.filter(pk=number).update(error=f"{type(error).__name__}: {error}"[:2000])
            return None
    return None


def _quarantine(record: LogRecord, lines: Sequence[bytes], rejected: Sequence[tuple[int, Rejection]]) -> None:
    QuarantinedLine.objects.bulk_create(
        (
            QuarantinedLine(
                import_id=record.import_id,
                batch_id=record.batch_id,
                position=record.first_position + place,
                code=why.code,
                field=why.field[:120],
                message=why.message[:2000].replace("\x00", "\ufffd"),
                line=lines[place][:QUARANTINED_CHARACTERS].decode("utf-8", "replace").replace("\x00", "\ufffd"),
            )
            for place, why in rejected
        ),
        batch_size=5_000,
    )
