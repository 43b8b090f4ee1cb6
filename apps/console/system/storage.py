"""How much each organisation keeps: its schema in PostgreSQL, its events in ClickHouse. Counted at most every ten
minutes, since it looks at every table."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from apps.console.queries import stored
from apps.orgs.public import generated_org_id, search_organisations
from apps.warehouse.public import Audit

CACHED = "console:storage"
SECONDS = 600
SIZES = """
SELECT n.nspname, sum(pg_total_relation_size(c.oid))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname LIKE 'org\\_%%' GROUP BY 1
"""


@dataclass(frozen=True)
class Kept:
    name: str
    slug: str
    schema_size: int
    events: int
    events_size: int

    @property
    def size(self) -> int:
        return self.schema_size + self.events_size


@dataclass(frozen=True)
class Storage:
    counted_at: datetime
    rows: list[Kept]


def read_storage(*, audit: Audit) -> Storage:
    """The largest first."""
    found: Storage | None = cache.get(CACHED)
    if found is None:
        found = _count(audit)
        cache.set(CACHED, found, SECONDS)
    return found


def _count(audit: Audit) -> Storage:
    with connection.cursor() as cursor:
        cursor.execute(SIZES)
        sizes: dict[str, int] = {name: int(size) for name, size in cursor.fetchall()}
    events = stored.fetch(audit=audit)
    rows = []
    for org in search_organisations(""):
        own = [events[key] for key in _keys(org.pk) if key in events]
        rows.append(
            Kept(
                org.name, org.slug, sizes.get(org.schema_name, 0),
                sum(one.events for one in own), sum(one.size for one in own),
            )
        )  # fmt: skip
    rows.sort(key=lambda one: (-one.size, one.name))
    return Storage(timezone.now(), rows)


def _keys(org_id: UUID) -> tuple[UUID, UUID]:
    """Generated events lie under an id of their own."""
    return org_id, generated_org_id(org_id)
