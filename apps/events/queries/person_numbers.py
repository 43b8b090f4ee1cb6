"""Which number has each of these persons, or all persons, of the organisation?"""

from collections.abc import Iterator
from uuid import UUID

import numpy as np

from apps.events.queries.keys import ROWS_PER_RANGE, ranges, upper_halves
from apps.warehouse.public import execute, execute_binary

EXTENT = "SELECT count() AS persons, max(number) AS last FROM persons WHERE org_id = {org_id:UUID}"
SLICE = """
SELECT key_high, key_low, number
FROM persons
WHERE org_id = {org_id:UUID} AND key_high BETWEEN {first:UInt64} AND {last:UInt64}
"""
SOME = """
SELECT key_high, key_low, number
FROM persons
PREWHERE key_high IN (SELECT key FROM format('RowBinary', 'key UInt64', base64Decode('{keys}')))
WHERE org_id = {{org_id:UUID}}
"""
ROW = np.dtype([("key", "<u8", 2), ("number", "<u4")])


def extent(org_id: UUID) -> tuple[int, int]:
    """About how many persons there are (never too few), and the highest number given out."""
    row = execute(org_id, "events.persons_extent", EXTENT)[0]
    return int(row["persons"]), int(row["last"])


def fetch_all(org_id: UUID, persons: int) -> Iterator[np.ndarray]:
    """Rows of `ROW`, a range of keys at a time."""
    for bounds in ranges(persons):
        answer = execute_binary(org_id, "events.all_persons", SLICE, bounds, max_result_rows=2 * ROWS_PER_RANGE)
        yield np.frombuffer(answer, dtype=ROW)


def fetch(org_id: UUID, keys: np.ndarray) -> np.ndarray:
    """Rows of `ROW` for those of `keys` (shape (n, 2)) that have a number; and perhaps some for others."""
    sql = SOME.format(keys=upper_halves(keys))
    answer = execute_binary(org_id, "events.some_persons", sql, max_query_size=len(sql) + 100_000)
    return np.frombuffer(answer, dtype=ROW)
