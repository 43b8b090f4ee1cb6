"""The log's hours: made ahead, dropped when they are done with and old enough.

The database does it, in the owner's function `tend_ingest_log`: see `migrations/0006_hourly_partitions.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from apps.events.log.models import LogRecord
from apps.orgs.public import SERVICE, acting

log = structlog.get_logger()
HOURS_AHEAD = 48
AT_A_TIME = 1_000


@dataclass(frozen=True)
class Condition:
    """What an operator watches: hours made ahead, hours kept past their retention, records that failed."""

    hours_ahead: float
    kept: int
    failed_records: int


def tend() -> int:
    """Make the coming hours, empty the default partition into its own, drop what is old; answers how many dropped.

    Nothing waits for it, nor it for anything longer than a second: what it cannot do now it does the next time.
    """
    with acting(SERVICE), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.tend_ingest_log(%s, %s)", [HOURS_AHEAD, settings.EVENT_LOG_KEEP_HOURS])
        outcomes = cursor.fetchall()
    for name, outcome, waiting, failed in outcomes:
        if outcome == "kept":
            log.warning("events.log_hour_kept", partition=name, waiting=waiting, failed=failed)
        else:
            log.info("events.log_hour", partition=name, outcome=outcome)
    return sum(outcome == "dropped" for _, outcome, _, _ in outcomes)


def purge_kept() -> int:
    """Remove old records that are done from hours that must stay for others; answers how many."""
    cut, removed = timezone.now() - timedelta(hours=settings.EVENT_LOG_KEEP_HOURS), 0
    for starts_at, ends_at in _bounds():
        if ends_at > cut:
            continue
        hour = LogRecord.objects.filter(created_at__lt=ends_at, done_at__isnull=False)
        hour = hour.filter(created_at__gte=starts_at) if starts_at else hour
        removed += _delete_all(hour)
    return removed


def condition() -> Condition:
    """In a transaction of `SERVICE`'s. Looks through all hours: not for every second."""
    now = timezone.now()
    cut = now - timedelta(hours=settings.EVENT_LOG_KEEP_HOURS + 1)
    ends = [ends_at for _, ends_at in _bounds()]
    return Condition(
        hours_ahead=max(0.0, (max(ends, default=now) - now).total_seconds() / 3600),
        kept=sum(ends_at < cut for ends_at in ends),
        failed_records=LogRecord.objects.exclude(error="").count(),
    )


def _bounds() -> list[tuple[datetime | None, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT starts_at, ends_at FROM public.ingest_log_partition WHERE ends_at IS NOT NULL")
        return list(cursor.fetchall())


def _delete_all(hour: QuerySet[LogRecord]) -> int:
    removed = 0
    while True:
        with acting(SERVICE):
            count, _ = hour.filter(pk__in=list(hour.values_list("pk", flat=True)[:AT_A_TIME])).delete()
        removed += count
        if count < AT_A_TIME:
            return removed
