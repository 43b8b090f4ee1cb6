"""Conversion paths become journeys whose shares sum to the path's value, whatever the channel is called."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import InvalidInput
from apps.events.formats import paths
from apps.events.formats.base import ReadOptions
from apps.events.formats.paths import read, split

HEADER = "path;total_conversions;total_conversion_value;total_null\n"
OPTIONS = ReadOptions(end=datetime(2026, 11, 21, tzinfo=UTC))


def events(rows: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in read(io.BytesIO((HEADER + rows).encode()), OPTIONS)]


@given(st.decimals(0, 10**9, places=6), st.integers(1, 200))
def test_shares_sum_to_the_value(value: Decimal, parts: int) -> None:
    shares = list(split(value, parts))
    assert len(shares) == parts
    assert sum(shares) == value


def test_a_converting_and_a_lost_journey() -> None:
    made = events("search > social;1;10.5;1\n")
    assert [one["event_type"] for one in made] == ["impression", "impression", "conversion", "impression", "impression"]
    assert made[2]["properties"] == {"revenue": 10.5}
    assert len({one["user_id"] for one in made}) == 2


def test_any_channel_name_stays_one_line_and_whole() -> None:
    made = events('"a\nb > c ""d"" \\ e";0;0;1\n')
    assert [one["source"]["channel"] for one in made] == ["a\nb", 'c "d" \\ e']  # type: ignore[index]


@pytest.mark.parametrize(
    ("rows", "events"),
    [("a;3000000000;1;0\n", "6,000,000,000"), ("a" + " > a" * 200_000 + ";1;0;50\n", "10,200,052")],
)
def test_a_line_for_billions_of_events_is_refused(rows: str, events: str) -> None:
    with pytest.raises(InvalidInput, match=f"Line 2: up to here the file stands for {events} events"):
        next(read(io.BytesIO((HEADER + rows).encode()), OPTIONS))


def test_many_lines_together_stand_for_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_EVENTS", 10)
    assert len(events("a > b;0;0;5\n")) == 10
    with pytest.raises(InvalidInput, match="Line 3: up to here the file stands for 11 events; 10 are taken at most"):
        events("a > b;0;0;5\na;0;0;1\n")
