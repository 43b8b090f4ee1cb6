"""The console's list: every organisation, found by name, and the way into each."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_lists_all_and_links_into_each(world: World, as_persona: Callable[[str], Client]) -> None:
    content = as_persona("super_admin").get("/console/").content.decode()
    for org in world.orgs.values():
        assert org.name in content
        assert f"/o/{org.slug}/" in content


def test_finds_by_name(world: World, as_persona: Callable[[str], Client]) -> None:
    client = as_persona("super_admin")
    found = client.get("/console/", {"q": world.orgs["rival"].name}).context["organisations"]
    assert [row["slug"] for row in found] == [world.slug("rival")]
    assert found[0]["events"] == 1
    assert client.get("/console/", {"q": "no such name"}).context["organisations"] == []


def test_a_data_owner_is_shown_the_events_that_carry_its_signals(
    world: World, as_persona: Callable[[str], Client]
) -> None:
    client = as_persona("super_admin")
    found = client.get("/console/", {"q": world.orgs["owner"].name}).context["organisations"]
    events = {row["slug"]: (row["events"], row["carries_signals"]) for row in found}
    # Six of the golden events of yesterday, and two impressions before, of which neither names the owner.
    assert events[world.slug("owner")] == (6, True)
    assert events[world.slug("other_owner")] == (0, True)


def test_super_admin_enters_any_organisation(world: World, as_persona: Callable[[str], Client]) -> None:
    client = as_persona("super_admin")
    assert all(client.get(f"/o/{org.slug}/").status_code == 200 for org in world.orgs.values())
