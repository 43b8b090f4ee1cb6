"""Ranges of keys: together all that there are, each key in one."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from apps.events.queries.keys import ROWS_PER_RANGE, ranges


@given(st.integers(0, 50 * ROWS_PER_RANGE))
def test_ranges_are_of_equal_size_and_leave_no_key_out(rows: int) -> None:
    found = list(ranges(rows))
    assert len(found) == rows // ROWS_PER_RANGE + 1
    assert (found[0]["first"], found[-1]["last"]) == (0, 2**64 - 1)
    assert all(before["last"] + 1 == after["first"] for before, after in pairwise(found))
    sizes = [one["last"] - one["first"] for one in found]
    assert max(sizes) - min(sizes) <= 1
