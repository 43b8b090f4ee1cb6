"""How many events carried each contributor's signals, and when did the last arrive? Crosses organisations, by name."""

from dataclasses import dataclass
from datetime import datetime

from apps.warehouse.public import Audit, execute_across


@dataclass(frozen=True)
class Row:
    contributor: str
    events: int
    last_received: datetime


SQL = """
SELECT contributor_id AS contributor, sum(u.events) AS events, max(u.last_received) AS last_received
FROM signal_usage AS u
GROUP BY contributor
"""


def fetch(*, audit: Audit) -> dict[str, Row]:
    rows = (Row(**row) for row in execute_across("console.signal_activity", SQL, audit=audit))
    return {row.contributor: row for row in rows}
