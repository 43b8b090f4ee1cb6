"""Periodic work on events."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.events.log.models import LogRecord
from apps.orgs.public import SERVICE, acting

# As long as raw events are kept: until then the warehouse can be filled again from the log.
KEEP_LOG = timedelta(days=30)
AT_A_TIME = 1_000


@shared_task(time_limit=300)
def purge_ingest_log() -> int:
    """Remove records that were done with 30 days ago; answers how many. What was removed stays so if time runs out."""
    old, removed = LogRecord.objects.filter(done_at__lt=timezone.now() - KEEP_LOG), 0
    while True:
        with acting(SERVICE):
            count, _ = LogRecord.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_A_TIME])).delete()
        removed += count
        if count < AT_A_TIME:
            return removed
