"""How figures read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.figures import (
    change_of,
    format_age,
    format_exact,
    format_value,
    money_places,
    shorten,
    spark_points,
    tone_of,
)
from apps.common.money import format_money


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("1284310.4", "money", "$1,284,310"),
        ("67.8", "money", "$67.80"),
        ("-0.004", "money", "$0.00"),
        ("0.0057", "percent", "0.57 %"),
        ("3.4249", "ratio", "3.42"),
        ("18942", "count", "18,942"),
        (None, "money", "–"),
    ],
)
def test_values(value: str | None, unit: str, text: str) -> None:
    assert format_value(None if value is None else Decimal(value), unit, "USD") == text  # type: ignore[arg-type]


def test_a_currency_without_a_sign_leads_with_its_code_and_yen_has_no_cents() -> None:
    assert format_money(Decimal("12.5"), "CHF") == "CHF 12.50"
    assert format_money(Decimal("1250.6"), "JPY") == "¥1,251"


@pytest.mark.parametrize(
    ("now", "before", "unit", "text"),
    [
        ("104.2", "100", "money", "+4.2 %"),
        ("95.5", "100", "count", "−4.5 %"),
        ("0.729", "0.718", "percent", "+1.1 pt"),
        ("0.0058", "0.0062", "percent", "−0.04 pt"),
        ("0.0058", "0.0058", "percent", "±0.00 pt"),
        ("5", "0", "count", ""),
        ("100", "100", "count", "±0.0 %"),
    ],
)
def test_changes(now: str, before: str, unit: str, text: str) -> None:
    assert change_of(Decimal(now), Decimal(before), unit) == text  # type: ignore[arg-type]


def test_a_falling_cost_is_good() -> None:
    assert tone_of(Decimal(1), Decimal(2), "money", "down") == "good"
    assert tone_of(Decimal(1), Decimal(2), "count", "up") == "bad"
    assert tone_of(Decimal(1), Decimal(2), "money", "neither") == "neutral"


@pytest.mark.parametrize(
    ("now", "before", "unit"),
    [("100.04", "100", "money"), ("0.05996", "0.06", "percent"), ("0.00499", "0.005", "percent")],
)
def test_a_change_that_shows_as_nothing_is_neither_good_nor_bad(now: str, before: str, unit: str) -> None:
    assert change_of(Decimal(now), Decimal(before), unit).startswith("±")  # type: ignore[arg-type]
    assert tone_of(Decimal(now), Decimal(before), unit, "up") == "neutral"  # type: ignore[arg-type]


def test_exact_says_when_it_stops_at_six_decimals() -> None:
    assert format_exact(Decimal("74802.971587000000"), "USD") == "Exactly 74,802.971587 USD"
    assert format_exact(Decimal("5.147865238277511961722488038"), "USD") == "To six decimals 5.147865 USD"
    assert format_exact(Decimal(6)) == "Exactly 6"


def test_a_ratio_has_at_most_six_decimals() -> None:
    assert f"{shorten(Decimal(1) / 3):f}" == "0.333333"
    assert f"{shorten(Decimal('2.50')):f}" == "2.5"


def test_a_column_of_money_has_one_precision() -> None:
    assert money_places([Decimal(3908), Decimal("814.32"), None], "USD") == 2
    assert money_places([Decimal(3908), Decimal(1000), Decimal(0)], "USD") == 0
    assert money_places([Decimal("814.32")], "JPY") == 0


def test_ages() -> None:
    assert [format_age(seconds) for seconds in (40, 125, 7_300, 200_000)] == [
        "40 s ago",
        "2 min ago",
        "2 h ago",
        "2 d ago",
    ]


@given(st.lists(st.one_of(st.none(), st.decimals(-1_000_000, 1_000_000, places=4)), max_size=60))
def test_sparklines_stay_in_their_box(values: list[Decimal | None]) -> None:
    for point in spark_points(values).split():
        x, y = (float(part) for part in point.split(","))
        assert 0 <= x <= 100
        assert 0 <= y <= 28
