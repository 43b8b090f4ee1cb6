"""How did the organisation's media do, by day and by one dimension, in a period and the one before it?"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import COLUMNS, NARROW, Dimension
from apps.omg.filters import Filters
from apps.warehouse.public import execute


@dataclass(frozen=True)
class Row:
    """`compared`: these quarters of an hour have a counterpart in the other of the two periods."""

    day: date
    compared: bool
    name: str
    currency: str
    events: int
    impressions: int
    clicks: int
    conversions: int
    revenue: Decimal
    spend: Decimal
    last_received: datetime


SQL = """
SELECT
    toDate(bucket, {{time_zone:String}}) AS day,
    (bucket < {{previous_cut:DateTime('UTC')}}
        OR bucket >= {{start:DateTime('UTC')}} AND bucket < {{cut:DateTime('UTC')}})::Bool AS compared,
    {column} AS name,
    currency,
    sum(p.events) AS events,
    sum(p.impressions) AS impressions,
    sum(p.clicks) AS clicks,
    sum(p.conversions) AS conversions,
    sum(p.revenue) AS revenue,
    sum(p.spend) AS spend,
    max(p.last_received) AS last_received
FROM {table} AS p
WHERE org_id = {{org_id:UUID}} AND bucket >= {{since:DateTime('UTC')}} AND bucket < {{until:DateTime('UTC')}}{only}
GROUP BY day, compared, name, currency
ORDER BY day, compared, name, currency
"""


def fetch(org_id: UUID, period: Period, dimension: Dimension, filters: Filters | None = None) -> list[Row]:
    """Rows of the period and of the one before it; days are those of the period's time zone."""
    filters = filters or Filters()
    table = "performance" if dimension in NARROW and filters.is_narrow else "performance_detail"
    sql = SQL.format(column=COLUMNS[dimension], table=table, only=filters.condition)
    return [Row(**row) for row in execute(org_id, "omg.performance", sql, {**period.bounds, **filters.bound})]
