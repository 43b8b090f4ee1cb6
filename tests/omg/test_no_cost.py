"""Where no event carried a cost nothing is said of costs: what is not known is not 0."""

from datetime import date
from decimal import Decimal

import pytest

from apps.common.comparison import compare
from apps.common.period import Period
from apps.omg.overview import NO_COST, Data, breakdown, figures, trend
from apps.omg.queries.performance import Row
from apps.omg.queries.reach import Reach
from tests.support.world import YESTERDAY_NOON

DAY = date(2026, 1, 1)
ABOUT_COSTS = {"spend", "cpm", "cpa", "roas"}


def seen(name: str, spend: int = 0) -> Row:
    return Row(DAY, True, name, "USD", 9, 4, 2, 1, Decimal(5), Decimal(spend), YESTERDAY_NOON)


def data(*rows: Row) -> Data:
    persons = dict.fromkeys(Reach.__dataclass_fields__)
    return Data(compare(list(rows), Period(DAY, DAY, "UTC"), None), "USD", Reach(**persons))  # type: ignore[arg-type]


def test_tiles_say_that_no_cost_was_received() -> None:
    told = {one.key: one for one in figures(data(seen("a")))}
    assert {key for key, one in told.items() if one.note == NO_COST} == ABOUT_COSTS
    assert {told[key].value for key in ABOUT_COSTS} == {"–"}
    assert told["spend"].exact == "No cost received"
    assert told["revenue"].value == "$5.00"


def test_with_a_cost_they_are_figures() -> None:
    told = {one.key: one for one in figures(data(seen("a", spend=2), seen("b")))}
    assert (told["spend"].value, told["cpa"].value, told["roas"].value) == ("$2.00", "$1.00", "5.00")


@pytest.mark.parametrize("key", sorted(ABOUT_COSTS))
def test_no_chart_is_drawn_of_them(key: str) -> None:
    assert trend(data(seen("a")), key)[1] == [None]


def test_lines_without_a_cost_come_last() -> None:
    names = [name for name, _ in breakdown(data(seen("a"), seen("b", spend=2)), sort="spend", descending=False)]
    assert names == ["b", "a"]
