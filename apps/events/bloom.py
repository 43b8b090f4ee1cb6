"""A blocked Bloom filter over 128-bit keys: "surely not there" or "perhaps there", one memory access each.

Each key sets four bits of one 64-bit word. Keys must be uniformly distributed, as digests are. At capacity (two bytes
a key) about one absent key in two hundred is taken for perhaps there. After Putze, Sanders and Singler, "Cache-, Hash-
and Space-Efficient Bloom Filters" (2007).
"""

import numpy as np

BITS_PER_KEY = 16
SHIFTS = np.array([0, 6, 12, 18], dtype=np.uint64)


class BloomFilter:
    def __init__(self, capacity: int) -> None:
        words = max(capacity, 1) * BITS_PER_KEY // 64
        self._words = np.zeros(1 << max(words - 1, 1).bit_length(), dtype=np.uint64)
        self.capacity = len(self._words) * 64 // BITS_PER_KEY
        self.size = 0

    @property
    def nbytes(self) -> int:
        return self._words.nbytes

    def add(self, keys: np.ndarray) -> None:
        """`keys`: shape (n, 2), uint64."""
        places, bits = self._places(keys)
        np.bitwise_or.at(self._words, places, bits)
        self.size += len(keys)

    def may_have(self, keys: np.ndarray) -> np.ndarray:
        """For each row of `keys` whether it may have been added; shape (n,). Never wrong about those that were."""
        places, bits = self._places(keys)
        found: np.ndarray = (self._words[places] & bits) == bits
        return found

    def _places(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = keys[:, 0] & np.uint64(len(self._words) - 1)
        bits = np.zeros(len(keys), dtype=np.uint64)
        for shift in SHIFTS:
            bits |= np.uint64(1) << ((keys[:, 1] >> shift) & np.uint64(63))
        return places.astype(np.intp), bits
