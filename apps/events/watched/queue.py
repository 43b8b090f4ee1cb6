"""Which sources are to be looked at, and the way to the workers."""

from uuid import UUID

from celery import current_app
from django.db import connection, transaction
from psycopg import sql

from apps.events.models import WatchedSource
from apps.orgs.public import SERVICE, Organisation, acting

TASK = "apps.events.tasks.look_at_watched_source"
# A look that waited longer for a worker is dropped: the next minute's stands behind it.
EXPIRES_AFTER = 55


def active_sources() -> list[tuple[UUID, UUID]]:
    """Organisation and source of all that are not paused, over every organisation's schema in one query."""
    with acting(SERVICE):
        orgs = list(Organisation.objects.filter(status="active").values_list("pk", "schema_name"))
        if not orgs:
            return []
        one = sql.SQL("SELECT {org}::uuid, id FROM {table} WHERE NOT paused")
        parts = [
            one.format(org=sql.Literal(str(pk)), table=sql.Identifier(schema, WatchedSource._meta.db_table))
            for pk, schema in orgs
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(" UNION ALL ").join(parts))
            return list(cursor.fetchall())


def look_soon(org: Organisation, source: WatchedSource) -> None:
    """Ask a worker to look once this is committed. Should the queue not answer, the next minute's look will do."""
    transaction.on_commit(lambda: send_look(org.pk, source.pk), robust=True)


def send_look(org_id: UUID, source_id: UUID) -> None:
    current_app.send_task(
        TASK, args=[str(org_id), str(source_id)], expires=EXPIRES_AFTER, ignore_result=True, retry=False
    )
