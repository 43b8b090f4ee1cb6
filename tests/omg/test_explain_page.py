"""Explain this number: the figure of the page it was pressed on, its parts against raw events, and honest doubts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.omg.metrics import EVERY
from apps.orgs.models import Organisation
from apps.warehouse.gateway import client as warehouse
from tests.omg.test_figures import FIRST, make_org, scattered
from tests.support.world import YESTERDAY_NOON, World, import_lines

SignIn = Callable[[str | None], Client]
RANGE = f"?start={FIRST:%Y-%m-%d}&end={FIRST + timedelta(days=12):%Y-%m-%d}"


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        made, other = make_org(time_zone="America/New_York"), make_org()
        import_lines(made.slug, scattered(1), "--history")
        import_lines(other.slug, scattered(2), "--history")
    return made


@pytest.fixture(scope="module")
def others(world: World, django_db_blocker: Any) -> list[Organisation]:
    """Two whose data a test spoils."""
    with django_db_blocker.unblock():
        made = [make_org(), make_org()]
        for number, one in enumerate(made):
            import_lines(one.slug, scattered(3 + number), "--history")
    return made


@pytest.fixture
def get(org: Organisation, as_persona: SignIn) -> Callable[..., Any]:
    client = as_persona("super_admin")
    return lambda metric, query=RANGE: client.get(f"/o/{org.slug}/explain/{metric}/{query}")


@pytest.mark.parametrize("metric", EVERY)
@pytest.mark.parametrize("more", ["", "&platform=hulu", "&device=ctv&device=&platform=linear"])
def test_every_number_agrees_with_its_single_events(metric: str, more: str, get: Callable[..., Any]) -> None:
    page = get(metric, RANGE + more)
    found = page.context["found"]
    assert found.agrees, found.checks
    assert found.events == found.single_events > 0
    assert {check.told for check in found.checks} == {check.counted for check in found.checks}
    assert "give exactly this" in page.content.decode()


def test_it_is_the_figure_of_the_page(org: Organisation, as_persona: SignIn, get: Callable[..., Any]) -> None:
    """From the overview's popover to the same value, under the same filters."""
    client = as_persona("super_admin")
    overview = client.get(f"/o/{org.slug}/{RANGE}&platform=hulu&by=device&sort=-ctr")
    figures = {one.key: one.value for one in overview.context["figures"]}
    for key, value in figures.items():
        url = f"/o/{org.slug}/explain/{key}/{RANGE}&platform=hulu"
        assert url.replace("&", "&amp;").encode() in overview.content
        assert client.get(url).context["value"]["text"] == value


def test_of_one_campaign(world: World, as_persona: SignIn) -> None:
    client = as_persona("viewer")
    page = client.get(f"/o/{world.slug('buyer')}/campaigns/autumn/?range=7d&platform=hulu")
    url = f"/o/{world.slug('buyer')}/explain/cpm/?range=7d&platform=hulu&campaign=autumn"
    assert url.replace("&", "&amp;").encode() in page.content
    explained = client.get(url)
    assert explained.context["value"] == {
        "text": "$20.00", "exact": "Exactly 20 USD", "formula": "1,000 × spend $0.08 / impressions 4",
    }  # fmt: skip
    facts = dict(explained.context["facts"])
    assert facts["Filters"] == "platform: Hulu; campaign: autumn"
    assert facts["Source"].startswith("Table performance:")
    assert facts["Time zone"].startswith("UTC")
    assert explained.context["tag"] == f"omg.figures org={world.orgs['buyer'].pk}"


def test_days_are_those_of_the_zone_across_a_change_of_clocks(get: Callable[..., Any]) -> None:
    """2 November 2025 has 25 hours in New York."""
    facts = dict(get("clicks", "?start=2025-11-02&end=2025-11-02").context["facts"])
    assert facts["In UTC"] == "from 2 November 2025, 04:00 up to, not including, 3 November 2025, 05:00"
    assert facts["State"].startswith("Final")


