"""The page of reach: overlaps, what platforms add and how often persons saw ads, against the raw events, exactly."""

import csv
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.period import Period
from apps.measurement.actions import Wish, set_universe
from apps.omg.dimensions import Dimension
from apps.omg.filters import Filters
from apps.omg.queries import frequency, overlap
from apps.omg.reach import Audience, steps
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, Actor, Role, acting, in_schema_of
from apps.warehouse.gateway import client
from apps.warehouse.public import execute
from tests.omg.test_reach import FILTERS, FIRST, PERIODS, make_org, scattered
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

SignIn = Callable[[str | None], Client]
PLATFORMS = ("hulu", "linear", "disney", "retail", "roku", "samsung", "vizio")
SEEN = """
SELECT person_id, platform, count() AS times FROM events
WHERE org_id = {{org_id:UUID}} AND event_type = 'impression' AND person_id != ''
    AND timestamp >= {{first:DateTime('UTC')}} AND timestamp < {{end:DateTime('UTC')}}{only}
GROUP BY person_id, platform
"""


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        made, other = make_org(), make_org()
        # Three platforms with many persons; seven with few, so that some of them are one set.
        many = [
            event("impression", FIRST + timedelta(days=1, minutes=n), platform=PLATFORMS[n % 7], campaign="seven")
            | {"event_id": f"many-{n}", "user_id": f"few{n * n % 23}"}
            for n in range(120)
        ]
        import_lines(made.slug, [*scattered(1), *many], "--history")
        import_lines(other.slug, scattered(2), "--history")
    return made


def seen(org: Organisation, period: Period, filters: Filters) -> dict[str, dict[str, int]]:
    """Of each person, how often on which platform: from raw events, by another way than the product's."""
    bound = {"first": period.since, "end": period.until, **filters.bound}
    found: dict[str, dict[str, int]] = {}
    for row in execute(org.pk, "test.seen", SEEN.format(only=filters.condition), bound):
        found.setdefault(row["person_id"], {})[row["platform"]] = row["times"]
    return found


