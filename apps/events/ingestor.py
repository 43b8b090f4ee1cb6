"""From the ingest log to ClickHouse: decode, check, drop duplicates, insert, put the rest into quarantine.

One record is one insert under the record's own batch id. A crash between the insert and the log's commit leads to a
replay: the same token inserts nothing, and the batch's own rows do not count as duplicates.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

import pyarrow as pa
import structlog
from django.db import connection
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
# What a failed attempt waits before the next, in seconds.
PAUSES = (0.2, 0.5, 1, 2, 5)


class Sorted(Struct, frozen=True):
    """A batch after the rules: what is kept, what repeats, what is turned away (by place in the batch)."""

    accepted: list[Accepted]
    duplicate: int
    rejected: list[tuple[int, Rejection]]


def process(record: LogRecord) -> Sorted:
    """Bring one record to its end, in one transaction."""
    lines = store.lines_of(record)
    batch = sort(lines, now=record.created_at, history=record.history)
    batch = without_known(record, batch)
    if batch.accepted:
        insert("events", _table(record, batch), token=str(record.batch_id))
    _quarantine(record, lines, batch.rejected)
    counts = {"accepted": len(batch.accepted), "duplicate": batch.duplicate, "rejected": len(batch.rejected)}
    store.finish(record, **counts)
    log.info("events.batch_done", org=str(record.org_id), batch=str(record.batch_id), **counts)
    return batch


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


def without_known(record: LogRecord, batch: Sorted) -> Sorted:
    keys = [key_of(row.event_id) for row in batch.accepted]
    known = known_ids.fetch(record.org_id, record.batch_id, keys)
    if not known:
        return batch
    fresh = [row for row, key in zip(batch.accepted, keys, strict=True) if key not in known]
    return Sorted(fresh, batch.duplicate + len(batch.accepted) - len(fresh), batch.rejected)


def key_of(event_id: str) -> known_ids.Key:
    """The id as `event_keys` has it: the first 128 bits of its SHA-256, as two little-endian integers."""
    digest = sha256(event_id.encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def drain(*, stop: Callable[[], bool] = lambda: False, after_each: Callable[[int], None] = lambda lines: None) -> int:
    """Work on what waits until nothing does; answers how many records that were. Hold the lock meanwhile.

    `after_each` is called with the number of lines of each finished record.
    """
    done = 0
    while not stop():
        with acting(SERVICE):
            waiting = store.waiting(limit=32)
        if not waiting:
            break
        for number in waiting:
            if stop():
                break
            after_each(_attempt(number))
            done += 1
    return done


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


def _attempt(number: int) -> int:
    for pause in (*PAUSES, None):
        try:
            with acting(SERVICE):
                record = LogRecord.objects.select_related("org").get(pk=number)
                with in_schema_of(record.org):
                    process(record)
            return record.line_count
        except Unavailable as error:
            log.warning("events.warehouse_unavailable", record=number, error=error.message)
            if pause is None:
                raise
            time.sleep(pause)
        except Exception as error:
            log.exception("events.batch_failed", record=number)
            with acting(SERVICE):
                LogRecord.objects.filter(pk=number).update(error=f"{type(error).__name__}: {error}"[:2000])
            return 0
    return 0


def _table(record: LogRecord, batch: Sorted) -> pa.Table:
    return columns.table(
        record.org_id,
        record.batch_id,
        batch.accepted,
        received_at=record.created_at,
        currency=record.org.currency,
    )


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
