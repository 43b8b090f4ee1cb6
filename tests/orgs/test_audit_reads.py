"""What is noted without anybody writing it down: reading about people, staff in an organisation, the API's changes."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import AuditEntry
from apps.orgs.permissions import Scope
from tests.support.world import YESTERDAY_NOON, World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


def noted(world: World, action: str, org: str = "buyer") -> list[AuditEntry]:
    with acting(SERVICE):
        return list(AuditEntry.objects.filter(org=world.orgs[org], action=action).order_by("pk"))


def test_reading_about_people_is_noted(world: World, as_persona: Any) -> None:
    client, slug, viewer = as_persona("org_admin"), world.slug("buyer"), world.personas["viewer"]
    before = len(noted(world, "personal_data.read"))
    client.get(reverse("org:people", args=[slug]))
    client.get(reverse("org:person", args=[slug, viewer.pk]))
    client.get(reverse("org:audit", args=[slug]))
    entries = noted(world, "personal_data.read")[before:]
    assert [one.target for one in entries] == ["people", f"person/{viewer.pk}", "audit"]
    assert {one.actor for one in entries} == {str(world.personas["org_admin"].pk)}
    assert all(one.origin for one in entries)


def test_what_was_not_shown_is_not_noted(world: World, as_persona: Any) -> None:
    before = len(noted(world, "personal_data.read"))
    assert as_persona("viewer").get(reverse("org:people", args=[world.slug("buyer")])).status_code == 403
    assert len(noted(world, "personal_data.read")) == before


def test_staff_in_an_organisation_are_noted_members_are_not(world: World, as_persona: Any) -> None:
    slug, before = world.slug("buyer"), len(noted(world, "organisation.read"))
    as_persona("viewer").get(reverse("org:overview", args=[slug]))
    assert len(noted(world, "organisation.read")) == before
    staff = as_persona("super_admin")
    staff.get(reverse("org:overview", args=[slug]))
    staff.get(reverse("org:api_keys", args=[slug]))
    assert [one.target for one in noted(world, "organisation.read")[before:]] == ["org:overview", "org:api_keys"]
    staff.post(reverse("org:create_api_key", args=[slug]), {"name": "by staff", "scope": ["pixel"]})
    assert noted(world, "organisation.worked_in")[-1].target == "org:create_api_key"


def test_fragments_are_noted_once_in_a_while(world: World, as_persona: Any) -> None:
    """Pages ask for them every few seconds; saying that one is htmx hides nothing."""
    staff, path, before = as_persona("super_admin"), reverse("org:edits", args=[world.slug("buyer")]), None
    before = len(noted(world, "organisation.read"))
    for _ in range(3):
        staff.get(path, headers={"HX-Request": "true"})
    assert len(noted(world, "organisation.read")) == before + 1


def test_staff_who_ask_the_api_are_noted(world: World, as_persona: Any) -> None:
    before = len(noted(world, "organisation.read"))
    as_persona("super_admin").get(reverse("api:me"), headers={"X-Organisation": world.slug("buyer")})
    assert [one.target for one in noted(world, "organisation.read")[before:]] == ["api:me"]


def test_changes_by_the_api_are_noted_with_the_key(world: World) -> None:
    scopes = [Scope.WRITE_METRICS, Scope.READ_METRICS]
    with acting(SERVICE):
        made, key = create_api_key(actor=SERVICE, org=world.orgs["other_owner"], name="agent", scopes=scopes)
    client, before = Client(headers={"X-API-Key": key}), len(noted(world, "api.changed", "other_owner"))
    client.get(reverse("api:me"))
    assert client.post(reverse("api:metrics"), {}, content_type="application/json").status_code == 422
    assert len(noted(world, "api.changed", "other_owner")) == before
    figure = {"campaign_id": "noted", "date": f"{YESTERDAY_NOON:%Y-%m-%d}", "spend": "1.50"}
    body = {"source": "noted-agent", "records": [figure]}
    answer = client.post(reverse("api:metrics"), body, content_type="application/json")
    assert answer.status_code < 400, answer.content
    entry = noted(world, "api.changed", "other_owner")[-1]
    assert (entry.actor, entry.target) == (f"key {made.prefix}", f"POST {reverse('api:metrics')}")


def test_an_entry_has_an_address_that_stays(world: World, as_persona: Any) -> None:
    staff = as_persona("super_admin")
    staff.get(reverse("org:overview", args=[world.slug("buyer")]))
    entry = noted(world, "organisation.read")[-1]
    of_all = staff.get(reverse("console:audit_entry", args=[entry.pk]))
    own = as_persona("org_admin").get(reverse("org:audit_entry", args=[world.slug("buyer"), entry.pk]))
    assert (of_all.status_code, own.status_code) == (200, 200)
    assert b"looked into the organisation" in own.content
    assert as_persona("org_admin").get(reverse("console:audit_entry", args=[entry.pk])).status_code == 403
    assert staff.get(reverse("console:audit_entry", args=[10**12])).status_code == 404
