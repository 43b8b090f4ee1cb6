"""How many single events does each organisation keep? Crosses organisations, by name."""

from dataclasses import dataclass
from uuid import UUID

from apps.warehouse.public import Audit, execute_across


@dataclass(frozen=True)
class Row:
    org: UUID
    events: int
    # Its part of the table's bytes, by its part of the rows.
    size: int


SQL = """
WITH
    (SELECT sum(bytes_on_disk) FROM system.parts
     WHERE active AND database = currentDatabase() AND table = 'events') AS every_byte,
    (SELECT count() FROM events) AS every_row
SELECT org_id AS org, count() AS events, toUInt64(if(every_row = 0, 0, every_byte * count() / every_row)) AS size
FROM events
GROUP BY org
"""


def fetch(*, audit: Audit) -> dict[UUID, Row]:
    rows = (Row(**row) for row in execute_across("console.stored", SQL, audit=audit))
    return {row.org: row for row in rows}
