"""Work on events that no request waits for."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.events.generated import find_sample, make_sample
from apps.events.log.models import ArrivalMinute, LogRecord
from apps.events.uploads.purging import purge
from apps.events.uploads.running import run_import
from apps.orgs.public import SERVICE, acting, find_by_id, in_schema_of

# As long as raw events are kept: until then the warehouse can be filled again from the log.
KEEP_LOG = timedelta(days=30)
AT_A_TIME = 1_000
# Pages look back a day; what is older is told by the hour.
KEEP_MINUTES = timedelta(hours=26)


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


@shared_task(time_limit=7200)
def import_upload(org_id: str, upload_id: str) -> None:
    run_import(UUID(org_id), UUID(upload_id))


@shared_task(time_limit=600)
def purge_uploads() -> int:
    """Remove uploaded bytes that nobody needs any more; answers how many files."""
    return purge()


@shared_task(time_limit=300)
def purge_arrival_minutes() -> int:
    with acting(SERVICE):
        removed, _ = ArrivalMinute.objects.filter(minute__lt=timezone.now() - KEEP_MINUTES).delete()
    return removed


@shared_task(time_limit=300)
def make_generated_sample(org_id: str) -> None:
    """Once per organisation: a second call finds the first one's file."""
    with acting(SERVICE):
        org = find_by_id(UUID(org_id))
        with in_schema_of(org):
            is_made = find_sample() is not None
    if not is_made:
        make_sample(org)
