"""From which day to which did events carry this contributor's signals? Crosses organisations, by name."""

from apps.common.comparison import Extent
from apps.warehouse.public import Audit, execute_across

SQL = """
SELECT
    toDate(min(bucket), {time_zone:String}) AS first,
    toDate(max(bucket), {time_zone:String}) AS last,
    max(u.last_received) AS last_received
FROM signal_usage AS u
WHERE contributor_id = {contributor_id:String}
HAVING count() > 0
"""


def fetch(contributor_id: str, *, time_zone: str, audit: Audit) -> Extent | None:
    """Only days of the contributor itself; `audit` notes that buyers' usage was read."""
    bound = {"contributor_id": contributor_id, "time_zone": time_zone}
    rows = execute_across("earnings.extent", SQL, bound, audit=audit)
    return Extent(**rows[0]) if rows else None
