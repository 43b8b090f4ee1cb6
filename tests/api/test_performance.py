"""Figures by the API: those of the overview, which the golden events make easy to work out."""

from collections.abc import Callable

import pytest

from apps.orgs.permissions import Scope
from tests.api.conftest import Asker

pytestmark = pytest.mark.django_db
Ask = Callable[..., Asker]
PATH = "/api/v1/performance"


def test_sums_and_ratios_of_a_range(ask: Ask) -> None:
    """Four impressions at 20 and two at 10 per thousand, one click, two conversions, 40.00 of revenue."""
    _, found = ask("buyer", Scope.READ_METRICS).get(PATH, range="7d")
    (line,) = found["items"]
    assert (found["currency"], found["time_zone"], found["left_out"]) == ("USD", "UTC", {})
    assert line["metrics"] | {"revenue": "40", "spend": "0.1", "impressions": "6", "clicks": "1"} == line["metrics"]
    assert (line["metrics"]["reach"], line["metrics"]["frequency"]) == ("4", "1.5")
    assert (line["metrics"]["ctr"], line["metrics"]["roas"]) == ("0.166667", "400")


def test_lines_by_dimension_and_by_day(ask: Ask) -> None:
    asker = ask("buyer", Scope.READ_METRICS)
    by = {one["name"]: one["metrics"] for one in asker.get(PATH, range="7d", by="platform")[1]["items"]}
    assert {name: metrics["impressions"] for name, metrics in by.items()} == {"hulu": "4", "linear": "2"}
    assert by["linear"]["ctr"] == "0"
    assert {name: metrics["reach"] for name, metrics in by.items()} == {"hulu": "4", "linear": "2"}
    daily = asker.get(PATH, range="90d", grain="day")[1]["items"]
    assert len(daily) == 3
    assert {one["metrics"]["reach"] for one in daily} == {"1", "4"}
    assert sum(int(one["metrics"]["impressions"]) for one in daily) == 8


def test_another_organisation_sees_its_own_figures_only(ask: Ask) -> None:
    found = ask("rival", Scope.READ_METRICS).get(PATH, range="7d", by="campaign")[1]["items"]
    assert [one["name"] for one in found] == ["rivals-secret"]
    assert ask("platform", Scope.READ_METRICS).get(PATH)[1]["items"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"range": "8d"}, {"start": "2026-01-02", "end": "2026-01-01"}, {"start": "2026-01-01"}, {"by": "person"},
        {"start": "0001-01-01", "end": "0001-01-02"}, {"start": "1990-01-01", "end": "2026-01-01"},
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_explained(ask: Ask, asked: dict[str, str]) -> None:
    status, problem = ask("buyer", Scope.READ_METRICS).get(PATH, **asked)
    assert status == 400
    assert problem["detail"]
