"""Which events of all buyers carried this contributor's signals, by campaign? Crosses organisations, by name."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.warehouse.public import Audit, execute_across


@dataclass(frozen=True)
class Params:
    """Half-open span `[since, until)`; days are those of `time_zone`."""

    contributor_id: str
    since: datetime
    until: datetime
    time_zone: str


@dataclass(frozen=True)
class Row:
    day: date
    buyer_id: UUID
    campaign_id: str
    platform: str
    events: int
    impressions: int
    clicks: int
    conversions: int
    weight: float
    last_received: datetime


SQL = """
SELECT
    toDate(bucket, {time_zone:String}) AS day,
    org_id AS buyer_id,
    campaign_id,
    platform,
    sum(u.events) AS events,
    sum(u.impressions) AS impressions,
    sum(u.clicks) AS clicks,
    sum(u.conversions) AS conversions,
    sum(u.weight) AS weight,
    max(u.last_received) AS last_received
FROM signal_usage AS u
WHERE contributor_id = {contributor_id:String}
    AND bucket >= {since:DateTime('UTC')} AND bucket < {until:DateTime('UTC')}
GROUP BY day, buyer_id, campaign_id, platform
ORDER BY day, buyer_id, campaign_id, platform
"""


def fetch(params: Params, *, audit: Audit) -> list[Row]:
    """Only rows of the contributor itself; `audit` notes that buyers' usage was read."""
    rows = execute_across("earnings.signal_usage", SQL, vars(params), audit=audit)
    return [Row(**row) for row in rows]
