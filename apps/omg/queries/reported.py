"""What do platforms report of the organisation's campaigns, by day?"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from apps.common.comparison import Extent
from apps.common.period import Period
from apps.warehouse.public import execute


@dataclass(frozen=True)
class Row:
    """One source's figures of one campaign on one day; None is what it does not report."""

    day: date
    source: str
    platform: str
    campaign: str
    campaign_name: str
    currency: str
    spend: Decimal | None
    impressions: int | None
    clicks: int | None
    conversions: Decimal | None
    revenue: Decimal | None
    reported_at: datetime

    @property
    def compared(self) -> bool:
        return True


# A day may have been reported as a whole and by its hours: what was said last of the day counts.
SQL = """
SELECT
    day, source, platform, campaign, max(r.campaign_name) AS campaign_name, currency,
    sum(r.spend) AS spend, sum(r.impressions) AS impressions, sum(r.clicks) AS clicks,
    sum(r.conversions) AS conversions, sum(r.revenue) AS revenue, max(r.said_at) AS reported_at
FROM
(
    SELECT
        toDate(hour, {time_zone:String}) AS day, source, platform, campaign, campaign_name, currency, grain,
        spend, impressions, clicks, conversions, revenue, reported_at AS said_at,
        first_value(grain) OVER (
            PARTITION BY toDate(hour, {time_zone:String}), source, platform, campaign ORDER BY reported_at DESC, grain
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS last_grain
    FROM reported FINAL
    WHERE org_id = {org_id:UUID} AND hour >= {start:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
) AS r
WHERE grain = last_grain
GROUP BY day, source, platform, campaign, currency
ORDER BY day, source, platform, campaign, currency
"""
EXTENT = """
SELECT
    toDate(min(hour), {time_zone:String}) AS first,
    toDate(max(hour), {time_zone:String}) AS last,
    max(reported_at) AS last_received
FROM reported
WHERE org_id = {org_id:UUID}
HAVING count() > 0
"""
SOURCES = "SELECT DISTINCT source FROM reported WHERE org_id = {org_id:UUID} ORDER BY source LIMIT 1000"


def fetch(org_id: UUID, period: Period) -> list[Row]:
    """Rows of the period; days are those of its time zone."""
    params = {"start": period.since, "until": period.until, "time_zone": period.time_zone}
    return [Row(**row) for row in execute(org_id, "omg.reported", SQL, params)]


def fetch_extent(org_id: UUID, *, time_zone: str) -> Extent | None:
    rows = execute(org_id, "omg.reported_extent", EXTENT, {"time_zone": time_zone})
    return Extent(**rows[0]) if rows else None


def fetch_sources(org_id: UUID) -> list[str]:
    """All that ever reported."""
    return [row["source"] for row in execute(org_id, "omg.reported_sources", SOURCES)]
