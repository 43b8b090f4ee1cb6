"""Geography: states and ZIP codes however sources write them, against raw events; the map, its shades and its words."""

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.common.period import Period
from apps.omg.answers import Asker
from apps.omg.by_place import ask_by_place
from apps.omg.dimensions import Dimension
from apps.omg.filters import Filters
from apps.omg.geography import Scale, map_of_zips
from apps.omg.metrics import BY_KEY, METRICS, Totals
from apps.omg.outlines import outlines, outlines_near
from apps.omg.places import STATES, spellings, states_of_zips, zips
from apps.omg.question import Question
from apps.orgs.models import Organisation
from apps.warehouse.gateway import client as warehouse
from apps.warehouse.public import execute
from tests.omg.test_reach import make_org
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

SignIn = Callable[[str | None], Client]
# Country, region, postal code; and the state and ZIP code that these are.
PLACES = [
    ({"country": "US", "region": "NY", "postal_code": "10013"}, "NY", "10013"),
    ({"country": "US", "region": "New York"}, "NY", ""),
    ({"country": "us", "region": "us-ny", "postal_code": "10013-1234"}, "NY", "10013"),
    ({"country": "USA", "region": "USA/NY", "postal_code": "11211"}, "NY", "11211"),
    ({"postal_code": "60614"}, "IL", "60614"),
    ({"country": "US", "postal_code": "06390"}, "NY", "06390"),
    ({"country": "US", "region": "TX", "postal_code": "10013"}, "TX", "10013"),
    ({"country": "US", "region": "Ontario", "postal_code": "99950"}, "AK", "99950"),
    ({"country": "CA", "region": "ON", "postal_code": "K1A 0B1"}, "", ""),
    ({"country": "DE", "region": "NY", "postal_code": "10115"}, "", ""),
    ({"country": "US", "region": "Puerto Rico", "postal_code": "00601"}, "", ""),
    ({}, "", ""),
    ({"country": "US", "region": "<b>'; DROP TABLE events", "postal_code": "' OR 1=1"}, "", ""),
]
RAW = "SELECT event_type, country, region, postal_code, person_id, spend FROM events WHERE org_id = {org_id:UUID}"


