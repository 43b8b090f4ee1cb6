"""Work on events that no request waits for."""

from datetime import datetime, timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.events import retention
from apps.events.generated import find_sample, make_sample
from apps.events.log import partitions
from apps.events.log.models import ArrivalMinute
from apps.events.uploads.purging import purge
from apps.events.uploads.queue import send_import, waiting_imports
from apps.events.uploads.running import run_import
from apps.events.watched import queue
from apps.events.watched.looking import look
from apps.orgs.public import SERVICE, Organisation, OrgTask, acting, search_organisations

# Pages look back a day; what is older is told by the hour.
KEEP_MINUTES = timedelta(hours=26)
# After so long a look begins no further file, so that other work comes to its turn; the next minute's look goes on.
LOOK_BUDGET = timedelta(seconds=45)


@shared_task(time_limit=300)
def tend_ingest_log() -> int:
    """Hours of the log: make the coming ones, drop the old; answers how many were dropped."""
    dropped = partitions.tend()
    partitions.purge_kept()
    return dropped


@shared_task(time_limit=300)
def purge_events() -> int:
    """Have every organisation forget what its retention says; answers how many organisations."""
    with acting(SERVICE):
        ids = [org.pk for org in search_organisations("")]
    for org_id in ids:
        purge_events_of.delay(str(org_id))
    retention.purge_ledger(timezone.now(), _before())
    return len(ids)


@shared_task(base=OrgTask, time_limit=600)
def purge_events_of(org: Organisation) -> int:
    """One organisation's part of it; answers how many rows. What was removed stays so if time runs out."""
    return retention.purge(org, _before())


@shared_task(base=OrgTask, time_limit=7200)
def import_upload(org: Organisation, upload_id: UUID) -> None:
    run_import(org, upload_id)


@shared_task(time_limit=50)
def resume_uploads() -> int:
    """Send uploads to a worker that wait and that no message is left of; answers how many."""
    waiting = waiting_imports()
    for org_id, upload_id in waiting:
        send_import(org_id, upload_id, again=True)
    return len(waiting)


@shared_task(time_limit=600)
def purge_uploads() -> int:
    """Remove uploaded bytes that nobody needs any more; answers how many files."""
    return purge()


@shared_task(time_limit=300)
def purge_arrival_minutes() -> int:
    with acting(SERVICE):
        removed, _ = ArrivalMinute.objects.filter(minute__lt=timezone.now() - KEEP_MINUTES).delete()
    return removed


@shared_task(base=OrgTask, time_limit=300)
def make_generated_sample(org: Organisation) -> None:
    """Once per organisation: a second call finds the first one's file."""
    with acting(SERVICE):
        is_made = find_sample() is not None
    if not is_made:
        make_sample(org)


@shared_task(time_limit=50)
def look_at_watched_sources() -> int:
    """Ask for a look at each watched source of each organisation; answers how many."""
    sources = queue.active_sources()
    for org_id, source_id in sources:
        queue.send_look(org_id, source_id)
    return len(sources)


@shared_task(base=OrgTask, time_limit=3600)
def look_at_watched_source(org: Organisation, source_id: UUID) -> None:
    """One look, and the import of what waits. A file under way when this is killed was not begun."""
    look(org, source_id, budget=LOOK_BUDGET)


def _before() -> datetime:
    return timezone.now() - timedelta(days=settings.EVENTS_KEEP_DAYS)
