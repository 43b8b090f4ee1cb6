"""Reads and writes of the ingest log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import zstandard
from django.db.models import QuerySet, Sum
from django.utils import timezone

from apps.events.log.models import UNCLAIMED, LogRecord
from apps.events.preparing import SEPARATOR

LINES_PER_RECORD = 50_000
BYTES_PER_RECORD = 32_000_000
# A batch is one insert. Large ones save the engine most of its merging; more than this, and memory is the limit.
LINES_PER_BATCH = 150_000
BYTES_PER_BATCH = 96_000_000
RECORDS_PER_BATCH = 1_000


@dataclass(frozen=True)
class Portion:
    """Lines of one organisation that came through one door."""

    org_id: UUID
    source: str
    lines: Sequence[bytes]


def append(
    portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False
) -> LogRecord:
    """Write one record. It is kept once the caller's transaction commits, and only then."""
    joined = SEPARATOR.join(portion.lines)
    return LogRecord.objects.create(
        org_id=portion.org_id,
        source=portion.source,
        import_id=import_id,
        history=history,
        first_position=first_position,
        line_count=len(portion.lines),
        byte_count=len(joined),
        payload=zstandard.compress(joined, 1),
    )


def waiting_lines(org_id: UUID | None = None) -> int:
    """How far the ingestor is behind, with all or with one organisation's lines."""
    waits = _open() if org_id is None else _open().filter(org=org_id)
    return int(waits.aggregate(lines=Sum("line_count", default=0))["lines"])


def unfinished() -> list[UUID]:
    """Batches that were claimed and not brought to their end, oldest first."""
    found = _open().exclude(batch_id=None).order_by("id").values_list("batch_id", flat=True)
    return list(dict.fromkeys(batch_id for batch_id in found if batch_id))


def claim() -> UUID | None:
    """Make a batch of the oldest waiting records of one organisation, if there are any."""
    new = LogRecord.objects.filter(UNCLAIMED).order_by("id")
    org_id = new.values_list("org_id", flat=True).first()
    if org_id is None:
        return None
    sizes = new.filter(org=org_id).values_list("id", "line_count", "byte_count")[:RECORDS_PER_BATCH]
    batch_id = uuid4()
    LogRecord.objects.filter(id__in=list(_that_fit(sizes))).update(batch_id=batch_id)
    return batch_id


def records_of(batch_id: UUID) -> list[LogRecord]:
    """A batch's records in order, with their organisation."""
    return list(_open().filter(batch_id=batch_id).select_related("org").order_by("id"))


def lock(records: Sequence[LogRecord]) -> bool:
    """Hold these until the transaction ends; whether they are all still to be done."""
    ids = [record.pk for record in records]
    return len(_open().filter(pk__in=ids).select_for_update(of=("self",)).values_list("pk")) == len(ids)


def fail(records: Iterable[LogRecord], why: str) -> None:
    """Pass these over until somebody clears `error`; they are claimed anew then, since their batch is no more."""
    LogRecord.objects.filter(pk__in=[record.pk for record in records]).update(error=why, batch_id=None)


def release() -> None:
    """Take claimed batches apart: their records are claimed anew under other ids. What had arrived of them counts as
    duplicate then, where a replay would rely on a token that the warehouse may have forgotten."""
    _open().exclude(batch_id=None).update(batch_id=None)


def finish(records: Sequence[LogRecord]) -> None:
    """Keep the records' counts; their work is done."""
    now = timezone.now()
    for record in records:
        record.done_at = now
    LogRecord.objects.bulk_update(records, ["done_at", "accepted", "duplicate", "rejected"], batch_size=250)


def progress(import_id: UUID) -> dict[str, int]:
    """Lines of one import: `line_count`, of which `done` so far, and the outcome of these; `failed` counts records."""
    records = LogRecord.objects.filter(import_id=import_id)
    names = ("line_count", "accepted", "duplicate", "rejected")
    sums = records.aggregate(**{name: Sum(name, default=0) for name in names})
    done = records.exclude(done_at=None).aggregate(lines=Sum("line_count", default=0))["lines"]
    return {**sums, "done": done, "failed": records.exclude(error="").count()}


def _open() -> QuerySet[LogRecord]:
    return LogRecord.objects.filter(done_at=None, error="")


def _that_fit(sizes: Iterable[tuple[int, int, int]]) -> Iterator[int]:
    """Ids of the first records that make one batch, the very first whatever its size."""
    lines = size = 0
    for pk, line_count, byte_count in sizes:
        lines, size = lines + line_count, size + byte_count
        if lines > line_count and (lines > LINES_PER_BATCH or size > BYTES_PER_BATCH):
            return
        yield pk
