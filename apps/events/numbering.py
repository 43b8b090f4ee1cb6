"""A table in memory from 128-bit keys to numbers, for many keys at a time.

Open addressing with linear probing, in arrays: 40 to 80 bytes an entry, where a dictionary takes 200. Keys must be
uniformly distributed, as digests are; numbers are positive and each belongs to one key.
"""

import numpy as np

LEAST_SLOTS = 1 << 12


class NumberTable:
    def __init__(self, room: int = 0) -> None:
        self._make(room)
        self.size = 0

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._numbers.nbytes

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The number of each of `keys` (shape (n, 2), uint64), 0 where there is none; shape (n,), uint32."""
        found = np.zeros(len(keys), dtype=np.uint32)
        slots = self._first_slots(keys)
        left = np.arange(len(keys))
        while len(left):
            at = slots[left]
            numbers = self._numbers[at]
            same = (self._keys[at] == keys[left]).all(axis=1) & (numbers != 0)
            found[left[same]] = numbers[same]
            left = left[~same & (numbers != 0)]
            slots[left] = (slots[left] + 1) & self._mask
        return found

    def add(self, keys: np.ndarray, numbers: np.ndarray) -> None:
        """Keys that are not there yet, each once."""
        self.size += len(keys)
        if 2 * self.size > len(self._numbers):
            held = self._numbers != 0
            old = self._keys[held], self._numbers[held]
            self._make(self.size)
            self._place(*old)
        self._place(keys, numbers)

    def _make(self, room: int) -> None:
        slots = max(LEAST_SLOTS, 1 << (2 * room).bit_length())
        self._mask = slots - 1
        self._keys = np.zeros((slots, 2), dtype=np.uint64)
        self._numbers = np.zeros(slots, dtype=np.uint32)

    def _place(self, keys: np.ndarray, numbers: np.ndarray) -> None:
        slots = self._first_slots(keys)
        left = np.arange(len(keys))
        while len(left):
            at = slots[left]
            free = self._numbers[at] == 0
            # Of several that want one free slot the last one written has it: numbers tell whose it is.
            self._numbers[at[free]] = numbers[left[free]]
            placed = free & (self._numbers[at] == numbers[left])
            self._keys[at[placed]] = keys[left[placed]]
            left = left[~placed]
            slots[left] = (slots[left] + 1) & self._mask

    def _first_slots(self, keys: np.ndarray) -> np.ndarray:
        return (keys[:, 0] & np.uint64(self._mask)).astype(np.intp)
