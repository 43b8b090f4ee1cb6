"""Reported beside counted: pairs made by hand, like compared with like, and nothing of other organisations."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.common.period import Period
from apps.omg.queries import counted as counts
from apps.omg.queries import reported as reports
from apps.omg.reported import METRICS, Pair, by_campaign, by_day, by_source, compare, whole
from apps.orgs.public import SERVICE, acting, show_generated, show_real
from tests.support.world import YESTERDAY_NOON, World, import_report

SignIn = Callable[[str | None], Client]
YESTERDAY = YESTERDAY_NOON.date()
PAGES_OF_CHARTS = {"trend": "reported/", "arrivals": "sources/"}
BY_KEY = {metric.key: metric for metric in METRICS}


def page(client: Client, world: World, query: str = "?range=7d", **headers: str) -> Any:
    return client.get(f"/o/{world.slug('buyer')}/reported/{query}", headers=headers or None)


@pytest.mark.django_db
def test_reported_and_counted_stand_side_by_side(world: World, as_persona: SignIn) -> None:
    figures = {figure["key"]: figure for figure in page(as_persona("viewer"), world).context["figures"]}
    told = {key: (one["reported"], one["counted"], one["difference"], one["tone"]) for key, one in figures.items()}
    assert told["spend"] == ("$1.09", "$0.08", "+1,262.5 %", "warn")
    assert told["clicks"] == ("1", "1", "±0.0 %", "neutral")
    assert told["conversions"] == ("2", "1", "+100.0 %", "warn")
    assert told["revenue"] == ("$60.50", "$30.25", "+100.0 %", "warn")


@pytest.mark.django_db
def test_campaigns_are_listed_with_those_that_nobody_reports(world: World, as_persona: SignIn) -> None:
    rows = page(as_persona("viewer"), world, "?range=7d&by=campaign&sort=-impressions").context["breakdown"]["rows"]
    told = [(row["name"], row["cells"][1]["reported"], row["cells"][1]["counted"]) for row in rows]
    assert told == [("Elsewhere", "7", "–"), ("Autumn launch", "5", "4")]


@pytest.mark.django_db
def test_csv_has_every_digit(world: World, as_persona: SignIn) -> None:
    response = page(as_persona("viewer"), world, "?range=7d&by=campaign&format=csv&table=breakdown&sort=name")
    first, second = csv.DictReader(response.content.decode().splitlines())
    assert (second["campaign"], second["campaign_id"]) == ("Elsewhere", "elsewhere")
    assert (first["campaign"], first["campaign_id"], first["days"]) == ("Autumn launch", "autumn", "1")
    assert (first["impressions_reported"], first["impressions_counted"]) == ("5", "4")
    assert first["impressions_difference"] == "0.25"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "?by=secret", "?metric=cpm", "?sort=x", "?order=x", "?range=5y", "?source=theirs", "?source=%00",
        "?sorce=hulu-report", "?format=xlsx", "?table=secret",
    ],
)  # fmt: skip
def test_an_unknown_filter_is_refused(query: str, world: World, as_persona: SignIn) -> None:
    assert page(as_persona("viewer"), world, query).status_code == 400


@pytest.mark.django_db
def test_a_source_may_be_silent_in_a_period_and_one_that_never_reported_is_refused(
    world: World, as_persona: SignIn
) -> None:
    silent = page(as_persona("viewer"), world, "?start=2026-01-01&end=2026-01-02&source=hulu-report")
    assert (silent.status_code, silent.context["breakdown"]["rows"]) == (200, [])
    unknown = page(as_persona("viewer"), world, "?source=theirs").content.decode()
    assert "No source &#x27;theirs&#x27; reports anything here; those that do are hulu-report" in unknown
    theirs = as_persona("stranger").get(f"/o/{world.slug('rival')}/reported/?source=theirs&range=7d")
    assert theirs.status_code == 200
    assert reports.fetch_sources(world.orgs["platform"].pk) == []


@pytest.mark.django_db
def test_files_of_generated_data_say_so(world: World, as_persona: SignIn) -> None:
    org, client = world.orgs["buyer"], as_persona("org_admin")
    with acting(SERVICE):
        show_generated(actor=SERVICE, org=org)
    try:
        contexts = {part: client.get(f"/o/{org.slug}/{path}").context for part, path in PAGES_OF_CHARTS.items()}
    finally:
        with acting(SERVICE):
            show_real(actor=SERVICE, org=org)
    for part, context in contexts.items():
        chart = context[part]() if callable(context[part]) else context[part]
        assert chart["file"].endswith("-generated")
        assert chart["picture"].startswith(f"{org.name}, generated data: ")


@pytest.mark.django_db
def test_htmx_gets_the_fragment_of_its_target(world: World, as_persona: SignIn) -> None:
    fragment = page(as_persona("viewer"), world, **{"HX-Request": "true", "HX-Target": "breakdown"})
    assert b"<html" not in fragment.content
    assert b'id="breakdown"' in fragment.content


@pytest.mark.django_db
def test_two_tenants_never_mix(world: World, as_persona: SignIn) -> None:
    theirs = as_persona("stranger").get(f"/o/{world.slug('rival')}/reported/?range=7d&by=campaign").content
    ours = page(as_persona("viewer"), world, "?range=7d&by=campaign").content
    assert b"rivals-report" in theirs
    assert b"rivals-report" not in ours
    period = Period(YESTERDAY, YESTERDAY, "UTC")
    rows = {name: reports.fetch(world.orgs[name].pk, period) for name in ("buyer", "rival")}
    assert {row.source for row in rows["buyer"]} == {"hulu-report"}
    assert {row.source for row in rows["rival"]} == {"theirs"}
    assert {row.campaign for row in counts.fetch(world.orgs["rival"].pk, period)} == {"rivals-secret"}
    extents = {name: reports.fetch_extent(world.orgs[name].pk, time_zone="UTC") for name in ("buyer", "platform")}
    assert (extents["buyer"] and extents["buyer"].first, extents["platform"]) == (YESTERDAY, None)


@pytest.mark.django_db
def test_rejected_rows_of_the_last_file_are_shown_to_those_who_import(world: World, as_persona: SignIn) -> None:
    for rows in ("2026-01-01,a,1\n2026-01-01,b,wrong", "2026-01-01,a,none at all"):
        import_report(world.slug("buyer"), "with-faults", f"Day,Campaign,Cost\n{rows}\n")
    seen = [one for one in page(as_persona("org_admin"), world).context["rejected"] if one.source == "with-faults"]
    assert [(one.code, one.count, one.line, one.column) for one in seen] == [("wrong_number", 1, 2, "Cost")]
    assert "none at all" in seen[0].cells
    assert page(as_persona("viewer"), world).context["rejected"] == []
    import_report(world.slug("buyer"), "with-faults", "Day,Campaign,Cost\n2026-01-01,a,1\n")
    assert "Rejected rows" not in page(as_persona("org_admin"), world).content.decode()


@pytest.mark.django_db
def test_an_empty_organisation_says_how_figures_get_in(world: World, as_persona: SignIn) -> None:
    text = as_persona("super_admin").get(f"/o/{world.slug('platform')}/reported/").content.decode()
    assert "import_performance" in text
    assert "/api/v1/metrics" in text


DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def said(
    day: int = 0, *, source: str = "s", campaign: str = "a", name: str = "", hours: int = 0, **figures: Any
) -> Any:
    values = {key: None if figures.get(key) is None else Decimal(figures[key]) for key in BY_KEY}
    return reports.Row(
        DAY + timedelta(days=day), source, "hulu", campaign, name, figures.get("currency", "USD"),
        reported_at=AT + timedelta(hours=hours), **values,
    )  # fmt: skip


def saw(day: int = 0, *, campaign: str = "a", platform: str = "hulu", **figures: Any) -> Any:
    values = {key: Decimal(figures.get(key, 0)) for key in BY_KEY}
    return counts.Row(DAY + timedelta(days=day), platform, campaign, "USD", **values)


def pairs(data: Any) -> dict[str, Pair]:
    return {line.name: line.pair(BY_KEY["clicks"]) for line in by_campaign(data)}


def test_days_that_are_not_reported_are_not_compared() -> None:
    data = compare([said(clicks=10)], [saw(clicks=8), saw(1, clicks=5), saw(clicks=7, platform="linear")], "USD")
    assert whole(data, BY_KEY["clicks"]) == Pair(Decimal(10), Decimal(8))
    assert by_day(data, [DAY, DAY + timedelta(days=1)], BY_KEY["clicks"]) == [Pair(Decimal(10), Decimal(8)), Pair()]


def test_a_figure_that_is_not_reported_is_no_difference() -> None:
    data = compare(
        [said(clicks=10), said(campaign="b", spend=1)], [saw(clicks=10), saw(campaign="b", clicks=90)], "USD"
    )
    assert whole(data, BY_KEY["clicks"]).difference == 0
    assert pairs(data)["b"] == Pair(None, Decimal(90))


def test_a_campaign_is_found_by_its_name_too() -> None:
    data = compare([said(campaign="17", name="a", clicks=10)], [saw(clicks=8)], "USD")
    assert pairs(data) == {"a": Pair(Decimal(10), Decimal(8))}


def test_an_id_without_a_name_is_both() -> None:
    lines = by_campaign(compare([said(clicks=1), said(campaign="b", name="b")], [saw(campaign="c")], "USD"))
    told = {line.name: line.campaign_id for line in lines}
    assert told == {"a": "a", "b": "", "c": "c"}


def test_of_two_sources_the_one_that_reported_last_counts_in_totals() -> None:
    data = compare([said(clicks=10), said(source="t", hours=1, clicks=12)], [saw(clicks=11)], "USD")
    assert data.overlapping
    assert whole(data, BY_KEY["clicks"]) == Pair(Decimal(12), Decimal(11))
    assert {line.name: line.pair(BY_KEY["clicks"]).reported for line in by_source(data)} == {"s": 10, "t": 12}


def test_what_was_said_at_ten_is_later_than_what_was_said_at_nine() -> None:
    said_at_ten = said(source="early bird", hours=10, clicks=10)
    data = compare([said_at_ten, said(source="late riser", hours=9, clicks=12)], [saw(clicks=11)], "USD")
    assert whole(data, BY_KEY["clicks"]).reported == 10


def test_a_source_without_a_counted_side_is_in_no_difference() -> None:
    reported = [said(clicks=10), said(clicks=5_000, source="t", campaign="z")]
    data = compare(reported, [saw(clicks=8), saw(campaign="y", clicks=3)], "USD")
    pair = whole(data, BY_KEY["clicks"])
    assert (pair.reported, pair.counted, pair.difference) == (5_010, 8, Decimal("0.25"))
    assert by_day(data, [DAY], BY_KEY["clicks"])[0].difference == Decimal("0.25")
    assert [row.source for row in data.beyond_comparison] == ["t"]
    assert [row.campaign for row in data.only_counted] == ["y"]


@pytest.mark.django_db
def test_the_page_says_what_is_left_out(world: World, as_persona: SignIn) -> None:
    day = f"{YESTERDAY:%Y-%m-%d}"
    import_report(world.slug("rival"), "uncounted", f"Day,Campaign,Cost,Platform\n{day},nowhere,12.50,linear\n")
    import_report(world.slug("rival"), "theirs", f"Day,Campaign,Clicks\n{day},other,3\n")
    notes = as_persona("stranger").get(f"/o/{world.slug('rival')}/reported/?range=7d").context["notes"]
    assert any("Nothing was counted of" in note and "uncounted (Linear" in note for note in notes), notes


def test_amounts_of_other_currencies_are_left_out() -> None:
    data = compare([said(spend=5, clicks=1), said(spend=7, clicks=1, currency="EUR")], [saw(spend=5, clicks=2)], "USD")
    assert whole(data, BY_KEY["spend"]).reported == 5
    assert whole(data, BY_KEY["clicks"]).reported == 2


@pytest.mark.parametrize(
    ("pair", "off"),
    [
        (Pair(Decimal(110), Decimal(100)), False),
        (Pair(Decimal(111), Decimal(100)), True),
        (Pair(Decimal(89), Decimal(100)), True),
        (Pair(Decimal(1), Decimal(0)), True),
        (Pair(Decimal(0), Decimal(0)), False),
        (Pair(None, Decimal(5)), False),
    ],
)
def test_more_than_ten_percent_is_marked(pair: Pair, off: bool) -> None:
    assert pair.is_off is off


@pytest.mark.django_db
def test_the_grain_that_was_reported_last_counts_for_a_day(world: World) -> None:
    slug, org = world.slug("rival"), world.orgs["rival"]
    hourly = "Day,Hour,Campaign,Clicks\n2026-03-01,0,grain,1\n2026-03-01,5,grain,2\n"
    period = Period(date(2026, 3, 1), date(2026, 3, 1), "UTC")

    def clicks() -> list[int | None]:
        return [row.clicks for row in reports.fetch(org.pk, period)]

    import_report(slug, "grains", hourly)
    assert clicks() == [3]
    import_report(slug, "grains", "Day,Campaign,Clicks\n2026-03-01,grain,7\n")
    assert clicks() == [7]
    import_report(slug, "grains", hourly)
    assert clicks() == [3]
