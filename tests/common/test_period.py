"""Periods: which days, up to when, and what they are compared with."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from apps.common.comparison import Extent, compare
from apps.common.errors import InvalidInput
from apps.common.period import Period, read_period

# 03:52 in New York.
NOW = datetime(2026, 11, 21, 8, 52, tzinfo=UTC)
NEW_YORK = "America/New_York"


def read(now: datetime = NOW, time_zone: str = NEW_YORK, **query: str) -> Period:
    return read_period(query, time_zone=time_zone, now=now)


def row(day: date, *, compared: bool = True) -> Any:
    return SimpleNamespace(day=day, compared=compared)


def test_a_period_with_today_compares_up_to_the_same_time_of_day() -> None:
    period = read(range="7d")
    assert period.cut == datetime(2026, 11, 21, 8, 45, tzinfo=UTC)
    assert period.previous_cut == datetime(2026, 11, 14, 8, 45, tzinfo=UTC)
    assert period.today == date(2026, 11, 21)
    assert period.comparison == "the 7 days before up to the same hour"


def test_the_same_time_of_day_is_that_of_clocks_that_were_changed_in_between() -> None:
    # Clocks went back on 1 November: 03:45 was at 07:45 UTC before.
    assert read(range="30d").previous_cut == datetime(2026, 10, 22, 7, 45, tzinfo=UTC)


def test_a_period_that_is_over_compares_whole() -> None:
    period = read(start="2026-11-01", end="2026-11-20")
    assert (period.cut, period.previous_cut, period.today) == (period.until, period.since, None)
    assert period.comparison == "the 20 days before"


def test_a_period_that_goes_on_after_today_compares_what_has_passed() -> None:
    period = read(start="2026-11-20", end="2026-11-23")
    assert period.previous_cut == datetime(2026, 11, 17, 8, 45, tzinfo=UTC)
    assert period.today == date(2026, 11, 21)


def test_a_period_that_has_not_begun_compares_nothing() -> None:
    period = read(start="2030-01-01", end="2030-01-05")
    assert (period.cut, period.today) == (period.since, None)
    assert period.previous_cut == period.previous.since


@pytest.mark.parametrize("time_zone", ["Asia/Kathmandu", "Pacific/Chatham", "UTC"])
def test_cuts_are_at_quarters_of_an_hour_in_every_zone(time_zone: str) -> None:
    period = read(time_zone=time_zone)
    assert [cut.timestamp() % 900 for cut in (period.cut, period.previous_cut)] == [0, 0]


def test_days_without_the_last_one_while_it_lasts() -> None:
    period = read(range="7d")
    rows = compare([row(day) for day in period.dates], period, None)
    assert rows.past_days == period.dates[:-1]


def test_what_has_no_counterpart_counts_but_does_not_compare() -> None:
    period = read(range="7d")
    last, before = period.end, period.previous.end
    rows = [row(last), row(last, compared=False), row(before), row(before, compared=False)]
    compared = compare(rows, period, Extent(before - timedelta(days=9), last, NOW))
    assert (len(compared.current), len(compared.so_far), len(compared.before)) == (2, 1, 1)
    assert compared.note == ""


@pytest.mark.parametrize(
    ("days_late", "note"), [(0, ""), (9, ""), (10, "data begins 5 June"), (89, "data begins 23 August")]
)
def test_a_period_that_data_does_not_cover_is_not_compared_with(days_late: int, note: str) -> None:
    period = read(range="90d")
    first = period.previous.start + timedelta(days=days_late)
    assert compare([row(first)], period, Extent(first, period.end, NOW)).note == note


def test_a_period_with_data_only_before_it_and_the_one_before_says_so() -> None:
    period = read(range="7d")
    rows = [row(period.start)]
    assert compare(rows, period, Extent(date(2026, 1, 1), period.end, NOW)).note == "no data in the days before"
    assert compare(rows, period, Extent(period.start, period.end, NOW)).note == "no data before"


def test_a_day_without_events_is_not_the_beginning_of_data() -> None:
    period = read(range="7d")
    rows = [row(period.previous.start + timedelta(days=3))]
    assert compare(rows, period, Extent(date(2026, 1, 1), period.end, NOW)).note == ""


def test_utc_is_a_time_already() -> None:
    assert read(time_zone="UTC").zone_label == "UTC"
    assert read().zone_label == "New York time"


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-11-20", "2026-11-01", "must not end before it begins: 20 November 2026 to 1 November 2026"),
        ("2020-01-01", "2026-01-01", "must be at most 731 days long; this one has 2,193"),
        ("1960-01-01", "1960-01-02", "must be within 1971 to 2100"),
        ("2026-11-20", "", "must both be days"),
    ],
)
def test_days_that_make_no_range_are_refused_with_the_reason(start: str, end: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read(start=start, end=end)
