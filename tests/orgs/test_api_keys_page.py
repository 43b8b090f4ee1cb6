"""The page of API keys: made and shown once, described, revoked; by administrators, for their organisation."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.orgs.actor import SERVICE, acting, declare
from apps.orgs.api_keys import create_api_key, digest_of, find_key_holder
from apps.orgs.models import ApiKey, AuditEntry
from tests.support.world import World

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def create(client: Client, world: World, **fields: Any) -> Any:
    sent = {"name": "Web shop", "scope": ["events:write", "events:read"], **fields}
    return client.post(reverse("org:create_api_key", args=[world.slug("buyer")]), sent)


def test_a_new_key_is_shown_once_and_works(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    answer = create(client, world)
    key = answer.context["key"]
    assert answer.content.decode().count(key) == 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert Client(headers={"X-API-Key": key}).get(ME).json()["scopes"] == ["events:read", "events:write"]
    page = client.get(reverse("org:api_keys", args=[world.slug("buyer")])).content.decode()
    assert key not in page
    assert key[:12] in page
    with acting(SERVICE):
        entry = AuditEntry.objects.filter(action="api_key.created").latest("pk")
    assert entry.actor == str(world.personas["org_admin"].pk)
    assert key not in str(entry.detail)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": " "}, "Give the key a name"),
        ({"name": "x" * 81}, "at most 80"),
        ({"name": "a\nb"}, "one line"),
        ({"scope": []}, "at least one scope"),
        ({"scope": ["everything"]}, "no scope everything"),
        ({"expires": "soon"}, "is not a day"),
        ({"expires": "9999-12-31"}, "is not a day"),
        ({"expires": "2020-01-01"}, "has passed"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    fields: dict[str, Any], why: str, world: World, as_persona: Any
) -> None:
    answer = create(as_persona("org_admin"), world, **fields)
    assert answer.status_code == 400
    assert why in answer.context["error"]
    with acting(SERVICE):
        assert not ApiKey.objects.filter(org=world.orgs["buyer"], name=fields.get("name", "Web shop")).exists()


def test_the_last_day_is_whole_in_the_organisations_zone(world: World, as_persona: Any) -> None:
    day = timezone.now().date() + timedelta(days=30)
    create(as_persona("org_admin"), world, expires=day.isoformat())
    with acting(SERVICE):
        made = ApiKey.objects.filter(org=world.orgs["buyer"]).latest("created_at")
    assert made.expires_at is not None
    assert made.expires_at.date() == day + timedelta(days=1)


def test_revoking_works_at_once_and_once(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    key = create(client, world).context["key"]
    with acting(SERVICE):
        made = ApiKey.objects.get(digest=digest_of(key))
    path = reverse("org:revoke_api_key", args=[world.slug("buyer"), made.pk])
    assert client.post(path).status_code == 302
    assert Client(headers={"X-API-Key": key}).get(ME).status_code == 401
    assert client.post(path).status_code == 404
    assert "Revoked" in client.get(reverse("org:api_keys", args=[world.slug("buyer")])).content.decode()


def test_a_key_of_another_organisation_is_none(world: World, as_persona: Any) -> None:
    with acting(SERVICE):
        theirs, key = create_api_key(actor=SERVICE, org=world.orgs["rival"], name="theirs", scopes=["pixel"])
    client = as_persona("org_admin")
    assert client.get(reverse("org:api_key", args=[world.slug("buyer"), theirs.pk])).status_code == 404
    assert client.post(reverse("org:revoke_api_key", args=[world.slug("buyer"), theirs.pk])).status_code == 404
    assert client.get(reverse("org:api_key", args=[world.slug("rival"), theirs.pk])).status_code == 404
    declare(SERVICE)
    assert find_key_holder(digest_of(key)) is not None


@pytest.mark.parametrize("persona", ["marketer", "campaign_manager", "viewer"])
def test_only_administrators_see_and_revoke_a_key(persona: str, world: World, as_persona: Any) -> None:
    with acting(SERVICE):
        made, _ = create_api_key(actor=SERVICE, org=world.orgs["buyer"], name="shop", scopes=["pixel"])
    client = as_persona(persona)
    assert client.get(reverse("org:api_key", args=[world.slug("buyer"), made.pk])).status_code == 403
    assert client.post(reverse("org:revoke_api_key", args=[world.slug("buyer"), made.pk])).status_code == 403


def test_use_is_noted_every_five_minutes_at_most(world: World, as_persona: Any) -> None:
    key = create(as_persona("org_admin"), world).context["key"]

    def used() -> Any:
        with acting(SERVICE):
            return ApiKey.objects.get(digest=digest_of(key)).last_used_at

    assert used() is None
    client = Client(headers={"X-API-Key": key})
    client.get(ME)
    first = used()
    client.get(ME)
    assert (first is not None, used()) == (True, first)
    with acting(SERVICE):
        ApiKey.objects.filter(digest=digest_of(key)).update(last_used_at=first - timedelta(minutes=6))
    client.get(ME)
    assert used() > first - timedelta(minutes=1)