@given(period=PERIODS, filters=st.just(Filters()) | FILTERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_combination_of_platforms_agrees_with_raw_events(
    org: Organisation, period: Period, filters: Filters
) -> None:
    audience = Audience(overlap.fetch(org.pk, period, filters))
    by_person = seen(org, period, filters)
    wanted: dict[tuple[int, ...], int] = {}
    for platforms in by_person.values():
        places = tuple(place for place, names in enumerate(audience.sets) if set(names) & set(platforms))
        wanted[places] = wanted.get(places, 0) + 1
    assert audience.combinations == wanted
    assert audience.reach == len(by_person)
    for one in audience.build_up():
        names = set(audience.sets[one.place])
        assert one.reach == sum(1 for platforms in by_person.values() if names & set(platforms))
        assert one.exclusive == sum(1 for platforms in by_person.values() if names >= set(platforms))


@given(period=PERIODS, filters=st.just(Filters()) | FILTERS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_how_often_agrees_with_raw_events(org: Organisation, period: Period, filters: Filters) -> None:
    audience = Audience(overlap.fetch(org.pk, period, filters))
    found = frequency.fetch(org.pk, period, filters, audience.sets)
    by_person = seen(org, period, filters)
    groups: list[tuple[int | None, set[str]]] = [(None, set(PLATFORMS))]
    groups += [(place, set(names)) for place, names in enumerate(audience.sets)]
    for place, names in groups:
        times = [sum(n for name, n in of.items() if name in names) for of in by_person.values()]
        for step in steps(found.persons[place], frequency.MOST):
            assert step.at_least == sum(1 for often in times if often >= step.times)
            assert step.times == frequency.MOST or step.exactly == times.count(step.times)


def test_finer_filters_are_answered_from_single_events_alike(org: Organisation) -> None:
    period = Period(FIRST.date(), (FIRST + timedelta(days=12)).date(), "America/New_York")
    narrow = Audience(overlap.fetch(org.pk, period, Filters()))
    fine = Audience(overlap.fetch(org.pk, period, Filters({Dimension.DEVICE: ("",)})))
    assert fine.combinations == narrow.combinations
    assert fine.sets == narrow.sets


def test_seven_platforms_are_five_and_others(org: Organisation) -> None:
    period = Period(FIRST.date(), (FIRST + timedelta(days=12)).date(), "UTC")
    audience = Audience(overlap.fetch(org.pk, period, Filters({Dimension.CAMPAIGN: ("seven",)})))
    assert [len(names) for names in audience.sets] == [1, 1, 1, 1, 1, 2]
    assert audience.name_of(5) == "2 others"
    assert audience.place_of(audience.sets[5][0]) is None


def test_each_platform_adds_what_those_before_did_not_have() -> None:
    """Sets A = {1..6}, B = {5..9}, C = {1, 2, 10}: by hand."""
    people = {0: set(range(1, 7)), 1: set(range(5, 10)), 2: {1, 2, 10}}
    shared = {
        places: len(set.intersection(*(people[place] for place in places)))
        for size in (1, 2, 3) for places in combinations(range(3), size)
    }  # fmt: skip
    audience = Audience(overlap.Overlap((("a",), ("b",), ("c",)), shared))
    assert audience.combinations == {(0,): 2, (0, 1): 2, (1,): 3, (0, 2): 2, (2,): 1} | {}
    assert [(one.place, one.incremental, one.cumulative) for one in audience.build_up()] == [
        (0, 6, 6), (1, 3, 9), (2, 1, 10),
    ]  # fmt: skip
    assert [(one.place, one.exclusive, one.incremental) for one in audience.build_up(2)] == [
        (2, 1, 3), (1, 3, 5), (0, 2, 2),
    ]  # fmt: skip


def admin(org: Organisation) -> Actor:
    return Actor("admin", frozenset({(org.pk, Role.ORG_ADMIN)}))


def set_for(org: Organisation, wish: Wish) -> None:
    with acting(SERVICE), in_schema_of(org):
        set_universe(actor=admin(org), org=org, wish=wish)


@pytest.fixture
def get(world: World, as_persona: SignIn) -> Callable[..., Any]:
    client, path = as_persona("viewer"), f"/o/{world.slug('buyer')}/reach/"
    return lambda query="?range=7d", **headers: client.get(path + query, headers=headers or None)


def test_figures_by_hand(world: World, get: Callable[..., Any]) -> None:
    """Persons 0 to 3 saw Hulu once each, 0 and 1 linear too: 6 impressions. A universe of 50 persons."""
    assert {one.key: one.value for one in get().context["figures"]} == {
        "reach": "4", "reached_part": "–", "frequency": "1.50", "effective": "0", "grp": "–", "trp": "–",
    }  # fmt: skip
    set_for(world.orgs["buyer"], Wish("Everybody", 50))
    context = get().context
    figures = {one.key: one for one in context["figures"]}
    assert (figures["grp"].value, figures["reached_part"].value) == ("12.00", "8.00 %")
    # GRP is reached part in percent × frequency, by definition: 8 × 1.5.
    assert "50 persons" in figures["grp"].definition
    rows = {row["name"]: [cell["text"] for cell in row["cells"]] for row in context["build_up"]["rows"]}
    assert rows == {
        "Hulu": ["4", "2", "4", "4", "100.00 %", "8.00 %", "1.00", "8.00", "$20.00", "$20.00"],
        "Linear TV": ["2", "0", "0", "4", "100.00 %", "8.00 %", "1.00", "4.00", "$10.00", "–"],
    }
    assert [(row["words"], row["persons"]) for row in context["overlap"]["rows"]] == [
        ("Hulu only", "2"), ("Hulu + Linear TV", "2"),
    ]  # fmt: skip
    assert [row[:4] for row in context["frequency"]["table"]["rows"]] == [
        ["1", "2", "50.00 %", "4"], ["2", "2", "50.00 %", "2"],
    ]  # fmt: skip


@pytest.fixture(scope="module")
def targeted(world: World, django_db_blocker: Any) -> Organisation:
    """Of 20 impressions yesterday 8 are to two of the three cohorts, 4 of these on Hulu; 4 a week before."""
    events = [
        event("impression", YESTERDAY_NOON, platform="hulu" if n % 5 == 0 else "linear", campaign="c", number=n)
        | {"cohort_id": ("a", "b", "c", "c", "c")[n % 5]}
        for n in range(20)
    ]  # fmt: skip
    earlier = [
        event("impression", YESTERDAY_NOON - timedelta(days=7), platform="hulu", campaign="c", number=n)
        | {"cohort_id": "a"} for n in range(4)
    ]  # fmt: skip
    first = event("click", YESTERDAY_NOON - timedelta(days=12), platform="hulu", campaign="c") | {"cohort_id": "a"}
    with django_db_blocker.unblock():
        made = make_org()
        import_lines(made.slug, [*events, *earlier, first])
    return made


def test_target_rating_points_are_of_the_targets_cohorts(targeted: Organisation, as_persona: SignIn) -> None:
    set_for(targeted, Wish("All", 100, "Some", 16, ("a", "b", "nobody")))
    client, path = as_persona("super_admin"), f"/o/{targeted.slug}/reach/?range=7d"

    def trp(query: str) -> tuple[str, str]:
        figures = client.get(path + query).context["figures"]
        return next((one.value, one.change) for one in figures if one.key == "trp")

    assert trp("") == ("50.00", "+100.0 %")
    assert trp("&platform=hulu") == ("25.00", "±0.0 %")
    assert trp("&platform=retail") == ("0.00", "")


def test_the_reach_is_the_overviews(world: World, as_persona: SignIn, get: Callable[..., Any]) -> None:
    overview = as_persona("viewer").get(f"/o/{world.slug('buyer')}/?range=30d").context["figures"]
    theirs = {one.key: (one.value, one.change) for one in overview if one.key in {"reach", "frequency"}}
    ours = {one.key: (one.value, one.change) for one in get("?range=30d").context["figures"] if one.key in theirs}
    assert ours == theirs


def test_a_platform_to_begin_with(get: Callable[..., Any]) -> None:
    names = [row["name"] for row in get("?range=7d&begin=linear").context["build_up"]["rows"]]
    assert names == ["Linear TV", "Hulu"]
    gone = get("?range=7d&begin=retail").context["build_up"]
    assert (gone["not_there"], gone["begin_links"][0].current) == ("Retail media", True)


def test_tables_as_csv(get: Callable[..., Any]) -> None:
    def rows(table: str) -> list[dict[str, str]]:
        return list(csv.DictReader(get(f"?range=7d&format=csv&table={table}").content.decode().splitlines()))

    assert [row["persons"] for row in rows("overlap")] == ["2", "2"]
    assert [(row["platform"], row["incremental"]) for row in rows("build-up")] == [("Hulu", "4"), ("Linear TV", "0")]
    assert [(row["times"], row["at_least"]) for row in rows("frequency")] == [("1", "4"), ("2", "2")]


@pytest.mark.parametrize(
    "query", ["?times=x", "?format=csv&table=x", "?by=platform", "?range=9y", "?platform=" + "x" * 301]
)
def test_what_is_not_known_is_refused(query: str, get: Callable[..., Any]) -> None:
    response = get(query)
    assert response.status_code == 400
    assert any(word in response.content.decode() for word in ("use one of", "must"))


@pytest.mark.parametrize(
    "query", ["?begin=%00%3Cb%3E", "?platform=%00", "?campaign=%3Cscript%3E", "?begin=" + "%F0%9F%98%80" * 400]
)
def test_odd_values_are_only_values(query: str, get: Callable[..., Any]) -> None:
    response = get(query)
    assert response.status_code in {200, 400}
    assert b"<script>" not in response.content


def test_fragments_by_their_target(get: Callable[..., Any]) -> None:
    for target in ("build-up", "frequency"):
        fragment = get(**{"HX-Request": "true", "HX-Target": target})
        assert b"<html" not in fragment.content
        assert f'id="{target}"'.encode() in fragment.content


def test_without_data_and_with_one_event(world: World, as_persona: SignIn) -> None:
    nothing = as_persona("super_admin").get(f"/o/{world.slug('platform')}/reach/")
    assert nothing.context["is_empty"]
    # The rival has one event, a sale: nobody was reached.
    one = as_persona("stranger").get(f"/o/{world.slug('rival')}/reach/?range=7d")
    assert one.status_code == 200
    assert {figure.key: figure.value for figure in one.context["figures"]}["reach"] == "0"
    assert b"Nobody is known to have seen an ad" in one.content
    assert b"autumn" not in one.content


@pytest.fixture(scope="module")
def spoiled(world: World, django_db_blocker: Any) -> Organisation:
    """Single events of one platform are gone, as they go after some days; the roll-ups stay."""
    with django_db_blocker.unblock():
        made = make_org()
        import_lines(made.slug, scattered(3), "--history")
        client().command(
            f"ALTER TABLE events DELETE WHERE org_id = '{made.pk}' AND platform = 'disney'",
            settings={"mutations_sync": 1},
        )
    return made


def test_events_that_are_gone_are_not_counted_for_all(spoiled: Organisation, as_persona: SignIn) -> None:
    """The page says so instead of telling frequencies of a part."""
    query = f"?start={FIRST:%Y-%m-%d}&end={FIRST + timedelta(days=12):%Y-%m-%d}"
    page = as_persona("super_admin").get(f"/o/{spoiled.slug}/reach/{query}")
    assert "are left" in page.context["gone"]
    figures = {one.key: one for one in page.context["figures"]}
    assert figures["reach"].value != "–"
    assert (figures["effective"].value, figures["effective"].note) == ("–", "events not kept")
    assert b'id="overlap"' in page.content
    fine = as_persona("super_admin").get(f"/o/{spoiled.slug}/reach/{query}&device=")
    assert {one.key: one.value for one in fine.context["figures"]}["reach"] == "–"
    assert b'id="overlap"' not in fine.content


def test_yesterday_in_another_zone(world: World) -> None:
    day = YESTERDAY_NOON.date()
    period = Period(day + timedelta(days=1), day + timedelta(days=1), "Pacific/Kiritimati")
    assert Audience(overlap.fetch(world.orgs["buyer"].pk, period, Filters())).reach == 4
