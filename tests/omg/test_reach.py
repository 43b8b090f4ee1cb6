"""Reach is the exact number of distinct persons of any range, in any zone, under any filter, of one tenant."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.period import AFTER_ALL, Period
from apps.omg.dimensions import COLUMNS, NARROW, Dimension
from apps.omg.filters import Filters
from apps.omg.queries import reach, tiles
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, create_organisation
from apps.warehouse.public import execute
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

SignIn = Callable[[str | None], Client]
# A day of 25 hours and one of 23 in New York are among them, and quarters of an hour that are nobody's whole hours.
FIRST = datetime(2025, 10, 28, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/St_Johns")
EXACT = """
SELECT uniqExact(person_id) AS persons
FROM events
WHERE org_id = {{org_id:UUID}} AND event_type = 'impression' AND person_id != ''
    AND toStartOfFifteenMinutes(timestamp) >= {{first:DateTime('UTC')}}
    AND toStartOfFifteenMinutes(timestamp) < {{end:DateTime('UTC')}}{only}
"""


def make_org() -> Organisation:
    slug = f"reach-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def scattered(seed: int) -> list[dict[str, Any]]:
    """Twelve days of events, most of them at odd minutes around midnights; some clicks, some without consent."""
    made = []
    for number in range(700):
        drawn = (number * 7919 + seed * 104_729) % 1_000_003
        at = FIRST + timedelta(days=drawn % 12, minutes=(drawn // 12) % 97 * 15 - 30, seconds=drawn % 900)
        one = event(
            "click" if drawn % 11 == 0 else "impression", at, platform=("hulu", "linear", "disney")[drawn % 3],
            campaign=f"c{drawn // 7 % 4}",
        )  # fmt: skip
        one |= {"event_id": f"{seed}-{number}", "user_id": f"p{drawn // 3 % 90}"}
        one["consent"] = {"status": "denied" if drawn % 13 == 0 else "granted"}
        made.append(one)
    return made


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        made, other = make_org(), make_org()
        import_lines(made.slug, scattered(1), "--history")
        import_lines(other.slug, scattered(2), "--history")
    return made


def exact(org: Organisation, first: datetime, end: datetime, filters: Filters) -> int:
    bound = {"first": first, "end": end, **filters.bound}
    return int(execute(org.pk, "test.exact", EXACT.format(only=filters.condition), bound)[0]["persons"])


PERIODS = st.builds(
    lambda start, days, zone, minutes: Period(
        (FIRST + timedelta(days=start)).date(), (FIRST + timedelta(days=start + days)).date(), zone,
        now=AFTER_ALL if minutes is None else FIRST + timedelta(minutes=minutes),
    ),
    st.integers(-3, 12), st.integers(0, 9), st.sampled_from(ZONES), st.none() | st.integers(0, 15 * 24 * 60),
)  # fmt: skip
FILTERS = st.builds(
    Filters,
    st.dictionaries(
        st.sampled_from([Dimension.PLATFORM, Dimension.CAMPAIGN]),
        st.lists(st.sampled_from(["hulu", "linear", "c0", "c2", "no such"]), min_size=1, max_size=3).map(tuple),
        max_size=2,
    ),
)


@given(period=PERIODS, filters=st.just(Filters()) | FILTERS, dimension=st.sampled_from(sorted(NARROW)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_range_agrees_with_the_count_of_distinct_persons(
    org: Organisation, period: Period, filters: Filters, dimension: Dimension
) -> None:
    found = reach.fetch(org.pk, period, dimension, filters)
    assert found.current == exact(org, period.since, period.until, filters)
    assert found.so_far == exact(org, period.since, period.cut, filters)
    assert found.before == exact(org, period.previous.since, period.previous_cut, filters)
    for name, persons in (found.by_name or {}).items():
        narrower = Filters({**filters.chosen, dimension: (name,)})
        assert persons == exact(org, period.since, period.until, narrower)


@given(period=PERIODS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_are_those_of_the_zone(org: Organisation, period: Period) -> None:
    found = reach.fetch_by_day(org.pk, period, Filters()) or {}
    for day in period.dates:
        first, end = (midnight(one, period.time_zone) for one in (day, day + timedelta(days=1)))
        assert found.get(day, 0) == exact(org, first, end, Filters())


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(period=PERIODS)
def test_parts_of_a_range_leave_no_gap_and_never_overlap(period: Period) -> None:
    found = tiles.split(reach.spans_of(period))
    assert [one for one in found if one.first >= one.end] == []
    for left, right in pairwise(found):
        if left.part == right.part:
            assert left.end == right.first
    assert len([one for one in found if one.is_days]) <= 3


def test_what_is_finer_than_persons_are_kept_has_no_reach(org: Organisation) -> None:
    period = Period(FIRST.date(), (FIRST + timedelta(days=11)).date(), "UTC")
    found = reach.fetch(org.pk, period, Dimension.DEVICE, Filters())
    assert (found.current, found.by_name) == (exact(org, period.since, period.until, Filters()), None)
    assert reach.fetch(org.pk, period, Dimension.PLATFORM, Filters({Dimension.DEVICE: ("ctv",)})) == reach.Reach()
    assert set(COLUMNS) == set(Dimension)


@pytest.mark.django_db
def test_the_page_tells_persons_once_and_parts_above_the_whole(world: World, as_persona: SignIn) -> None:
    """Persons 0 to 3 saw Hulu yesterday, 0 and 1 linear too: reach 4, and not 6."""
    context = as_persona("viewer").get(f"/o/{world.slug('buyer')}/?range=7d&sort=name").context
    figures = {one.key: (one.value, one.change) for one in context["figures"]}
    assert figures["reach"] == ("4", "")
    assert figures["frequency"] == ("1.50", "")
    place = [column["key"] for column in context["breakdown"]["columns"]].index("reach") - 1
    cells = {row["name"]: row["cells"][place]["text"] for row in context["breakdown"]["rows"]}
    assert cells == {"Hulu": "4", "Linear TV": "2"}
    assert context["breakdown"]["total"]["cells"][place]["text"] == "4"


@pytest.mark.django_db
def test_the_change_of_reach_is_a_change_of_persons(world: World, as_persona: SignIn) -> None:
    figures = as_persona("viewer").get(f"/o/{world.slug('buyer')}/?range=30d").context["figures"]
    # The 30 days before have one person, with two impressions 28 days apart.
    assert next((one.value, one.change) for one in figures if one.key == "reach") == ("4", "+300.0 %")
    assert next(one.change for one in figures if one.key == "frequency") == "−25.0 %"


@pytest.mark.django_db
def test_reach_by_day_is_in_the_chart_and_its_csv(world: World, as_persona: SignIn) -> None:
    client, url = as_persona("viewer"), f"/o/{world.slug('buyer')}/?range=7d&metric=reach"
    trend = client.get(url).context["trend"]
    assert [value for value in trend["json"]["data"][0]["y"] if value] == [4]
    assert trend["subtitle"].startswith("persons, days in UTC")
    rows = list(csv.DictReader(client.get(f"{url}&format=csv&table=trend").content.decode().splitlines()))
    assert {row["day"]: row["reach"] for row in rows}[f"{YESTERDAY_NOON:%Y-%m-%d}"] == "4"
    rows = list(csv.DictReader(client.get(f"{url}&format=csv&table=breakdown").content.decode().splitlines()))
    assert {row["platform"]: (row["reach"], row["frequency"]) for row in rows}["Linear TV"] == ("2", "1")


@pytest.mark.django_db
def test_two_tenants_are_never_joined(world: World, as_persona: SignIn) -> None:
    figures = as_persona("stranger").get(f"/o/{world.slug('rival')}/?range=7d").context["figures"]
    assert next(one.value for one in figures if one.key == "reach") == "0"
    assert next(one.value for one in figures if one.key == "frequency") == "–"
