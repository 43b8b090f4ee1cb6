"""Reads and writes of the ingest log."""

from collections.abc import Sequence
from uuid import UUID

import zstandard
from django.db.models import Sum
from django.utils import timezone

from apps.events.log.models import LogRecord
from apps.events.preparing import SEPARATOR
from apps.orgs.public import Organisation

LINES_PER_RECORD = 50_000
BYTES_PER_RECORD = 32_000_000


def append(
    org: Organisation, lines: Sequence[bytes], *, import_id: UUID | None, first_position: int, history: bool
) -> LogRecord:
    """Write one batch. It is kept once the caller's transaction commits, and only then."""
    payload = zstandard.compress(SEPARATOR.join(lines), 1)
    return LogRecord.objects.create(
        org=org,
        import_id=import_id,
        history=history,
        first_position=first_position,
        line_count=len(lines),
        payload=payload,
    )


def lines_of(record: LogRecord) -> list[bytes]:
    return zstandard.decompress(bytes(record.payload)).split(SEPARATOR)


def waiting(*, limit: int) -> list[int]:
    """Ids of the records that nobody has worked on, oldest first."""
    return list(LogRecord.objects.filter(done_at=None, error="").order_by("id").values_list("id", flat=True)[:limit])


def next_record(*, after: int) -> LogRecord | None:
    """The oldest waiting record behind `after`, with its organisation."""
    waits = LogRecord.objects.filter(pk__gt=after, done_at=None, error="")
    found: LogRecord | None = waits.select_related("org").order_by("pk").first()
    return found


def fail(record: LogRecord, why: str) -> None:
    """Pass the record over from now on; see the runbook for how it is taken up again."""
    LogRecord.objects.filter(pk=record.pk).update(error=why)


def finish(record: LogRecord, *, accepted: int, duplicate: int, rejected: int) -> None:
    LogRecord.objects.filter(pk=record.pk).update(
        done_at=timezone.now(), accepted=accepted, duplicate=duplicate, rejected=rejected
    )


def progress(import_id: UUID) -> dict[str, int]:
    """Lines of one import: read, and so far accepted, duplicate, rejected, waiting."""
    records = LogRecord.objects.filter(import_id=import_id)
    names = ("line_count", "accepted", "duplicate", "rejected")
    sums = records.aggregate(**{name: Sum(name, default=0) for name in names})
    done = records.exclude(done_at=None).aggregate(lines=Sum("line_count", default=0))["lines"]
    return {**sums, "done": done, "failed": records.exclude(error="").count()}
