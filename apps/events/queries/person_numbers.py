"""Which number has each of these persons, or all persons, of the organisation?"""

from base64 import b64encode
from collections.abc import Iterator
from uuid import UUID

import numpy as np

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
ROWS_PER_SLICE = 1_000_000
WHOLE = 1 << 64


def extent(org_id: UUID) -> tuple[int, int]:
    """About how many persons there are (never too few), and the highest number given out."""
    row = execute(org_id, "events.persons_extent", EXTENT)[0]
    return int(row["persons"]), int(row["last"])


def fetch_all(org_id: UUID, persons: int) -> Iterator[np.ndarray]:
    """Rows of `ROW`, in slices of about a million: keys are uniform, so that equal ranges have equal sizes."""
    slices = persons // ROWS_PER_SLICE + 1
    for place in range(slices):
        bounds = {"first": WHOLE * place // slices, "last": WHOLE * (place + 1) // slices - 1}
        answer = execute_binary(org_id, "events.all_persons", SLICE, bounds, max_result_rows=2 * ROWS_PER_SLICE)
        yield np.frombuffer(answer, dtype=ROW)


def fetch(org_id: UUID, keys: np.ndarray) -> np.ndarray:
    """Rows of `ROW` for those of `keys` (shape (n, 2)) that have a number; and perhaps some for others.

    The keys stand in the SQL as one literal, see `known_ids`.
    """
    sql = SOME.format(keys=b64encode(keys[:, 0].astype("<u8").tobytes()).decode())
    answer = execute_binary(org_id, "events.some_persons", sql, max_query_size=len(sql) + 100_000)
    return np.frombuffer(answer, dtype=ROW)
