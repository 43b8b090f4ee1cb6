"""The filter in front of the table of ids: it never forgets, and is seldom wrong."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.events.bloom import BloomFilter

KEYS = arrays(np.uint64, st.tuples(st.integers(0, 60), st.just(2)))


@given(KEYS, KEYS)
def test_what_was_added_is_always_there(first: np.ndarray, second: np.ndarray) -> None:
    known = BloomFilter(100)
    known.add(first)
    known.add(second)
    assert known.may_have(np.concatenate([first, second])).all()


@given(KEYS)
def test_an_empty_filter_has_nothing(keys: np.ndarray) -> None:
    assert not BloomFilter(100).may_have(keys).any()


def test_at_capacity_one_in_a_hundred_at_most_is_mistaken() -> None:
    random = np.random.default_rng(7)
    known = BloomFilter(100_000)
    known.add(random.integers(0, 2**64, (known.capacity, 2), dtype=np.uint64))
    others = random.integers(0, 2**64, (100_000, 2), dtype=np.uint64)
    assert known.may_have(others).mean() < 0.01
