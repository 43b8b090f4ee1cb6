"""Which of these event ids does the organisation have already?"""

import struct
from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.warehouse.public import execute

Key = tuple[int, int]

SQL = """
SELECT key_high, key_low
FROM event_keys
WHERE org_id = {{org_id:UUID}} AND batch_id != {{batch_id:UUID}}
    AND key_high IN (SELECT key FROM format('RowBinary', 'key UInt64', unhex('{keys}')))
"""


def fetch(org_id: UUID, batch_id: UUID, keys: Sequence[Key]) -> set[Key]:
    """Those of `keys` (128 bits of an id's SHA-256, in two halves) that another batch brought.

    The upper halves stand in the SQL as one hexadecimal literal: a bound list of this length does not fit into a URL,
    and a list of 50,000 numbers takes the engine's parser longer than the look-up.
    """
    if not keys:
        return set()
    packed = struct.pack(f"<{len(keys)}Q", *(high for high, _ in keys))
    sql = SQL.format(keys=packed.hex())
    params: Mapping[str, str] = {"batch_id": str(batch_id)}
    wanted = set(keys)
    found = execute(org_id, "events.known_ids", sql, params, max_query_size=len(sql) + 100_000)
    return {key for row in found if (key := (row["key_high"], row["key_low"])) in wanted}
