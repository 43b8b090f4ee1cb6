"""The overview: figures made by hand from the golden events, state in the URL, and nothing of other organisations."""

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.common.period import Period, format_span
from apps.omg.metrics import BY_KEY, METRICS, Totals
from apps.omg.queries import extent, performance
from tests.support.world import NOW, YESTERDAY_NOON, World

pytestmark = pytest.mark.django_db
SignIn = Callable[[str | None], Client]
# Golden events of yesterday: 4 Hulu impressions at CPM 20, 2 linear at CPM 10, 1 click, sales of 30.25 and 9.75.
BY_HAND = {
    "spend": "$0.10", "impressions": "6", "clicks": "1", "conversions": "2", "revenue": "$40.00",
    "reach": "4", "frequency": "1.50", "cpm": "$16.67", "ctr": "16.67 %", "cpa": "$0.05", "roas": "400.00",
}  # fmt: skip


def page(client: Client, world: World, query: str = "", **headers: str) -> Any:
    return client.get(f"/o/{world.slug('buyer')}/{query}", headers=headers or None)


def test_figures_agree_with_the_hand_made_sums(world: World, as_persona: SignIn) -> None:
    figures = {figure.key: figure.value for figure in page(as_persona("viewer"), world, "?range=7d").context["figures"]}
    assert figures == BY_HAND


def test_change_is_against_the_same_number_of_days_before(world: World, as_persona: SignIn) -> None:
    context = page(as_persona("viewer"), world, "?range=30d").context
    changes = {figure.key: (figure.change, figure.tone) for figure in context["figures"]}
    # The 30 days before have two impressions at CPM 40: spend 0.08, so 0.10 is +25 %; CPM fell, which is good.
    assert changes["spend"] == ("+25.0 %", "neutral")
    assert changes["impressions"] == ("+200.0 %", "good")
    assert changes["cpm"] == ("−58.3 %", "good")
    assert changes["roas"] == ("", "neutral")


def test_a_period_that_data_does_not_reach_back_to_is_not_compared_with(world: World, as_persona: SignIn) -> None:
    figure = page(as_persona("viewer"), world, "?range=90d").context["figures"][0]
    assert (figure.change, figure.note) == ("", "no data before")
    start, end = (YESTERDAY_NOON - timedelta(days=days) for days in (39, 0))
    figure = page(as_persona("viewer"), world, f"?start={start:%Y-%m-%d}&end={end:%Y-%m-%d}").context["figures"][0]
    assert figure.change == ""
    assert figure.note.startswith("data begins")


def test_undefined_is_a_dash_never_zero() -> None:
    values = {metric.key: metric.value(Totals()) for metric in METRICS}
    undefined = [key for key, value in values.items() if value is None]
    assert undefined == ["reach", "frequency", "cpm", "ctr", "cpa", "roas"]


def test_the_table_sorts_as_the_url_says(world: World, as_persona: SignIn) -> None:
    client = as_persona("viewer")

    def names(query: str) -> list[str]:
        return [row["name"] for row in page(client, world, query).context["breakdown"]["rows"]]

    assert names("?range=7d&sort=-revenue") == ["Hulu", "Linear TV"]
    assert names("?range=7d&sort=revenue") == ["Linear TV", "Hulu"]
    assert names("?range=7d&sort=-name&by=campaign") == ["brand", "autumn"]
    assert names("?range=7d&by=channel&sort=name") == ["tv", "video"]


def test_links_keep_the_rest_of_the_state(world: World, as_persona: SignIn) -> None:
    context = page(as_persona("viewer"), world, "?range=7d&by=campaign&sort=-roas").context
    urls = [link.url for link in context["trend"]["metric_links"]]
    assert all("range=7d" in url and "by=campaign" in url and "sort=-roas" in url for url in urls)


@pytest.mark.parametrize(
    "query",
    [
        "?by=secret",
        "?metric=x",
        "?sort=x",
        "?range=5y",
        "?start=2026-13-01&end=2026-01-01",
        "?start=2026-02-01&end=2026-01-01",
        "?start=2026-01-01",
    ],
)
def test_an_unknown_filter_is_refused_with_what_would_be_right(query: str, world: World, as_persona: SignIn) -> None:
    response = page(as_persona("viewer"), world, query)
    assert response.status_code == 400
    assert any(word in response.content.decode() for word in ("use one of", "must"))


def test_htmx_gets_the_fragment_of_its_target(world: World, as_persona: SignIn) -> None:
    client = as_persona("viewer")
    fragment = page(client, world, **{"HX-Request": "true", "HX-Target": "trend"})
    whole = page(client, world, **{"HX-Request": "true", "HX-Target": "no-such-target"})
    assert b"<html" not in fragment.content
    assert b'id="trend"' in fragment.content
    assert b"<html" in whole.content
    assert "HX-Target" in fragment.headers["Vary"]


def test_csv_has_every_digit(world: World, as_persona: SignIn) -> None:
    response = page(as_persona("viewer"), world, "?range=7d&format=csv&table=breakdown&sort=-spend")
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert [row["platform"] for row in rows] == ["Hulu", "Linear TV"]
    assert Decimal(rows[0]["spend"]) == Decimal("0.08")
    assert rows[0]["cpa"] == "0.08"


