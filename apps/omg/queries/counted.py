"""What did Precise count, by day, platform and campaign?"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from apps.common.period import Period
from apps.warehouse.public import execute


@dataclass(frozen=True)
class Row:
    day: date
    platform: str
    campaign: str
    currency: str
    spend: Decimal
    impressions: int
    clicks: int
    conversions: int
    revenue: Decimal


SQL = """
SELECT
    toDate(bucket, {time_zone:String}) AS day, platform, campaign_id AS campaign, currency,
    sum(p.spend) AS spend, sum(p.impressions) AS impressions, sum(p.clicks) AS clicks,
    sum(p.conversions) AS conversions, sum(p.revenue) AS revenue
FROM performance AS p
WHERE org_id = {org_id:UUID} AND bucket >= {start:DateTime('UTC')} AND bucket < {until:DateTime('UTC')}
GROUP BY day, platform, campaign, currency
ORDER BY day, platform, campaign, currency
"""


def fetch(org_id: UUID, period: Period) -> list[Row]:
    """Rows of the period; days are those of its time zone."""
    params = {"start": period.since, "until": period.until, "time_zone": period.time_zone}
    return [Row(**row) for row in execute(org_id, "omg.counted", SQL, params)]
