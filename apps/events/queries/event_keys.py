"""All event ids of an organisation, as keys."""

from collections.abc import Iterator
from uuid import UUID

import numpy as np

from apps.events.queries.keys import ROWS_PER_RANGE, ranges
from apps.warehouse.public import execute, execute_binary

COUNT = "SELECT count() AS n FROM event_keys WHERE org_id = {org_id:UUID}"
SLICE = """
SELECT key_high, key_low
FROM event_keys
WHERE org_id = {org_id:UUID} AND key_high BETWEEN {first:UInt64} AND {last:UInt64}
"""


def count(org_id: UUID) -> int:
    return int(execute(org_id, "events.count_keys", COUNT)[0]["n"])


def fetch(org_id: UUID, events: int) -> Iterator[np.ndarray]:
    """All keys, shape (n, 2), a range at a time."""
    for bounds in ranges(events):
        answer = execute_binary(org_id, "events.all_keys", SLICE, bounds, max_result_rows=2 * ROWS_PER_RANGE)
        yield np.frombuffer(answer, dtype="<u8").reshape(-1, 2)
