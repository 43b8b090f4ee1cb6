"""How many events has each organisation, and when did the last one arrive? Crosses organisations, by name."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.warehouse.public import Audit, execute_across


@dataclass(frozen=True)
class Row:
    org: UUID
    events: int
    last_received: datetime


SQL = """
SELECT org_id AS org, sum(p.events) AS events, max(p.last_received) AS last_received
FROM performance AS p
GROUP BY org
"""


def fetch(*, audit: Audit) -> dict[UUID, Row]:
    rows = (Row(**row) for row in execute_across("console.activity", SQL, audit=audit))
    return {row.org: row for row in rows}
