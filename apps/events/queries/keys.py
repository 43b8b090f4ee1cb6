"""Keys of 128 bits as questions name them: many of them as one literal, all of them in ranges.

No question of its own: `event_keys`, `known_ids` and `person_numbers` ask.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping

import numpy as np

ROWS_PER_RANGE = 1_000_000
WHOLE = 1 << 64


def ranges(rows: int) -> Iterator[Mapping[str, int]]:
    """Bounds of the upper half, so that about a million of `rows` are within each: keys are uniform."""
    count = rows // ROWS_PER_RANGE + 1
    for place in range(count):
        yield {"first": WHOLE * place // count, "last": WHOLE * (place + 1) // count - 1}


def literal(data: bytes) -> str:
    """RowBinary as it stands in SQL within `base64Decode('…')`: a bound list of this length does not fit into a URL,
    and a list of 50,000 numbers takes the engine's parser longer than the look-up."""
    return b64encode(data).decode()


def upper_halves(keys: np.ndarray) -> str:
    """Of `keys` (shape (n, 2)), as a literal of UInt64."""
    return literal(keys[:, 0].astype("<u8").tobytes())