def test_a_sample_of_what_it_is_made_of(world: World, as_persona: SignIn) -> None:
    viewer = as_persona("viewer").get(f"/o/{world.slug('buyer')}/explain/revenue/?range=7d")
    assert [(row["type"], row["platform"], row["revenue"]) for row in viewer.context["sample"]] == [
        ("conversion", "Linear TV", "$9.75"), ("purchase", "Hulu", "$30.25"),
    ]  # fmt: skip
    event = f"golden-purchase-hulu-autumn-0-{YESTERDAY_NOON:%Y%m%d}"
    assert event in viewer.content.decode()
    assert f"/sources/events/{event}/" not in viewer.content.decode()
    assert b"person-" not in viewer.content
    admin = as_persona("org_admin").get(f"/o/{world.slug('buyer')}/explain/revenue/?range=7d")
    assert f"/sources/events/{event}/" in admin.content.decode()


def test_events_that_are_gone_are_said_to_be(others: list[Organisation], as_persona: SignIn) -> None:
    made = others[0]
    client, path = as_persona("super_admin"), f"/o/{made.slug}/explain"
    warehouse().command(
        f"ALTER TABLE events DELETE WHERE org_id = '{made.pk}' AND platform = 'hulu'", settings={"mutations_sync": 1}
    )
    clicks = client.get(f"{path}/clicks/{RANGE}")
    assert not clicks.context["found"].has_all_events
    assert "They cannot say any more" in clicks.content.decode()
    # Of linear they are all there.
    assert client.get(f"{path}/clicks/{RANGE}&platform=linear").context["found"].agrees
    reach = client.get(f"{path}/reach/{RANGE}&device=ctv")
    assert reach.context["value"]["text"] == "–"
    assert "Reach and frequency are not told" in reach.context["value"]["exact"]


def test_a_difference_is_told(others: list[Organisation], as_persona: SignIn) -> None:
    """As if a roll-up had counted something twice."""
    made = others[1]
    client, path = as_persona("super_admin"), f"/o/{made.slug}/explain/clicks/{RANGE}"
    assert client.get(path).context["found"].agrees
    warehouse().command(
        "INSERT INTO performance (org_id, bucket, platform, campaign_id, currency, clicks, last_received)"
        f" SELECT '{made.pk}', toDateTime('2025-11-01 12:00:00', 'UTC'), 'hulu', 'c1', 'USD', 5, now()"
    )
    found = client.get(path + "&platform=hulu&platform=linear&platform=disney").context["found"]
    assert [check.difference for check in found.checks] == ["−5"]
    assert not found.agrees


@pytest.mark.parametrize(
    ("metric", "query", "status"),
    [
        ("nothing", "", 404), ("spend", "?campaign=rivals-secret", 404), ("spend", "?by=platform", 400),
        ("spend", "?range=x", 400), ("%3Cb%3E", "", 404), ("spend", "?platform=%3Cscript%3Ealert(1)%3C/script%3E", 200),
        ("reach", "?start=2030-01-01&end=2030-01-02", 200),
    ],
)  # fmt: skip
def test_what_is_not_there(metric: str, query: str, status: int, world: World, as_persona: SignIn) -> None:
    page = as_persona("viewer").get(f"/o/{world.slug('buyer')}/explain/{metric}/{query}")
    assert page.status_code == status
    assert b"<script>alert" not in page.content


def test_without_data_and_of_one_tenant(world: World, as_persona: SignIn) -> None:
    nothing = as_persona("super_admin").get(f"/o/{world.slug('platform')}/explain/spend/")
    assert (nothing.status_code, nothing.context["value"]["text"]) == (200, "$0.00")
    rival = as_persona("stranger").get(f"/o/{world.slug('rival')}/explain/revenue/?range=7d")
    assert rival.context["value"]["text"] == "$1,000"
    assert b"golden-purchase-hulu" not in rival.content
