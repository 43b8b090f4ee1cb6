"""Explore: any columns by any names, in pages and files; its address holds everything, and faults are explained."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.test import Client

from apps.common.errors import Unavailable
from apps.omg.dimensions import Dimension
from apps.omg.metrics import EVERY
from apps.orgs.models import Kind, Organisation
from apps.orgs.permissions import Scope
from apps.orgs.public import SERVICE, create_organisation
from tests.api.conftest import Asker, ask  # noqa: F401
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

pytestmark = pytest.mark.django_db
SignIn = Callable[[str | None], Client]
Get = Callable[..., Any]


@pytest.fixture
def get(world: World, as_persona: SignIn) -> Get:
    client = as_persona("viewer")
    return lambda query="", **headers: client.get(f"/o/{world.slug('buyer')}/explore/{query}", headers=headers or None)


def rows_of(page: Any) -> list[list[str]]:
    return [
        [name["text"] for name in row["names"]] + [cell["text"] for cell in row["cells"]]
        for row in page.context["table"]["rows"]
    ]


def test_by_platform_unless_told(get: Get) -> None:
    page = get("?range=7d")
    assert rows_of(page) == [
        ["Hulu", "$0.08", "4", "1", "25.00 %", "1", "$30.25", "378.12"],
        ["Linear TV", "$0.02", "2", "0", "0.00 %", "1", "$9.75", "487.50"],
    ]
    assert [cell["text"] for cell in page.context["table"]["whole"]][:2] == ["$0.10", "6"]
    assert [cell["share"] for cell in page.context["table"]["rows"][0]["cells"]][:4] == [
        "80.0 %",
        "66.7 %",
        "100.0 %",
        "",
    ]
    assert page.context["heading"] == "By platform"
    assert page.context["chart"]["title"] == "Spend by platform"


def test_columns_order_bars_and_a_grain(get: Get) -> None:
    page = get("?range=7d&by=campaign&by=platform&metric=reach,cpm&grain=day&sort=-cpm&bars=all")
    assert rows_of(page) == [
        ["autumn", "Hulu", f"{YESTERDAY_NOON:%a} {YESTERDAY_NOON.day} {YESTERDAY_NOON:%b %Y}", "4", "$20.00"],
        ["autumn", "Linear TV", f"{YESTERDAY_NOON:%a} {YESTERDAY_NOON.day} {YESTERDAY_NOON:%b %Y}", "2", "$10.00"],
        ["brand", "Linear TV", f"{YESTERDAY_NOON:%a} {YESTERDAY_NOON.day} {YESTERDAY_NOON:%b %Y}", "0", "–"],
    ]
    assert [row["cells"][1]["bar"] for row in page.context["table"]["rows"]] == [1.0, 0.5, None]
    assert page.context["heading"] == "By campaign, platform and day"
    assert [name for _, name in page.context["chart"]["keys"]] == ["autumn", "brand"]
    assert [row["cells"][0]["bar"] for row in get("?range=7d&bars=none").context["table"]["rows"]] == [None, None]


def test_changes_stand_below_figures(get: Get) -> None:
    days = f"start={YESTERDAY_NOON - timedelta(days=29):%Y-%m-%d}&end={YESTERDAY_NOON:%Y-%m-%d}"
    cells = get(f"?{days}&metric=impressions&compare=previous").context["table"]["rows"][0]["cells"]
    assert (cells[0]["change"], cells[0]["tone"]) == ("+100.0 %", "good")
    page = get(f"?{days}&compare=year")
    assert "A year before" in page.content.decode()
    assert page.context["table"]["rows"][0]["cells"][0]["change"] == "new"


def test_a_press_on_a_name_goes_into_it(get: Get) -> None:
    page = get("?range=7d&metric=spend&sort=-spend")
    first = page.context["table"]["rows"][0]["names"][0]["url"]
    assert first == "?range=7d&metric=spend&sort=-spend&by=campaign&platform=hulu"
    page = get(first)
    assert rows_of(page) == [["autumn", "$0.08"]]
    for following in ("line_item", "creative", "publisher", "publisher"):
        page = get(page.context["table"]["rows"][0]["names"][0]["url"])
        assert page.context["heading"] in {f"By {following.replace('_', ' ')}", "All"}
    assert "campaign=autumn" in page.request["QUERY_STRING"]


def test_files_hold_all_rows_for_spreadsheets(get: Get) -> None:
    text = get("?range=7d&by=platform,campaign&metric=spend,ctr&format=csv")
    assert re.search(r'filename="buyer-\w+-explore-[\d-]+\.csv"', text["Content-Disposition"])
    assert list(csv.reader(text.content.decode().splitlines())) == [
        ["platform", "campaign", "spend", "ctr"], ["Hulu", "autumn", "0.08", "0.25"],
        ["Linear TV", "autumn", "0.02", "0"], ["Linear TV", "brand", "0", ""],
    ]  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(get("?range=7d&metric=spend,impressions&grain=day&format=xlsx").content))
    rows = [[cell.value for cell in row] for row in book.active.rows]
    assert rows[0] == ["platform", "time", "spend", "impressions"]
    assert (rows[1][0], rows[1][1].date(), rows[1][2], rows[1][3]) == ("Hulu", YESTERDAY_NOON.date(), 0.08, 4)


@pytest.fixture(scope="module")
def many(world: World, django_db_blocker: Any) -> Organisation:
    """Campaigns with names that files and pages must not fall for."""
    slug = f"many-{uuid4().hex[:10]}"
    names = ["=1+1", "<b>bold</b>", "a\u000bb", *(f"campaign {number:03}" for number in range(230))]
    with django_db_blocker.unblock():
        made, _ = create_organisation(
            actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example", currency="JPY"
        )
        import_lines(slug, [
            event("purchase", YESTERDAY_NOON, platform="hulu", campaign=name, number=number)
            | {"properties": {"revenue": f"{1000 + number}", "currency": "JPY"}}
            for number, name in enumerate(names)
        ])  # fmt: skip
    return made


@pytest.fixture
def get_many(many: Organisation, as_persona: SignIn) -> Get:
    client = as_persona("super_admin")
    return lambda query="", **headers: client.get(f"/o/{many.slug}/explore/{query}", headers=headers or None)


def test_pages_on_the_server(get_many: Get) -> None:
    query = "?range=7d&by=campaign&metric=revenue&sort=-revenue"
    first, last = get_many(query), get_many(f"{query}&page=3")
    assert first.context["table"]["pages"]["words"] == "Rows 1 to 100 of 233"
    assert [label for label, _, _ in first.context["table"]["links"]] == ["Next", "Last"]
    assert last.context["table"]["pages"]["words"] == "Rows 201 to 233 of 233"
    assert [label for label, _, _ in last.context["table"]["links"]] == ["First", "Previous"]
    assert rows_of(first)[0] == ["campaign 229", "¥1,232"]
    assert first.context["table"]["whole"][0]["text"] == f"¥{sum(1000 + number for number in range(233)):,}"
    assert last.context["table"]["rows"][-1]["cells"][0]["bar"] == pytest.approx(1000 / 1232)
    assert get_many(f"{query}&page=4").status_code == 404
    fragment = get_many(f"{query}&page=2", **{"HX-Request": "true", "HX-Target": "explore-table"})
    assert b"<html" not in fragment.content
    assert 'href="?range=7d&amp;by=campaign&amp;metric=revenue&amp;sort=revenue"' in fragment.content.decode()


def test_names_are_text_wherever_they_go(get_many: Get) -> None:
    query = "?range=7d&by=campaign&metric=revenue&sort=revenue"
    page = get_many(query).content.decode()
    assert "<b>bold" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    text = get_many(f"{query}&format=csv").content.decode()
    assert "'=1+1,1000" in text
    book = openpyxl.load_workbook(io.BytesIO(get_many(f"{query}&format=xlsx").content))
    assert [row[0].value for row in book.active.iter_rows(min_row=2, max_row=4)] == ["'=1+1", "<b>bold</b>", "a\ufffdb"]


def test_the_api_call_answers_what_the_page_shows(get: Get, ask: Callable[..., Asker]) -> None:  # noqa: F811
    page = get("?range=7d&by=platform,campaign&metric=spend,reach&platform=hulu&sort=-spend&compare=previous")
    command = page.context["api"]["command"]
    body = json.loads(command.partition("-d '")[2].removesuffix("'"))
    status, found = ask("buyer", Scope.READ_METRICS).post("/api/v1/query", body)
    assert status == 200
    assert [list(row["dimensions"].values()) for row in found["items"]] == [["hulu", "autumn"]]
    assert found["items"][0]["metrics"] == {"spend": "0.08", "reach": "4"}


def test_every_dimension_metric_and_grain_has_its_page(get: Get) -> None:
    for dimension in Dimension:
        page = get(f"?range=90d&by={dimension}&metric={','.join(EVERY)}")
        assert (page.status_code, page.context["table"]["columns"][0]["label"]) == (200, dimension.label)
    for grain in ("hour", "day", "week", "month"):
        assert get(f"?range=90d&grain={grain}&chart=revenue").context["chart"]["json"]["data"]
    assert rows_of(get("?range=7d&by=&metric=impressions")) == [["All", "6"]]


def test_nothing_no_match_and_no_data(get: Get, world: World, as_persona: SignIn) -> None:
    for value in ("none", "%00", "%ED%A0%80", "%27%20OR%201=1", "%5C%27"):
        page = get(f"?range=7d&device={value}")
        assert (page.status_code, "No events match these filters" in page.content.decode()) == (200, True)
    assert "No events in 1–5 January 2030" in get("?start=2030-01-01&end=2030-01-05").content.decode()
    empty = as_persona("super_admin").get(f"/o/{world.slug('platform')}/explore/")
    assert (empty.status_code, "No events to explore yet" in empty.content.decode()) == (200, True)


def test_a_warehouse_that_does_not_answer_leaves_the_controls(get: Get, monkeypatch: Any) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("ClickHouse cannot do this now.")

    monkeypatch.setattr("apps.omg.views.explore.answer", away)
    page = get("?range=7d")
    assert page.status_code == 503
    assert "No answer this time" in page.content.decode()
    assert 'id="explore-form"' in page.content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?metric=spnd", "did you mean spend?"),
        ("?by=platfrom", "did you mean platform?"),
        ("?by=platform,campaign,device,country", "at most 3 dimensions"),
        ("?grain=fortnight", "There is no grain"),
        ("?compare=never", "There is no comparison"),
        ("?compare=previous&grain=week", "By week nothing is compared"),
        ("?sort=-nonsense", "There is no column to sort by"),
        ("?page=0", "A page is a number"),
        ("?page=1e9", "A page is a number"),
        ("?page=%C2%B2", "A page is a number"),
        ("?bars=some", "There is no way to draw bars"),
        ("?chart=x", "There is no metric"),
        ("?format=exe", "There is no format"),
        ("?range=31d", "There is no range"),
        ("?start=2026-02-01&end=2026-01-01", "must not end before"),
        ("?by=%27%3B+DROP+TABLE+events%3B+--", "There is no dimension"),
        ("?metric=1)+OR+1%3D1", "There is no metric"),
        ("?sort=spend%3B+DROP+TABLE+events", "There is no column to sort by"),
        ("?dvice=ctv", "There is no filter"),
        ("?" + "&".join(f"device={number}" for number in range(60)), "at most 50 values"),
    ],
)
def test_an_address_that_makes_no_sense_is_explained(get: Get, query: str, words: str) -> None:
    page = get(query)
    assert page.status_code == 400
    assert words in page.content.decode()


def test_a_sort_by_a_column_that_is_gone_is_forgotten(get: Get) -> None:
    assert get("?range=7d&metric=clicks&sort=-spend&chart=spend").context["chart"]["title"] == "Clicks by platform"


@pytest.mark.parametrize("campaign", ["rivals-secret", "there-is-none", "%00", "%27%20OR%201=1"])
def test_a_campaign_of_another_organisation_is_none(get: Get, campaign: str) -> None:
    page = get(f"?range=7d&campaign={campaign}")
    assert page.status_code == 404
    assert "There is nothing at this address" in page.content.decode()


def test_two_tenants_never_mix(get: Get, world: World, as_persona: SignIn) -> None:
    assert "rivals-secret" not in get("?range=90d&by=campaign").content.decode()
    rival = as_persona("stranger").get(f"/o/{world.slug('rival')}/explore/?range=90d&by=campaign&metric=revenue")
    assert rows_of(rival) == [["rivals-secret", "$1,000"]]
