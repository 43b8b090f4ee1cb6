"""What tasks about one organisation have in common."""

from typing import Any
from uuid import UUID

from celery import Task

from apps.orgs.actor import SERVICE, acting, in_schema_of
from apps.orgs.selectors import find_by_id


class OrgTask(Task):
    """Takes ids, the organisation's first, as text. Its body is given the organisation, is in its schema, and opens
    its transactions itself."""

    abstract = True

    def __call__(self, org_id: str, *ids: str) -> Any:
        with acting(SERVICE):
            org = find_by_id(UUID(org_id))
        with in_schema_of(org):
            return self.run(org, *map(UUID, ids))
