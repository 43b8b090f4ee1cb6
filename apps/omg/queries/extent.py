"""From which day to which has the organisation data?"""

from uuid import UUID

from apps.common.comparison import Extent
from apps.warehouse.public import execute

SQL = """
SELECT
    toDate(min(bucket), {time_zone:String}) AS first,
    toDate(max(bucket), {time_zone:String}) AS last,
    max(p.last_received) AS last_received
FROM performance AS p
WHERE org_id = {org_id:UUID}
HAVING count() > 0
"""


def fetch(org_id: UUID, *, time_zone: str) -> Extent | None:
    rows = execute(org_id, "omg.extent", SQL, {"time_zone": time_zone})
    return Extent(**rows[0]) if rows else None
