"""Which values of each dimension occur in a period, the most frequent first?"""

from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import Dimension
from apps.omg.queries.figures import TABLES
from apps.warehouse.public import execute

MOST = 40
ONE = """
SELECT '{dimension}' AS dimension, toString({column}) AS value, sum(r.events) AS events
FROM {table} AS r
WHERE org_id = {{org_id:UUID}} AND bucket >= {{start:DateTime('UTC')}} AND bucket < {{until:DateTime('UTC')}}
GROUP BY {column}
ORDER BY events DESC, value
LIMIT {{most:UInt32}}
"""
SQL = " UNION ALL ".join(
    f"({ONE.format(dimension=one.value, column=one.column, table=TABLES[one.kept])})" for one in Dimension
)


def fetch(org_id: UUID, period: Period) -> dict[Dimension, list[str]]:
    """Up to `MOST` + 1 values each: one too many tells that there are more."""
    found: dict[Dimension, list[str]] = {dimension: [] for dimension in Dimension}
    rows = execute(org_id, "omg.choices", SQL, {**period.bounds, "most": MOST + 1})
    for row in sorted(rows, key=lambda row: (-row["events"], row["value"])):
        found[Dimension(row["dimension"])].append(row["value"])
    return found
