"""Times as counts in 64 half octaves from 10 milliseconds to a year: small to keep, exact to add up, good to a fifth.

Pure: no Django, no I/O.
"""

from collections.abc import Iterable, Sequence

import numpy as np

BUCKETS = 64
LEAST = 0.01


def buckets_of(seconds: np.ndarray) -> np.ndarray:
    """The bucket of each; what is ahead of its time falls into the first, what is older than a year into the last."""
    halves = np.ceil(2 * np.log2(np.maximum(seconds, LEAST) / LEAST))
    found: np.ndarray = np.clip(halves, 0, BUCKETS - 1).astype(np.int64)
    return found


def upper_edge(bucket: int) -> float:
    """The longest time in a bucket, in seconds."""
    return float(LEAST * 2 ** (bucket / 2))


def added(histograms: Iterable[Sequence[int]]) -> list[int]:
    total = [0] * BUCKETS
    for counts in histograms:
        total = [one + other for one, other in zip(total, counts, strict=True)]
    return total


def quantile(counts: Sequence[int], share: float) -> float | None:
    """The time in seconds that a `share` of all do not exceed, evened out within its bucket; None without any."""
    wanted, below = share * sum(counts), 0
    for bucket, count in enumerate(counts):
        if count and below + count >= wanted:
            low = upper_edge(bucket - 1) if bucket else 0.0
            return low + (upper_edge(bucket) - low) * (wanted - below) / count
        below += count
    return None
