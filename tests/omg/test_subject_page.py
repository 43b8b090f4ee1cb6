"""The page of one campaign: figures are those of raw events, links lead on, others' campaigns are not there."""

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.orgs.models import Organisation
from apps.warehouse.public import execute
from tests.omg.test_reach import make_org
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

SignIn = Callable[[str | None], Client]
ODD = "Q4/Launch 100% #1 <b>é</b>?x=1&y"
RAW = """
SELECT
    {column} AS name, countIf(event_type = 'impression') AS impressions, countIf(event_type = 'click') AS clicks,
    sum(spend) AS spend, uniqExactIf(person_id, event_type = 'impression' AND person_id != '') AS reach
FROM events
WHERE org_id = {{org_id:UUID}} AND campaign_id = {{campaign:String}}
    AND timestamp >= {{since:DateTime('UTC')}} AND timestamp < {{until:DateTime('UTC')}}
GROUP BY name
"""


def made(number: int) -> dict[str, Any]:
    drawn = number * 7919 % 10_007
    kind = "click" if drawn % 6 == 0 else "impression"
    one = event(kind, YESTERDAY_NOON - timedelta(hours=drawn % 190), platform=("hulu", "linear")[drawn % 2],
                campaign=("spring", ODD)[drawn // 2 % 2], price=10 if kind == "impression" else None)  # fmt: skip
    one |= {"event_id": f"subject-{number}", "user_id": f"p{drawn % 25}"}
    one["source"] |= {"creative_id": f"cr{drawn // 4 % 3}", "publisher": ("x", "=y")[drawn // 5 % 2]}
    one["context"] = {"geo": {"country": "US", "region": ("NY", "TX", "")[drawn // 7 % 3]}}
    return one


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        found = make_org()
        import_lines(found.slug, [made(number) for number in range(300)])
    return found


@pytest.fixture
def get(org: Organisation, as_persona: SignIn) -> Callable[..., Any]:
    client = as_persona("super_admin")

    def page(query: str = "?range=7d", campaign: str = "spring", **headers: str) -> Any:
        return client.get(reverse("org:campaign", args=[org.slug, campaign]) + query, headers=headers or None)

    return page


def raw(org: Organisation, column: str, campaign: str) -> dict[str, tuple[int, int, Decimal, int]]:
    """Of the last seven days of UTC, today included."""
    until = YESTERDAY_NOON.replace(hour=0) + timedelta(days=2)
    bound = {"campaign": campaign, "since": until - timedelta(days=7), "until": until}
    rows = execute(org.pk, "test.subject", RAW.format(column=column), bound)
    return {row["name"]: (row["impressions"], row["clicks"], row["spend"], row["reach"]) for row in rows}


@pytest.mark.parametrize("campaign", ["spring", ODD])
def test_figures_agree_with_raw_events(campaign: str, org: Organisation, get: Callable[..., Any]) -> None:
    context = get(campaign=campaign).context
    ((impressions, clicks, spend, reach),) = raw(org, "'all'", campaign).values()
    figures = {one.key: one.value for one in context["figures"]}
    assert (figures["impressions"], figures["clicks"], figures["reach"]) == (
        f"{impressions:,}", f"{clicks:,}", f"{reach:,}",
    )  # fmt: skip
    assert figures["spend"] == f"${spend:,.2f}"
    assert context["subject"]["name"] == campaign


@pytest.mark.parametrize(
    ("by", "column"), [("creative", "creative_id"), ("publisher", "publisher"), ("platform", "platform")]
)
def test_its_parts_agree_with_raw_events(by: str, column: str, org: Organisation, get: Callable[..., Any]) -> None:
    rows = csv.DictReader(get(f"?range=7d&by={by}&format=csv").content.decode().splitlines())
    found = {
        row[by]: (int(row["impressions"]), int(row["clicks"]), Decimal(row["spend"]), int(row["reach"])) for row in rows
    }
    words = {"hulu": "Hulu", "linear": "Linear TV", "=y": "'=y"}
    assert found == {words.get(name, name): sums for name, sums in raw(org, column, "spring").items()}


def test_places_of_the_campaign(org: Organisation, get: Callable[..., Any]) -> None:
    context = get().context
    states = {"NY": "New York", "TX": "Texas", "": "Elsewhere or not known"}
    wanted = {states[name]: f"{sums[0]:,}" for name, sums in raw(org, "region", "spring").items()}
    assert {row["name"]: row["text"] for row in context["map"]["top"]} == wanted
    assert context["map"]["url"].endswith("/geography/?range=7d&campaign=spring")


def test_a_day_in_the_chart_and_its_table(get: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(get("?range=7d&format=csv&table=trend&metric=reach").content.decode().splitlines()))
    assert len(rows) == 7
    assert sum(int(row["reach"]) for row in rows) > 0
    trend = get("?range=7d&metric=ctr").context["trend"]
    assert trend["title"] == "CTR by day"


def test_filters_narrow_and_links_keep_the_state(get: Callable[..., Any]) -> None:
    context = get("?range=7d&platform=hulu&by=creative").context
    assert [chip.label for chip in context["filters"]["chips"]] == ["Platform: Hulu"]
    row = next(row for row in context["breakdown"]["rows"] if row["name"] == "cr1")
    assert row["url"] == "?range=7d&by=creative&platform=hulu&creative=cr1"
    assert "campaign" not in {group["key"] for group in get("?range=7d&choose=filters").context["filters"]["groups"]}
    whole = {one.key: one.value for one in get().context["figures"]}
    part = {one.key: one.value for one in context["figures"]}
    assert int(part["impressions"]) < int(whole["impressions"])


def test_the_overviews_table_leads_here(org: Organisation, as_persona: SignIn) -> None:
    client = as_persona("super_admin")
    page = client.get(f"/o/{org.slug}/?range=7d&by=campaign&platform=hulu&metric=ctr")
    pages = {row["value"]: row["page"] for row in page.context["breakdown"]["rows"]}
    assert pages["spring"] == f"/o/{org.slug}/campaigns/spring/?range=7d&platform=hulu"
    assert client.get(pages[ODD]).context["subject"]["name"] == ODD


def test_what_is_not_there_or_is_anothers(world: World, as_persona: SignIn, get: Callable[..., Any]) -> None:
    viewer = as_persona("viewer")
    for campaign in ("nobody's", "rivals-secret", "x" * 5000, "' OR 1=1 --"):
        path = reverse("org:campaign", args=[world.slug("buyer"), campaign])
        assert viewer.get(path).status_code == 404
    assert viewer.get(f"/o/{world.slug('buyer')}/campaigns/autumn/?range=7d").status_code == 200
    assert get("?start=2030-01-01&end=2030-01-05").context["nothing_here"]


@pytest.mark.parametrize("query", ["?campaign=spring", "?by=campaign", "?by=x", "?metric=x", "?sort=x", "?state=NY"])
def test_what_is_not_known_is_refused(query: str, get: Callable[..., Any]) -> None:
    answer = get(query)
    assert answer.status_code == 400
    assert any(word in answer.content.decode() for word in ("use one of", "did you mean"))


def test_fragments_by_their_target(get: Callable[..., Any]) -> None:
    for target in ("trend", "breakdown", "overview"):
        fragment = get(**{"HX-Request": "true", "HX-Target": target})
        assert b"<html" not in fragment.content
    assert "<b>é" not in get(campaign=ODD).content.decode()
