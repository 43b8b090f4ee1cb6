"""Filters of the overview: in the URL, several values, chips; and figures of roll-ups that agree with raw events."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.errors import InvalidInput
from apps.common.period import Period
from apps.omg.dimensions import COLUMNS, Dimension
from apps.omg.filters import MOST_VALUES, Filters, read_filters
from apps.omg.queries import choices, performance
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, create_organisation
from apps.warehouse.public import execute
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

SignIn = Callable[[str | None], Client]
VALUES = {
    Dimension.PLATFORM: ("hulu", "linear"), Dimension.CHANNEL: ("tv", "video"), Dimension.CAMPAIGN: ("a", "b"),
    Dimension.DEVICE: ("ctv", "mobile", ""), Dimension.COUNTRY: ("US", "NP", ""), Dimension.PUBLISHER: ("x", "=y"),
    Dimension.CREATIVE: ("cr1", "cr2"), Dimension.LINE_ITEM: ("li1", "li2", ""),
    Dimension.AUDIENCE: ("eco_renters", ""), Dimension.REGION: ("CA", "NY", ""),
    Dimension.POSTAL_CODE: ("10013", "94105", ""),
}  # fmt: skip


def detailed(number: int) -> dict[str, Any]:
    drawn = number * 7919 % 10_007
    at = YESTERDAY_NOON - timedelta(minutes=drawn % 4000)
    one = event("click" if drawn % 5 == 0 else "impression", at, platform=("hulu", "linear")[drawn % 2],
                campaign="ab"[drawn // 2 % 2], price=10)  # fmt: skip
    one |= {"event_id": f"detail-{number}", "user_id": f"p{drawn % 30}"}
    one["source"] |= {"publisher": ("x", "=y")[drawn // 4 % 2], "creative_id": f"cr{1 + drawn // 8 % 2}"}
    one["context"] = {
        "device": {"type": VALUES[Dimension.DEVICE][drawn // 3 % 3]},
        "geo": {"country": VALUES[Dimension.COUNTRY][drawn // 9 % 3]},
    }
    return finer(one, drawn, VALUES)


def finer(one: dict[str, Any], drawn: int, values: Mapping[Dimension, Sequence[str]]) -> dict[str, Any]:
    """With line item, audience and place, each of them missing now and then."""
    one["source"]["line_item_id"] = values[Dimension.LINE_ITEM][drawn // 5 % 3]
    one["cohort_id"] = values[Dimension.AUDIENCE][drawn // 7 % 2]
    one["context"]["geo"] |= {
        "region": values[Dimension.REGION][drawn // 11 % 3],
        "postal_code": values[Dimension.POSTAL_CODE][drawn // 17 % 3],
    }
    return {name: value for name, value in one.items() if value != ""}


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    slug = f"filters-{uuid4().hex[:10]}"
    with django_db_blocker.unblock():
        made, _ = create_organisation(
            actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
        )
        import_lines(slug, [detailed(number) for number in range(300)])
    return made


FILTERS = st.fixed_dictionaries(
    {}, optional={one: st.lists(st.sampled_from([*values, "?"]), min_size=1, unique=True).map(tuple)
                  for one, values in VALUES.items()},
).map(Filters)  # fmt: skip
RAW = """
SELECT {column} AS name, count() AS events, countIf(event_type = 'click') AS clicks, sum(spend) AS spend
FROM events WHERE org_id = {{org_id:UUID}} AND 1{only} GROUP BY name
"""


@given(filters=FILTERS, dimension=st.sampled_from(list(Dimension)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_filters_and_any_table_agree_with_raw_events(
    org: Organisation, filters: Filters, dimension: Dimension
) -> None:
    day = YESTERDAY_NOON.date()
    rows = performance.fetch(org.pk, Period(day - timedelta(days=5), day, "Asia/Kathmandu"), dimension, filters)
    found: dict[str, tuple[int, int, object]] = {}
    for row in rows:
        events, clicks, spend = found.get(row.name, (0, 0, 0))
        found[row.name] = (events + row.events, clicks + row.clicks, spend + row.spend)  # type: ignore[operator]
    sql = RAW.format(column=COLUMNS[dimension], only=filters.condition)
    raw = execute(org.pk, "test.raw", sql, filters.bound)
    assert found == {row["name"]: (row["events"], row["clicks"], row["spend"]) for row in raw}


def test_choices_are_what_occurs(org: Organisation, world: World) -> None:
    day = YESTERDAY_NOON.date()
    period = Period(day - timedelta(days=5), day, "UTC")
    found = choices.fetch(org.pk, period)
    assert {one: sorted(values) for one, values in found.items()} == {
        one: sorted(values) for one, values in VALUES.items()
    }
    assert "autumn" not in str(found)
    assert "autumn" in choices.fetch(world.orgs["buyer"].pk, period)[Dimension.CAMPAIGN]


@pytest.fixture
def get(org: Organisation, as_persona: SignIn) -> Callable[..., Any]:
    client = as_persona("super_admin")
    return lambda query="", **headers: client.get(f"/o/{org.slug}/{query}", headers=headers or None)


@pytest.mark.django_db
def test_filters_are_chips_that_take_themselves_away(get: Callable[..., Any]) -> None:
    context = get("?range=7d&platform=hulu&device=ctv&device=&by=publisher").context
    chips = {chip.label: chip.url for chip in context["filters"]["chips"]}
    assert list(chips) == ["Platform: Hulu", "Device: ctv", "Device: (no device)"]
    assert chips["Device: ctv"] == "?range=7d&by=publisher&platform=hulu&device="
    assert context["filters"]["clear_url"] == "?range=7d&by=publisher"
    assert [row["url"] for row in context["breakdown"]["rows"]] == [
        f"?range=7d&by=publisher&platform=hulu&device=ctv&device=&publisher={value}"
        for value in [row["value"].replace("=", "%3D") for row in context["breakdown"]["rows"]]
    ]


@pytest.mark.django_db
def test_as_many_and_as_long_values_as_may_be(get: Callable[..., Any]) -> None:
    """More than a URL between our own processes holds."""
    values = "&".join(f"campaign={'é' * 295}{number}" for number in range(MOST_VALUES))
    assert get(f"?range=7d&{values}").status_code in {200, 404}


@pytest.mark.django_db
def test_every_link_keeps_the_filters(get: Callable[..., Any]) -> None:
    context = get("?range=7d&platform=hulu&platform=linear&device=ctv").context
    links = [*context["trend"]["metric_links"], *context["breakdown"]["by_links"], *context["range"]["presets"]]
    urls = [link.url for link in links] + [context["trend"]["csv_url"], context["breakdown"]["csv_url"]]
    assert all("platform=hulu&platform=linear&device=ctv" in url for url in urls)


@pytest.mark.django_db
def test_the_form_of_the_range_keeps_all_values(get: Callable[..., Any]) -> None:
    page = get("?range=7d&platform=hulu&platform=linear").content.decode()
    assert page.count('<input type="hidden" name="platform"') == 2


@pytest.mark.django_db
def test_choices_come_when_they_are_asked_for(get: Callable[..., Any]) -> None:
    assert get("?range=7d").context["filters"]["groups"] == []
    fragment = get("?range=7d&country=NP&choose=filters", **{"HX-Request": "true", "HX-Target": "filters"})
    assert b"<html" not in fragment.content
    groups = {group["key"]: group["choices"] for group in fragment.context["filters"]["groups"]}
    assert list(groups) == list(Dimension)
    assert {one.name: one.chosen for one in groups["country"]} == {"NP": True, "US": False, "(no country)": False}
    assert b"choose" not in str(fragment.context["filters"]["state"]).encode()


@pytest.mark.django_db
def test_reach_says_where_it_is_not_known(get: Callable[..., Any]) -> None:
    def told(query: str) -> tuple[str, bool]:
        context = get(query).context
        return next(one.value for one in context["figures"] if one.key == "reach"), bool(context["reach_note"])

    # Of 30 persons those whose number divides by 5 have only clicks; the even ones are Hulu's.
    assert told("?range=7d&device=ctv") == ("–", True)
    assert told("?range=7d&by=device") == ("24", True)
    assert told("?range=7d&platform=hulu") == ("12", False)


@pytest.mark.django_db
def test_values_that_do_not_occur_leave_nothing_and_a_way_back(get: Callable[..., Any]) -> None:
    page = get("?range=7d&publisher=nobody")
    assert "No events match these filters" in page.content.decode()
    assert 'href="?range=7d"' in page.content.decode()
    assert "import_events" not in page.content.decode()


@pytest.mark.django_db
def test_an_unknown_filter_is_an_error_that_names_those_there_are(get: Callable[..., Any]) -> None:
    page = get("?range=7d&platfrom=hulu")
    assert page.status_code == 400
    assert "There is no filter &#x27;platfrom&#x27;; use one of platform, channel" in page.content.decode()


@pytest.mark.parametrize(
    "query", ["&".join(f"device={n}" for n in range(MOST_VALUES + 1)), "country=" + "x" * 301, "org_id=1"]
)
def test_limits(query: str) -> None:
    with pytest.raises(InvalidInput, match=r"at most|no filter"):
        read_filters(QueryDict(query))


@pytest.mark.django_db
def test_two_tenants_never_mix(world: World, as_persona: SignIn) -> None:
    page = as_persona("viewer").get(f"/o/{world.slug('buyer')}/?range=90d&campaign=rivals-secret&choose=filters")
    assert page.context["nothing_here"]
    names = [one.name for group in page.context["filters"]["groups"] for one in group["choices"] if not one.chosen]
    assert "rivals-secret" not in names
    assert "autumn" in names
