"""How did the organisation's media do, by day and by one dimension, in a span of time?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from apps.warehouse.public import execute


class Dimension(StrEnum):
    PLATFORM = "platform"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"


COLUMNS: Mapping[Dimension, str] = {
    Dimension.PLATFORM: "platform",
    Dimension.CHANNEL: "channel",
    Dimension.CAMPAIGN: "campaign_id",
}


@dataclass(frozen=True)
class Params:
    """Half-open span `[since, until)`; days are those of `time_zone`."""

    since: datetime
    until: datetime
    time_zone: str
    dimension: Dimension


@dataclass(frozen=True)
class Row:
    day: date
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
    {column} AS name,
    currency,
    sum(p.events) AS events,
    sum(p.impressions) AS impressions,
    sum(p.clicks) AS clicks,
    sum(p.conversions) AS conversions,
    sum(p.revenue) AS revenue,
    sum(p.spend) AS spend,
    max(p.last_received) AS last_received
FROM performance AS p
WHERE org_id = {{org_id:UUID}} AND bucket >= {{since:DateTime('UTC')}} AND bucket < {{until:DateTime('UTC')}}
GROUP BY day, name, currency
ORDER BY day, name, currency
"""


def fetch(org_id: UUID, params: Params) -> list[Row]:
    sql = SQL.format(column=COLUMNS[params.dimension])
    bound = {"since": params.since, "until": params.until, "time_zone": params.time_zone}
    return [Row(**row) for row in execute(org_id, "omg.performance", sql, bound)]
