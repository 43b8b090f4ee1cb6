"""What arrives by the minute: its counts, how late it is, and when a source is silent."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.flow.histogram import BUCKETS, added, buckets_of, quantile
from apps.events.flow.silence import find_silence, usual_gap
from apps.events.flow.times import format_length

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECONDS = st.floats(min_value=0.0, max_value=3e7)


def counts_of(seconds: list[float]) -> list[int]:
    return np.bincount(buckets_of(np.array(seconds)), minlength=BUCKETS).tolist()


@given(st.lists(SECONDS, min_size=1, max_size=50), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_right_to_half_an_octave(seconds: list[float], share: float) -> None:
    exact = sorted(seconds)[int(np.ceil(share * len(seconds))) - 1]
    found = quantile(counts_of(seconds), share)
    assert found is not None
    assert found <= max(exact, 0.01) * 2**0.5 + 1e-9
    assert found >= exact / 2**0.5 - 0.01


@given(st.lists(SECONDS, max_size=20), st.lists(SECONDS, max_size=20))
def test_histograms_add_up(some: list[float], others: list[float]) -> None:
    assert added([counts_of(some), counts_of(others)]) == counts_of(some + others)


def test_without_any_there_is_no_quantile() -> None:
    assert quantile([0] * BUCKETS, 0.5) is None


def test_what_is_ahead_of_its_time_and_what_is_older_than_a_year_are_counted() -> None:
    assert buckets_of(np.array([-200.0, 1e12])).tolist() == [0, BUCKETS - 1]


@pytest.mark.parametrize(
    ("minutes", "silent_after"),
    [
        (list(range(60)), None),
        (list(range(40)), 20),
        ([0, 10, 20, 30, 40, 50], None),
        ([0, 1], None),
    ],
)
def test_a_source_that_usually_sends_is_silent_after_three_times_its_usual_pause(
    minutes: list[int], silent_after: int | None
) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in minutes]
    found = find_silence(moments[-1], NOON + timedelta(minutes=59), moments, [])
    assert (found and int(found.length.total_seconds() // 60)) == (silent_after and silent_after - 1 + 1)


def test_a_source_of_hourly_files_is_judged_by_its_hours() -> None:
    hours = [NOON - timedelta(hours=back) for back in range(5, 30)]
    found = find_silence(hours[0], NOON, hours[:1], hours)
    assert found
    assert found.usual == timedelta(hours=1)
    assert find_silence(NOON - timedelta(hours=2), NOON, [], hours) is None


def test_too_few_pauses_make_no_habit() -> None:
    assert usual_gap([NOON, NOON + timedelta(minutes=1)]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.04, "0.0 s"), (1.26, "1.3 s"), (42, "42 s"), (300, "5 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_lengths_of_time_read_well(seconds: float | None, text: str) -> None:
    assert format_length(seconds) == text