def placed(number: int, seed: int) -> dict[str, Any]:
    drawn = (number * 7919 + seed) % 10_007
    geo, _, _ = PLACES[drawn % len(PLACES)]
    kind = "click" if drawn % 5 == 0 else "purchase" if drawn % 11 == 0 else "impression"
    one = event(
        kind, YESTERDAY_NOON - timedelta(minutes=drawn % 900), platform=("hulu", "linear")[drawn % 2],
        campaign="ab"[drawn // 2 % 2], price=10 if kind == "impression" else None,
        revenue="5.25" if kind == "purchase" else None,
    )  # fmt: skip
    return one | {"event_id": f"{seed}-{number}", "user_id": f"p{drawn % 40}", "context": {"geo": geo}}


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        made, other = make_org(), make_org()
        import_lines(made.slug, [placed(number, 1) for number in range(400)])
        import_lines(other.slug, [placed(number, 2) for number in range(400)])
    return made


def by_hand(org: Organisation, *, of: str = "") -> dict[str, tuple[int, int, Decimal, int]]:
    """Impressions, clicks, spend, persons: placed by the table above, summed here."""
    known = {tuple(geo.get(key, "") for key in ("country", "region", "postal_code")): (s, z) for geo, s, z in PLACES}
    sums: dict[str, tuple[int, int, Decimal, set[str]]] = {}
    for row in execute(org.pk, "test.places", RAW):
        state, code = known[row["country"], row["region"], row["postal_code"]]
        if of and state != of:
            continue
        impressions, clicks, spend, persons = sums.get(code if of else state, (0, 0, Decimal(0), set()))
        shown = row["event_type"] == "impression"
        sums[code if of else state] = (
            impressions + shown, clicks + (row["event_type"] == "click"), spend + row["spend"],
            persons | ({row["person_id"]} if shown else set()),
        )  # fmt: skip
    return {place: (one, two, three, len(four)) for place, (one, two, three, four) in sums.items()}


def told(sums: dict[str, Totals]) -> dict[str, tuple[int, int, Decimal, int | None]]:
    return {place: (one.impressions, one.clicks, one.spend, one.reach) for place, one in sums.items()}


def question(filters: Filters | None = None) -> Question:
    day = YESTERDAY_NOON.date()
    return Question(METRICS, Period(day - timedelta(days=3), day, "Asia/Kathmandu"), filters=filters or Filters())


@pytest.mark.parametrize("state", ["", "NY", "TX", "AK", "WY"])
def test_places_agree_with_raw_events(org: Organisation, state: str) -> None:
    found = ask_by_place(question(), "USD", Asker(org.pk, anew=True), state)
    everywhere = {**found.sums, **({"": found.elsewhere} if found.elsewhere else {})}
    assert told(everywhere) == by_hand(org, of=state)


def test_filters_narrow_places(org: Organisation) -> None:
    parts = [
        ask_by_place(question(Filters({Dimension.CAMPAIGN: (one,)})), "USD", Asker(org.pk, anew=True)).sums["NY"]
        for one in "ab"
    ]
    assert sum(one.impressions for one in parts) == by_hand(org)["NY"][0]


def test_persons_are_told_only_while_their_events_are_kept(world: World, committed: World) -> None:
    made = make_org()
    import_lines(made.slug, [placed(number, 3) for number in range(60)])
    warehouse().command(
        f"ALTER TABLE events DELETE WHERE org_id = '{made.pk}' AND event_type = 'click'",
        settings={"mutations_sync": 1},
    )
    found = ask_by_place(question(), "USD", Asker(made.pk, anew=True))
    assert found.persons_unknown
    assert {one.reach for one in found.sums.values()} == {None}


def test_the_tables_of_places_are_whole() -> None:
    assert set(outlines()) == set(STATES)
    assert all(path.startswith("M") and path.endswith("z") for path in outlines().values())
    assert {one.state for one in zips().values()} == set(STATES)
    assert set(spellings().values()) == set(STATES)
    by_prefix, odd = states_of_zips()
    for one in zips().values():
        assert odd.get(one.code, by_prefix[one.code[:3]]) == one.state
    for state in STATES:
        view, paths = outlines_near(state)
        assert state in paths
        assert abs(view.width / view.height - 1022 / 598) < 0.001
    for one in list(zips().values())[::50]:
        view, _ = outlines_near(one.state)
        assert view.left <= one.x <= view.left + view.width
        assert view.top <= one.y <= view.top + view.height


def test_classes_have_about_as_many_places() -> None:
    scale = Scale([Decimal(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 1000)], "count", "USD")
    assert [shade.words for shade in scale.legend] == ["1–2", "3–4", "5–6", "7–8", "9–1,000"]
    assert [scale.shade_of(Decimal(n)) for n in (1, 4, 1000, 0)] == [1, 2, 5, 0]
    alone = Scale([Decimal("0.5")], "percent", "USD")
    assert [(one.number, one.words) for one in alone.legend] == [(5, "50.00 %")]
    assert Scale([], "count", "USD").legend == []


def test_circles_have_the_area_of_the_figure() -> None:
    sums = {"10013": Totals(impressions=400), "11211": Totals(impressions=100), "00000": Totals(impressions=9)}
    large, small = map_of_zips("NY", sums, BY_KEY["impressions"], "USD").circles
    assert (large.name, small.name) == ("10013 New York", "11211 Brooklyn")
    assert large.radius / small.radius == pytest.approx(2)


@pytest.fixture
def get(org: Organisation, as_persona: SignIn) -> Callable[..., Any]:
    client = as_persona("super_admin")
    return lambda query="?range=7d", **headers: client.get(f"/o/{org.slug}/geography/{query}", headers=headers or None)


def test_the_page_ranks_and_leads_on(org: Organisation, get: Callable[..., Any]) -> None:
    context = get().context
    rows = context["places"]["rows"]
    wanted = by_hand(org)
    assert [row["name"] for row in rows[-1:]] == ["Elsewhere or not known"]
    impressions = [row["cells"][1]["text"] for row in rows]
    assert rows[0]["name"] == "New York"
    assert impressions[0] == f"{wanted['NY'][0]:,}"
    assert impressions[-1] == f"{wanted[''][0]:,}"
    assert rows[0]["url"] == "?range=7d&state=NY"
    shapes = {shape.code: (shape.shade, url) for shape, url in context["map"]["shapes"]}
    assert shapes["NY"] == (5, "?range=7d&state=NY")
    assert shapes["WY"][0] == 0


def test_one_state_by_zip_code(get: Callable[..., Any]) -> None:
    page = get("?range=7d&state=NY&metric=reach&sort=name")
    names = [row["name"] for row in page.context["places"]["rows"]]
    assert names == ["06390 Fishers Island", "10013 New York", "11211 Brooklyn", "Without a ZIP code"]
    assert len(page.context["map"]["drawn"].circles) == 3
    assert b"GeoNames" in page.content


def test_csv_has_all_places(org: Organisation, get: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(get("?range=7d&format=csv").content.decode().splitlines()))
    assert {row["state"]: int(row["impressions"]) for row in rows} == {
        place: one[0] for place, one in by_hand(org).items()
    }


@pytest.mark.parametrize(
    "query",
    ["?state=ZZ", "?state=%00", "?metric=x", "?sort=x", "?by=state", "?state=NY&sort=reach", "?state=" + "x" * 999],
)
def test_what_is_not_known_is_refused(query: str, get: Callable[..., Any]) -> None:
    answer = get(query)
    assert answer.status_code == 400
    assert any(word in answer.content.decode() for word in ("use one of", "did you mean", "must", "cannot"))


def test_what_sources_wrote_is_never_markup(get: Callable[..., Any]) -> None:
    assert b"DROP TABLE" not in get("?range=7d").content


def test_one_event_no_event_and_a_fragment(world: World, as_persona: SignIn, get: Callable[..., Any]) -> None:
    assert as_persona("super_admin").get(f"/o/{world.slug('platform')}/geography/").context["is_empty"]
    one = as_persona("stranger").get(f"/o/{world.slug('rival')}/geography/?range=7d")
    assert [row["name"] for row in one.context["places"]["rows"]] == ["Elsewhere or not known"]
    assert "No place of this range is known." in one.content.decode()
    fragment = get(**{"HX-Request": "true", "HX-Target": "places"})
    assert b"<html" not in fragment.content
    assert b'id="map-drawn"' in fragment.content
    none = get("?start=2030-01-01&end=2030-01-05")
    assert none.context["nothing_here"]
