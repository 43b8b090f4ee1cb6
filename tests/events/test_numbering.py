"""The table of numbers says what a dictionary would say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.events.numbering import LEAST_SLOTS, NumberTable

# Few low bits differ, so that probing runs into neighbours, over the end of the table too.
KEY = st.tuples(st.sampled_from([0, 1, LEAST_SLOTS - 1, LEAST_SLOTS, 2 * LEAST_SLOTS - 1]), st.integers(0, 30))
ROUNDS = st.lists(st.sets(KEY, max_size=40), max_size=6)


def array(keys: list[tuple[int, int]]) -> np.ndarray:
    return np.array(keys, dtype=np.uint64).reshape(-1, 2)


@given(ROUNDS)
def test_it_is_a_dictionary(rounds: list[set[tuple[int, int]]]) -> None:
    table, held = NumberTable(), dict[tuple[int, int], int]()
    for keys in rounds:
        new = [key for key in keys if key not in held]
        numbers = range(len(held) + 1, len(held) + 1 + len(new))
        held.update(zip(new, numbers, strict=True))
        table.add(array(new), np.array(numbers, dtype=np.uint32))
        asked = [*keys, (7, 7)]
        assert table.find(array(asked)).tolist() == [held.get(key, 0) for key in asked]


def test_it_grows() -> None:
    table, keys = NumberTable(), np.random.default_rng(1).integers(0, 1 << 63, (50_000, 2), dtype=np.uint64)
    for first in range(0, 50_000, 10_000):
        part = slice(first, first + 10_000)
        table.add(keys[part], np.arange(first + 1, first + 10_001, dtype=np.uint32))
    assert (table.find(keys) == np.arange(1, 50_001)).all()
    assert not table.find(keys + np.uint64(1)).any()
