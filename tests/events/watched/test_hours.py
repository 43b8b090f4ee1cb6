"""For which hour a file is, and which hours are complete: pure functions, tables by hand."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import InvalidInput
from apps.events.watched.completeness import Completeness, Delivery, Grid, Outcome, Rule, grid_of
from apps.events.watched.names import hour_of

HOUR = timedelta(hours=1)
NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "hour"),
    [
        ("ttd/impressions/2026-11-24/13/part-0.log.gz", "2026-11-24T13:00"),
        ("impressions_abc_V1_20261124T130500_7f.log.gz", "2026-11-24T13:00"),
        (
            "impressions_partner_V5_1_2026-11-24T130002_2026-11-24T140004_2026-11-24T142211_0a1b2c.log.gz",
            "2026-11-24T13:00",
        ),
        ("wins/date=2026-11-24/hour=13/win_log_0001.csv.gz", "2026-11-24T13:00"),
        ("logs/2026/11/24/13/bids.csv", "2026-11-24T13:00"),
        ("account1_impression_2026112413_20261124_234912_218.csv.gz", "2026-11-24T13:00"),
        ("win-2026-11-24_13.csv", "2026-11-24T13:00"),
        ("win-20261124-1359.csv", "2026-11-24T13:00"),
        ("win-2026-11-24.csv", None),
        ("win-2026-13-24T25.csv", None),
        ("order-123456789012345678.csv", None),
        ("plain.csv", None),
    ],
)
def test_the_hour_is_read_from_names_as_vendors_give_them(path: str, hour: str | None) -> None:
    assert hour_of(path) == (utc(hour) if hour else None)


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("win-2026-11-24.csv", "2026-11-24"),
        ("date=2026-11-24/win.csv", "2026-11-24"),
        ("2026/11/24/win.csv", "2026-11-24"),
        ("date=2026-11-24/hour=13/win.csv", "2026-11-24"),
        ("plain.csv", None),
    ],
)
def test_a_daily_file_is_for_the_day_that_it_names(path: str, day: str | None) -> None:
    assert hour_of(path, daily=True) == (utc(day) if day else None)


def test_a_pattern_of_ones_own_reads_what_no_table_knows() -> None:
    assert hour_of("a/24.11.2026/h13_x.csv", own="%d.%m.%Y/h%H*.csv") == utc("2026-11-24T13:00")
    assert hour_of("x20261124130000-0500.csv", own="x%Y%m%d%H%M%S%z") == utc("2026-11-24T18:00")
    assert hour_of("x20261124130000+0530.csv", own="x%Y%m%d%H%M%S%z") == utc("2026-11-24T07:00")
    assert hour_of("other.csv", own="%Y%m%d%H") is None


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("%Y-%m-%d", "lacks %H"),
        ("win.csv", "lacks %Y, %m, %d, %H"),
        ("%Y%m%d%H%q", "%q, which is not known"),
        ("%Y%m%d%H%", "which is not known"),
        ("%Y/%Y%m%d%H", "%Y twice"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(own: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        hour_of("x", own=own)


@given(st.text(max_size=80), st.text(max_size=60))
def test_no_name_and_no_pattern_breaks_it(path: str, own: str) -> None:
    assert hour_of(path) is None or hour_of(path).tzinfo is UTC  # type: ignore[union-attr]
    with suppress(InvalidInput):
        hour_of(path, own=own)


def rule(**changes: Any) -> Rule:
    return Rule(**{"cadence": "hourly", "lateness": HOUR, "since": utc("2026-01-01"), **changes})


def delivered(hour: str, *, after: float = 1.2, outcome: Outcome = Outcome.IMPORTED, **more: Any) -> Delivery:
    """A file that came `after` hours after the start of its hour."""
    return Delivery(utc(hour), utc(hour) + after * HOUR, outcome, **more)


def states(grid: Grid) -> dict[str, str]:
    return {f"{slot.start:%d %H}": slot.state for day in grid.days for slot in day.slots}


# Noon of a day in UTC: hours up to 10 are due (lateness 1 h), 11 and 12 may still come, 13 to 23 are not begun.
NOW = utc("2026-11-24T12:00")


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        ([], Completeness.MISSING),
        ([delivered("2026-11-24T05:00")], Completeness.RECEIVED),
        ([delivered("2026-11-24T05:00", after=2.0)], Completeness.RECEIVED),
        ([delivered("2026-11-24T05:00", after=2.01)], Completeness.LATE),
        ([delivered("2026-11-24T05:00"), delivered("2026-11-24T05:00", after=3)], Completeness.LATE),
        ([delivered("2026-11-24T05:00"), delivered("2026-11-24T05:00", after=5, replay=True)], Completeness.REPLAYED),
        ([delivered("2026-11-24T05:00", outcome=Outcome.WAITING)], Completeness.ARRIVING),
        (
            [delivered("2026-11-24T05:00"), delivered("2026-11-24T05:00", outcome=Outcome.FAILED)],
            Completeness.FAILED,
        ),
        (
            [
                delivered("2026-11-24T05:00", outcome=Outcome.WAITING),
                delivered("2026-11-24T05:00", outcome=Outcome.FAILED),
            ],
            Completeness.FAILED,
        ),
    ],
)
def test_an_hour_by_what_came_for_it(deliveries: list[Delivery], expected: Completeness) -> None:
    assert states(grid_of(deliveries, rule(), now=NOW, time_zone="UTC"))["24 05"] == expected


def test_an_hour_without_a_file_is_missing_only_once_it_is_due() -> None:
    found = states(grid_of([], rule(since=utc("2026-11-24T03:00")), now=NOW, time_zone="UTC"))
    assert [found[f"24 {hour:02}"] for hour in (2, 3, 10, 11, 12, 13)] == [
        "nothing", "missing", "missing", "expected", "expected", "nothing",
    ]  # fmt: skip
    assert found["23 23"] == "nothing"


def test_the_sentence_counts_what_is_due() -> None:
    hours = [f"2026-11-24T{hour:02}:00" for hour in range(11)]
    on_time = [delivered(hour) for hour in hours]
    since = rule(since=utc(hours[0]))
    grid = grid_of(on_time, since, now=NOW, time_zone="UTC")
    assert grid.sentence == "All 11 hours are complete"
    grid = grid_of([*on_time[3:], delivered(hours[0], after=9)], since, now=NOW, time_zone="UTC")
    assert grid.sentence == "9 of 11 hours arrived, 1 of them late; 2 missing"
    late = [delivered(hour, after=9) for hour in hours]
    assert grid_of(late, since, now=NOW, time_zone="UTC").sentence == "11 of 11 hours arrived, 11 of them late"
    assert grid_of([], rule(since=NOW), now=NOW, time_zone="UTC").sentence == "No hour has come due yet"


def test_what_is_from_before_the_folder_was_watched_is_neither_late_nor_due() -> None:
    made = rule(since=utc("2026-11-24T08:00"), watched_since=utc("2026-11-24T10:00"))
    came = [delivered("2026-11-24T08:00", after=3), delivered("2026-11-24T09:00"), delivered("2026-11-24T10:00")]
    grid = grid_of(came, made, now=NOW, time_zone="UTC")
    found = states(grid)
    assert [found[f"24 {hour:02}"] for hour in (8, 9, 10)] == ["backfill", "received", "received"]
    assert grid.sentence == "All 2 hours are complete; 1 from before it was watched"


def test_a_whole_week_has_168_hours() -> None:
    grid = grid_of([], rule(lateness=timedelta()), now=utc("2026-11-24T23:59:59"), time_zone="UTC")
    assert len(states(grid)) == 168
    assert grid.due == 167


@pytest.mark.parametrize(
    ("day", "hours", "of_clock_hour"),
    [
        ("2026-03-08", 23, {1: ["06"], 2: [], 3: ["07"]}),  # clocks go from 01:59 EST to 03:00 EDT
        ("2026-11-01", 25, {0: ["04"], 1: ["05", "06"], 2: ["07"]}),  # 01:00 to 01:59 is there twice
        ("2026-11-02", 24, {0: ["05"], 2: ["07"]}),
    ],
)
def test_days_on_which_clocks_change(day: str, hours: int, of_clock_hour: dict[int, list[str]]) -> None:
    now = utc(day) + timedelta(days=1, hours=4, minutes=30)
    (shown,) = [one for one in grid_of([], rule(), now=now, time_zone=NEW_YORK).days if one.date.isoformat() == day]
    assert len(shown.slots) == hours
    for clock, starts in of_clock_hour.items():
        assert [f"{slot.start:%H}" for slot in shown.hours[clock]] == starts
    assert all(after.start - before.start == HOUR for before, after in zip(shown.slots, shown.slots[1:], strict=False))


def test_the_hour_that_is_there_twice_is_two_hours() -> None:
    grid = grid_of([delivered("2026-11-01T05:00")], rule(), now=utc("2026-11-01T12:00"), time_zone=NEW_YORK)
    first, second = grid.days[-1].hours[1]
    assert (first.state, second.state) == ("received", "missing")
    assert (f"{first.local:%H %Z}", f"{second.local:%H %Z}") == ("01 EDT", "01 EST")


def test_a_zone_off_by_half_an_hour_keeps_whole_hours_of_utc() -> None:
    grid = grid_of([], rule(), now=NOW, time_zone="Asia/Kolkata")
    assert {len(day.slots) for day in grid.days} == {24}
    assert {slot.local.minute for day in grid.days for slot in day.slots} == {30}


def test_a_daily_file_counts_for_its_date_in_the_organisations_zone() -> None:
    daily = rule(cadence="daily", lateness=6 * HOUR)
    came = [Delivery(utc("2026-11-22"), utc("2026-11-23T09:00"), Outcome.IMPORTED)]
    grid = grid_of(came, daily, now=utc("2026-11-24T12:00"), time_zone=NEW_YORK)
    found = {day.date.isoformat(): day.slots[0].state for day in grid.days}
    # The 23rd ends at 05:00 UTC of the 24th, and its file may come until 11:00.
    assert [found[f"2026-11-{day}"] for day in (21, 22, 23, 24)] == ["missing", "received", "missing", "expected"]
    assert grid.sentence == "1 of 6 days arrived; 5 missing"


def test_without_a_cadence_nothing_is_missing_or_late() -> None:
    grid = grid_of([delivered("2026-11-24T05:00", after=50)], rule(cadence="none"), now=NOW, time_zone="UTC")
    assert set(states(grid).values()) == {"nothing", "received"}


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),
    st.sampled_from(["UTC", NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_every_hour_of_the_week_stands_in_the_grid_once(now: datetime, zone: str) -> None:
    grid = grid_of([], rule(), now=now.replace(tzinfo=UTC), time_zone=zone)
    starts = [slot.start for day in grid.days for slot in day.slots]
    assert len(starts) == len(set(starts))
    assert starts == [starts[0] + HOUR * place for place in range(len(starts))]
    assert 167 <= len(starts) <= 169
