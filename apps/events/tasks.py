"""Periodic work on events."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.events.log.models import LogRecord
from apps.orgs.public import SERVICE, acting

KEEP_LOG = timedelta(days=30)


@shared_task(time_limit=300)
def purge_ingest_log() -> int:
    """Remove records that were done with 30 days ago (the retention of raw events); answers how many."""
    with acting(SERVICE):
        removed, _ = LogRecord.objects.filter(done_at__lt=timezone.now() - KEEP_LOG).delete()
    return removed
