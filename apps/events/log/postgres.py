"""The log as a table of PostgreSQL, in partitions of an hour."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import cast
from uuid import UUID, uuid4

import zstandard
from django.db import connection
from django.db.models import Min, QuerySet, Sum
from django.utils import timezone

from apps.events.log import interface
from apps.events.log.appending import PostgresWriter
from apps.events.log.horizon import Horizon
from apps.events.log.interface import LockLost, Portion, Progress, Record
from apps.events.log.models import UNCLAIMED, LogRecord
from apps.events.preparing import SEPARATOR

AT_A_TIME = 1_000
FINISH = """
UPDATE ingest_log_logrecord AS r
SET done_at = %s, accepted = n.accepted, duplicate = n.duplicate, rejected = n.rejected
FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[]) AS n (id, accepted, duplicate, rejected)
WHERE r.id = n.id AND r.created_at >= %s AND r.created_at <= %s
"""


class PostgresLog:
    def __init__(self) -> None:
        self._horizon = Horizon(lambda: _open().aggregate(oldest=Min("created_at"))["oldest"])
        self._is_live_next = True

    @contextmanager
    def whole(self) -> Iterator["PostgresLog"]:
        """The caller's transaction does it."""
        yield self

    def append(
        self, portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False
    ) -> None:
        joined = SEPARATOR.join(portion.lines)
        LogRecord.objects.create(
            org_id=portion.org_id,
            source=portion.source,
            import_id=import_id,
            history=history,
            first_position=first_position,
            line_count=len(portion.lines),
            byte_count=len(joined),
            payload=zstandard.compress(joined, 1),
        )

    def edge_writer(self) -> PostgresWriter:
        return PostgresWriter()

    def waiting_lines(self, org_id: UUID | None = None, *, live: bool = False) -> int:
        waits = self._recent() if org_id is None else self._recent().filter(org=org_id)
        waits = waits.filter(import_id=None) if live else waits
        return int(waits.aggregate(lines=Sum("line_count", default=0))["lines"])

    def oldest_waiting(self) -> datetime | None:
        return self._recent().order_by("id").values_list("created_at", flat=True).first()

    def unfinished(self) -> list[UUID]:
        found = self._recent().exclude(batch_id=None).order_by("id").values_list("batch_id", flat=True)
        return list(dict.fromkeys(batch_id for batch_id in found if batch_id))

    def claim(self) -> UUID | None:
        for is_live in (self._is_live_next, not self._is_live_next):
            if (batch_id := self._claim(is_live=is_live)) is not None:
                self._is_live_next = not is_live
                return batch_id
        return None

    def _claim(self, *, is_live: bool) -> UUID | None:
        new = self._recent().filter(UNCLAIMED, import_id__isnull=is_live).order_by("id")
        org_id = new.values_list("org_id", flat=True).first()
        if org_id is None:
            return None
        waiting = new.filter(org=org_id).values_list("id", "line_count", "byte_count", "created_at")
        taken = list(_that_fit(waiting[: interface.RECORDS_PER_BATCH]))
        times = [created_at for _, created_at in taken]
        batch_id = uuid4()
        these = _between(min(times), max(times)).filter(id__in=[pk for pk, _ in taken])
        if these.filter(UNCLAIMED).update(batch_id=batch_id) != len(taken):
            raise LockLost("Another ingestor has claimed these records.")
        return batch_id

    def records_of(self, batch_id: UUID) -> list[Record]:
        found = self._recent().filter(batch_id=batch_id).select_related("org").order_by("id")
        return cast(list[Record], list(found))

    def lock(self, records: Sequence[Record]) -> bool:
        mine = _of(records).filter(done_at=None, error="")
        return len(mine.select_for_update(of=("self",)).values_list("pk")) == len(records)

    def finish(self, records: Sequence[Record]) -> None:
        remaining, now = iter(records), timezone.now()
        while some := list(islice(remaining, AT_A_TIME)):
            times = [record.created_at for record in some]
            columns = [[getattr(one, name) for one in some] for name in ("pk", "accepted", "duplicate", "rejected")]
            with connection.cursor() as cursor:
                cursor.execute(FINISH, [now, *columns, min(times), max(times)])

    def fail(self, records: Sequence[Record], why: str) -> None:
        """They are claimed anew once `error` is cleared, since their batch is no more."""
        _of(records).update(error=why, batch_id=None)

    def release(self) -> None:
        self._recent().exclude(batch_id=None).update(batch_id=None)

    def progress(self, import_id: UUID, since: datetime | None = None) -> Progress:
        records = LogRecord.objects.filter(import_id=import_id)
        if since is not None:
            records = records.filter(created_at__gte=since)
        names = ("line_count", "accepted", "duplicate", "rejected")
        sums = records.aggregate(**{name: Sum(name, default=0) for name in names})
        done = records.exclude(done_at=None).aggregate(lines=Sum("line_count", default=0))["lines"]
        return cast(Progress, {**sums, "done": done, "failed": records.exclude(error="").count()})

    def close(self) -> None:
        """Nothing of its own is open."""

    def _recent(self) -> QuerySet[LogRecord]:
        """What is open, where it can be."""
        since, until = self._horizon.window()
        return _open().filter(created_at__gte=since, created_at__lt=until)


def _open() -> QuerySet[LogRecord]:
    return LogRecord.objects.filter(done_at=None, error="")


def _between(first: datetime, last: datetime) -> QuerySet[LogRecord]:
    return LogRecord.objects.filter(created_at__gte=first, created_at__lte=last)


def _of(records: Sequence[Record]) -> QuerySet[LogRecord]:
    """These, in the partitions where they are."""
    times = [record.created_at for record in records]
    return _between(min(times), max(times)).filter(pk__in=[record.pk for record in records])


def _that_fit(waiting: Iterable[tuple[int, int, int, datetime]]) -> Iterator[tuple[int, datetime]]:
    """The first records that make one batch, the very first whatever its size."""
    lines = size = 0
    for pk, line_count, byte_count, created_at in waiting:
        lines, size = lines + line_count, size + byte_count
        if lines > line_count and (lines > interface.LINES_PER_BATCH or size > interface.BYTES_PER_BATCH):
            return
        yield pk, created_at
