"""Which of these events are stored, and by which arrival?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.events.queries.keys import literal
from apps.warehouse.public import execute


@dataclass(frozen=True)
class Row:
    event_id: str
    received_at: datetime
    content_hash: str


# The times are those of the events: they lead the sorting key after the organisation.
SOME = """
SELECT event_id, received_at, lower(hex(content_hash)) AS content_hash
FROM events
WHERE org_id = {{org_id:UUID}}
    AND event_id IN (SELECT id FROM format('RowBinary', 'id String', base64Decode('{ids}')))
    AND timestamp >= {{since:DateTime64(6, 'UTC')}} AND timestamp <= {{until:DateTime64(6, 'UTC')}}
ORDER BY received_at
LIMIT 1 BY event_id
"""


def fetch(org_id: UUID, events: Sequence[tuple[str, datetime]]) -> dict[str, Row]:
    """By event id; each is asked for with the time at which it happened."""
    if not events:
        return {}
    moments = [moment for _, moment in events]
    bound = {"since": min(moments) - timedelta(milliseconds=1), "until": max(moments) + timedelta(milliseconds=1)}
    sql = SOME.format(ids=literal(b"".join(map(_row_binary, {event_id for event_id, _ in events}))))
    rows = execute(org_id, "events.stored_events", sql, bound, max_query_size=len(sql) + 100_000)
    return {row["event_id"]: Row(**row) for row in rows}


def _row_binary(text: str) -> bytes:
    """A string as RowBinary has it: its length in groups of seven bits, the lowest first, and its bytes."""
    value = text.encode("utf-8", "surrogatepass")
    size, head = len(value), bytearray()
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*head, size]) + value
