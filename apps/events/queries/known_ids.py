"""Which of these event ids does the organisation have already?"""

from uuid import UUID

import numpy as np

from apps.events.queries.keys import upper_halves
from apps.warehouse.public import execute_binary

SQL = """
SELECT key_high, key_low
FROM event_keys
PREWHERE key_high IN (SELECT key FROM format('RowBinary', 'key UInt64', base64Decode('{keys}')))
WHERE org_id = {{org_id:UUID}} AND batch_id != {{batch_id:UUID}}
"""


def fetch(org_id: UUID, batch_id: UUID, keys: np.ndarray) -> np.ndarray:
    """For each row of `keys` (shape (n, 2), halves of 128 bits) whether another batch brought it; shape (n,)."""
    if not len(keys):
        return np.zeros(0, dtype=bool)
    sql = SQL.format(keys=upper_halves(keys))
    bound = {"batch_id": str(batch_id)}
    answer = execute_binary(org_id, "events.known_ids", sql, bound, max_query_size=len(sql) + 100_000)
    known = set(map(tuple, np.frombuffer(answer, dtype="<u8").reshape(-1, 2).tolist()))
    if not known:
        return np.zeros(len(keys), dtype=bool)
    return np.fromiter(((high, low) in known for high, low in keys.tolist()), dtype=bool, count=len(keys))
