"""The invented reports of the demonstration: what was counted, as a platform with rules of its own would have it."""

import csv

import pytest

from config.demo_reports import HEAD, Report, write_report
from tests.support.world import YESTERDAY_NOON, World


@pytest.mark.django_db
def test_a_report_has_what_was_counted_of_its_platform_and_a_total(world: World) -> None:
    report = write_report(world.orgs["buyer"], Report("hulu", "hulu", 1.0, 2.0, 1.0))
    _, _, *rows = csv.reader(report.splitlines())
    assert tuple(rows[0]) == HEAD
    day, campaign, currency, cost, impressions, clicks, conversions, value = rows[-2]
    assert (day, campaign, currency) == (f"{YESTERDAY_NOON:%Y-%m-%d}", "autumn", "USD")
    assert (impressions, clicks, conversions, value) == ("4", "2", "1.00", "30.25")
    assert cost == "0.08"
    assert rows[-1][0] == "Total"
    assert len(rows) == 5  # a header, three days, a total
    assert "linear" not in report


@pytest.mark.django_db
def test_without_events_a_report_has_no_rows(world: World) -> None:
    _, _, *rows = csv.reader(write_report(world.orgs["platform"], Report("hulu", "hulu", 1.0, 1.0, 1.0)).splitlines())
    assert len(rows) == 2
