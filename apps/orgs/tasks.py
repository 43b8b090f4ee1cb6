"""Periodic work on organisations."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import warn_of_expiring_keys
from apps.orgs.audit import keep_partitions, seal_entries
from apps.orgs.editing.actions import forget_edits
from apps.orgs.export import purge_exports, run_export
from apps.orgs.key_uses import bring_requests


@shared_task(time_limit=300)
def seal_audit() -> int:
    """Seal what the audit trail got since; answers how many entries."""
    with acting(SERVICE):
        return seal_entries()


@shared_task(time_limit=300)
def keep_audit_partitions() -> int:
    """Make room for the next year of the audit trail, drop what is past its time; answers how many years."""
    with acting(SERVICE):
        return keep_partitions()


@shared_task(time_limit=300)
def purge_edits() -> int:
    """Forget edits in place that are too old to be undone; answers how many."""
    with acting(SERVICE):
        return forget_edits()


@shared_task(time_limit=60)
def bring_api_key_uses() -> int:
    """What Redis counted of API keys' requests; answers how many counts."""
    with acting(SERVICE):
        return bring_requests()


@shared_task(time_limit=7200)
def make_export(export_id: str) -> None:
    """Write the file that somebody asked for; asked twice, it is written once."""
    run_export(UUID(export_id))


@shared_task(time_limit=300)
def remove_old_exports() -> int:
    return purge_exports(timezone.now())


@shared_task(time_limit=300)
def warn_of_keys() -> int:
    """Administrators hear of keys that expire within a week; answers how many keys."""
    with acting(SERVICE):
        return warn_of_expiring_keys()
