"""Which events of all buyers carried this contributor's signals, by campaign? Crosses organisations, by name."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.common.period import Period
from apps.warehouse.public import Audit, execute_across


@dataclass(frozen=True)
class Row:
    """`compared`: these quarters of an hour have a counterpart in the other of the two periods."""

    day: date
    compared: bool
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
    (bucket < {previous_cut:DateTime('UTC')}
        OR bucket >= {start:DateTime('UTC')} AND bucket < {cut:DateTime('UTC')})::Bool AS compared,
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
GROUP BY day, compared, buyer_id, campaign_id, platform
ORDER BY day, compared, buyer_id, campaign_id, platform
"""


def fetch(contributor_id: str, period: Period, *, audit: Audit) -> list[Row]:
    """Rows of the contributor itself in the period and the one before it; `audit` notes that usage was read."""
    bound = {**period.bounds, "contributor_id": contributor_id}
    rows = execute_across("earnings.signal_usage", SQL, bound, audit=audit)
    return [Row(**row) for row in rows]