def test_days_are_those_of_the_organisations_time_zone(world: World) -> None:
    day = YESTERDAY_NOON.date()
    period = Period(day, day + timedelta(days=1), "Pacific/Kiritimati")
    days = {row.day for row in performance.fetch(world.orgs["buyer"].pk, period, performance.Dimension.PLATFORM)}
    # Noon in UTC is 02:00 of the next day at UTC+14.
    assert {(day - YESTERDAY_NOON.date()).days for day in days} == {1}


def test_ratios_have_six_decimals_and_sums_all_of_theirs(world: World, as_persona: SignIn) -> None:
    response = page(as_persona("viewer"), world, "?range=7d&format=csv&table=breakdown&by=platform&sort=-spend")
    hulu = next(csv.DictReader(response.content.decode().splitlines()))
    assert hulu["ctr"] == "0.25"
    assert hulu["roas"] == "378.125"
    assert BY_KEY["spend"].adds_up
    assert not BY_KEY["roas"].adds_up


def test_a_range_without_data_keeps_the_controls_and_says_where_data_is(world: World, as_persona: SignIn) -> None:
    response = page(as_persona("viewer"), world, "?start=2030-01-01&end=2030-01-05&by=campaign")
    nothing, text = response.context["nothing_here"], response.content.decode()
    begin = YESTERDAY_NOON - timedelta(days=58)
    assert nothing["when"] == "in 1–5 January 2030"
    assert nothing["extent"] == format_span(begin.date(), YESTERDAY_NOON.date())
    assert nothing["url"] == "?by=campaign&range=30d"
    assert "No events in 1–5 January 2030" in text
    assert 'name="start"' in text
    assert "data-copy-link" in text
    assert "import_events" not in text


def test_the_dates_to_choose_from_are_those_of_the_data(world: World, as_persona: SignIn) -> None:
    offered = page(as_persona("viewer"), world, "?range=7d").context["range"]
    assert offered["min"] == (YESTERDAY_NOON - timedelta(days=58)).date()
    assert offered["max"] == NOW.date()


@pytest.mark.parametrize("path", ["", "overview/", "?range=7d", "overview/?range=7d&sort=-ctr"])
def test_the_navigation_shows_where_one_is(path: str, world: World, as_persona: SignIn) -> None:
    groups = page(as_persona("viewer"), world, path).context["shell"]["nav"]
    assert [(item["label"], item["current"]) for item in groups[0]["items"]] == [
        ("Overview", True),
        ("Explore", False),
        ("Reach", False),
        ("Geography", False),
        ("Reported", False),
    ]


def test_a_page_that_is_elsewhere_is_not_highlighted(world: World, as_persona: SignIn) -> None:
    groups = as_persona("super_admin").get("/console/").context["shell"]["nav"]
    current = [item["label"] for item in groups[-1]["items"] if item["current"]]
    assert current == ["Organisations"]


def test_today_is_marked_in_the_chart_and_left_out_of_sparklines(world: World, as_persona: SignIn) -> None:
    context = page(as_persona("viewer"), world, "?range=7d&metric=ctr").context
    meta = context["trend"]["json"]["layout"]["meta"]
    assert meta["today"] == 6
    assert meta["labels"][6].endswith("today so far")
    assert context["trend"]["json"]["data"][1]["meta"] == {"today": True}
    spend = next(figure for figure in context["figures"] if figure.key == "spend")
    assert len(spend.spark_points.split()) == 6


def test_the_axis_has_one_tick_a_day_and_ends_with_the_range(world: World, as_persona: SignIn) -> None:
    day = f"{YESTERDAY_NOON:%Y-%m-%d}"
    axis = page(as_persona("viewer"), world, f"?start={day}&end={day}").context["trend"]["json"]["layout"]["xaxis"]
    assert axis["dtick"] == 86_400_000
    assert axis["range"] == [f"{YESTERDAY_NOON - timedelta(days=1):%Y-%m-%d} 12:00", f"{day} 12:00"]


def test_two_tenants_never_mix(world: World, as_persona: SignIn) -> None:
    theirs = as_persona("stranger").get(f"/o/{world.slug('rival')}/?range=90d&by=campaign").content
    ours = page(as_persona("viewer"), world, "?range=90d&by=campaign").content
    assert b"rivals-secret" in theirs
    assert b"rivals-secret" not in ours
    assert b"autumn" not in theirs


def test_the_days_of_data_are_those_of_one_tenant(world: World) -> None:
    found = {name: extent.fetch(world.orgs[name].pk, time_zone="UTC") for name in ("buyer", "rival", "platform")}
    begin = (YESTERDAY_NOON - timedelta(days=58)).date()
    assert found["platform"] is None
    assert [found[name] and found[name].first for name in ("buyer", "rival")] == [begin, YESTERDAY_NOON.date()]


def test_an_empty_organisation_says_what_to_do_next(world: World, as_persona: SignIn) -> None:
    response = as_persona("super_admin").get(f"/o/{world.slug('platform')}/")
    assert "import_events" in response.content.decode()


@pytest.mark.django_db
def test_a_wrong_range_keeps_the_choice_and_the_way_around(world: World, as_persona: SignIn) -> None:
    path = f"/o/{world.slug('buyer')}/?start=2020-01-01&end=2026-01-01&by=channel"
    answer = as_persona("viewer").get(path)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "at most 731 days long; this one has 2,193" in page
    assert 'name="start" value="2020-01-01"' in page
    assert '<input type="hidden" name="by" value="channel">' in page
    assert 'aria-label="Main"' in page
