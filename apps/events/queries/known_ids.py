"""Which of these event ids does the organisation have already?"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.warehouse.public import execute

Key = tuple[int, int]

SQL = """
SELECT key_high, key_low
FROM event_keys
WHERE org_id = {{org_id:UUID}} AND batch_id != {{batch_id:UUID}} AND key_high IN ({keys})
"""


def fetch(org_id: UUID, batch_id: UUID, keys: Sequence[Key]) -> set[Key]:
    """Those of `keys` (128 bits of an id's SHA-256, in two halves) that another batch brought.

    The halves stand in the SQL as plain integers: a bound list of this length would not fit into a URL.
    """
    if not keys:
        return set()
    sql = SQL.format(keys=",".join(str(int(high)) for high, _ in keys))
    params: Mapping[str, str] = {"batch_id": str(batch_id)}
    wanted = set(keys)
    found = execute(org_id, "events.known_ids", sql, params, max_query_size=len(sql) + 100_000)
    return {key for row in found if (key := (row["key_high"], row["key_low"])) in wanted}
