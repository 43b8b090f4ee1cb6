"""What is stored of one event?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.warehouse.public import execute

# No event has a longer one.
LONGEST_ID = 256


@dataclass(frozen=True)
class Row:
    event_id: str
    event_type: str
    timestamp: datetime
    received_at: datetime
    person_id: str
    session_id: str
    platform: str
    channel: str
    campaign_id: str
    line_item_id: str
    creative_id: str
    publisher: str
    cohort_id: str
    device: str
    country: str
    region: str
    postal_code: str
    currency: str
    revenue: Decimal
    spend: Decimal
    contributor_ids: list[str]
    contributor_signals: list[str]
    contributor_weights: list[float]
    consent: str
    properties: str
    batch_id: UUID
    content_hash: str


COLUMNS = ", ".join(f"e.{name}" for name in Row.__dataclass_fields__ if name != "content_hash")
# The id's key leads to its batch: an event's own place in `events` is by time, which nobody who asks knows.
SQL = f"""
WITH unhex({{event_id:String}}) AS wanted, SHA256(unhex({{event_id:String}})) AS digest
SELECT {COLUMNS}, lower(hex(e.content_hash)) AS content_hash
FROM events AS e
WHERE e.org_id = {{org_id:UUID}} AND e.event_id = wanted AND e.batch_id IN (
    SELECT batch_id
    FROM event_keys
    WHERE org_id = {{org_id:UUID}}
        AND key_high = reinterpretAsUInt64(substring(digest, 1, 8))
        AND key_low = reinterpretAsUInt64(substring(digest, 9, 8))
)
ORDER BY e.received_at DESC
LIMIT 1
"""  # noqa: S608 - the columns are those of `Row`


def fetch(org_id: UUID, event_id: str) -> Row | None:
    if len(event_id) > LONGEST_ID:
        return None
    rows = execute(org_id, "events.one_event", SQL, {"event_id": event_id.encode().hex()})
    return Row(**{name.removeprefix("e."): value for name, value in rows[0].items()}) if rows else None
