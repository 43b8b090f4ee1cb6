"""Which sources are to be looked at, and the way to the workers."""

from uuid import UUID

from celery import current_app
from django.db import transaction

from apps.events.models import WatchedSource
from apps.events.schemas import ask_everywhere
from apps.orgs.public import Organisation

TASK = "apps.events.tasks.look_at_watched_source"
# A look that waited longer for a worker is dropped: the next minute's stands behind it.
EXPIRES_AFTER = 55
ACTIVE = "SELECT {org}::uuid, id FROM {table} WHERE NOT paused"


def active_sources() -> list[tuple[UUID, UUID]]:
    """Organisation and source of all that are not paused, over every organisation's schema in one query."""
    return [(org_id, source_id) for org_id, source_id in ask_everywhere(WatchedSource, ACTIVE)]


def look_soon(org: Organisation, source: WatchedSource) -> None:
    """Ask a worker to look once this is committed. Should the queue not answer, the next minute's look will do."""
    transaction.on_commit(lambda: send_look(org.pk, source.pk), robust=True)


def send_look(org_id: UUID, source_id: UUID) -> None:
    current_app.send_task(
        TASK, args=[str(org_id), str(source_id)], expires=EXPIRES_AFTER, ignore_result=True, retry=False
    )
