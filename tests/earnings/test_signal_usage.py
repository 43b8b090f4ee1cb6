"""The data owner's page: events of buyers that carried the owner's signals, and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.common.period import format_span
from apps.orgs.actor import SERVICE, declare
from apps.orgs.models import AuditEntry
from tests.support.world import YESTERDAY_NOON, World

pytestmark = pytest.mark.django_db
SignIn = Callable[[str | None], Client]


def page(client: Client, world: World, org: str = "owner") -> Any:
    return client.get(f"/o/{world.slug(org)}/?range=30d")


def test_sums_are_those_of_the_events_that_carry_the_signal(world: World, as_persona: SignIn) -> None:
    context = page(as_persona("data_owner"), world).context
    assert {figure.key: figure.value for figure in context["figures"]} == {
        "events": "6", "impressions": "4", "conversions": "1", "campaigns": "1", "buyers": "1",
    }  # fmt: skip
    row = context["breakdown"]["rows"][0]
    assert row["name"] == "autumn"
    assert row["kind"].startswith("Buyer ")
    assert [cell["text"] for cell in row["cells"]] == ["6", "4", "1", "1", "0.500"]


def test_another_owner_sees_none_of_them(world: World, as_persona: SignIn) -> None:
    context = page(as_persona("super_admin"), world, "other_owner").context
    assert context["is_empty"]


def test_a_range_without_usage_keeps_the_controls_and_says_where_data_is(world: World, as_persona: SignIn) -> None:
    response = as_persona("data_owner").get(f"/o/{world.slug('owner')}/?start=2030-01-01&end=2030-01-05")
    text = response.content.decode()
    assert "No campaign has used your signals in 1–5 January 2030" in text
    assert response.context["nothing_here"]["extent"] == format_span(YESTERDAY_NOON.date(), YESTERDAY_NOON.date())
    assert 'name="start"' in text


def test_the_page_of_a_data_owner_is_highlighted_in_the_navigation(world: World, as_persona: SignIn) -> None:
    for path in ("", "earnings/", "?range=7d"):
        nav = as_persona("data_owner").get(f"/o/{world.slug('owner')}/{path}").context["shell"]["nav"]
        assert [(item["label"], item["current"]) for item in nav[0]["items"]] == [("Earnings", True)]


def test_no_money_of_the_buyer_is_shown(world: World, as_persona: SignIn) -> None:
    assert b"$" not in page(as_persona("data_owner"), world).content.split(b"<main", 1)[1]


def test_reading_across_organisations_leaves_an_audit_entry(world: World, as_persona: SignIn) -> None:
    page(as_persona("data_owner"), world)
    declare(SERVICE)
    entry = AuditEntry.objects.filter(org=world.orgs["owner"]).latest("id")
    assert (entry.action, entry.detail) == ("warehouse.crossed", {"tag": "earnings.signal_usage"})
    assert entry.actor == str(world.personas["data_owner"].pk)
