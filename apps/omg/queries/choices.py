"""Which values of each dimension occur in a period, the most frequent first?"""

from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import Dimension
from apps.warehouse.public import execute

MOST = 40
SQL = """
SELECT choice.1 AS dimension, choice.2 AS value, sum(events) AS events
FROM
(
    SELECT platform, channel, campaign_id, device, country, publisher, creative_id, sum(d.events) AS events
    FROM performance_detail AS d
    WHERE org_id = {org_id:UUID} AND bucket >= {start:DateTime('UTC')} AND bucket < {until:DateTime('UTC')}
    GROUP BY platform, channel, campaign_id, device, country, publisher, creative_id
)
ARRAY JOIN [
    ('platform', toString(platform)), ('channel', toString(channel)), ('campaign', toString(campaign_id)),
    ('device', toString(device)), ('country', toString(country)), ('publisher', toString(publisher)),
    ('creative', toString(creative_id))
] AS choice
GROUP BY dimension, value
ORDER BY dimension, events DESC, value
LIMIT {most:UInt32} BY dimension
"""


def fetch(org_id: UUID, period: Period) -> dict[Dimension, list[str]]:
    """Up to `MOST` + 1 values each: one too many tells that there are more."""
    found: dict[Dimension, list[str]] = {dimension: [] for dimension in Dimension}
    for row in execute(org_id, "omg.choices", SQL, {**period.bounds, "most": MOST + 1}):
        found[Dimension(row["dimension"])].append(row["value"])
    return found
