"""Periodic work on organisations."""

from celery import shared_task

from apps.orgs.actor import SERVICE, acting
from apps.orgs.audit import keep_partitions, seal_entries
from apps.orgs.editing.actions import forget_edits
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
