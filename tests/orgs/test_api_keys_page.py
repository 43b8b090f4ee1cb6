"""The page of API keys: made and shown once, described, revoked; by administrators, for their organisation."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.orgs.actor import SERVICE, acting, declare
from apps.orgs.api_keys import create_api_key, digest_of, find_key_holder
from apps.orgs.key_uses import add_deliveries
from apps.orgs.models import ApiKey, AuditEntry
from apps.orgs.tasks import bring_api_key_uses
from tests.support.world import World

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def create(client: Client, world: World, **fields: Any) -> Any:
    sent = {"name": "Web shop", "scope": ["events:write", "events:read"], **fields}
    answer = client.post(reverse("org:create_api_key", args=[world.slug("buyer")]), sent)
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer


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


def test_a_pixel_key_comes_with_the_lines_for_web_pages(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    answer = create(client, world, scope=["pixel"], name="Web pages")
    key, page = answer.context["key"], html.unescape(answer.content.decode())
    assert f'/tag.js" data-key="{key}"></script>' in page
    assert f"/p.gif?k={key}&amp;e=page_view" in page
    assert "where secrets are kept" not in page
    with acting(SERVICE):
        made = ApiKey.objects.get(digest=digest_of(key))
    later = html.unescape(client.get(reverse("org:api_key", args=[world.slug("buyer"), made.pk])).content.decode())
    assert 'data-key="YOUR_KEY"' in later
    mixed = create(client, world, scope=["pixel", "events:read"]).content.decode()
    assert "where secrets are kept" in mixed
    assert "tag.js" not in mixed
    assert create(client, world).context["snippets"] == []


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


def test_reloading_makes_no_other_key_and_shows_none(world: World, as_persona: Any) -> None:
    client, path = as_persona("org_admin"), reverse("org:api_keys", args=[world.slug("buyer")])
    key = create(client, world, name="Once").context["key"]
    assert key not in str(dict(client.session.items()))
    assert key not in client.get(path).content.decode()
    with acting(SERVICE):
        assert ApiKey.objects.filter(org=world.orgs["buyer"], name="Once").count() == 1


def test_a_key_waits_for_its_own_organisations_page(world: World, as_persona: Any) -> None:
    """A super admin who looks at another organisation first is not shown it there."""
    client = as_persona("super_admin")
    client.post(reverse("org:create_api_key", args=[world.slug("buyer")]), {"name": "n", "scope": ["events:read"]})
    assert "key" not in client.get(reverse("org:api_keys", args=[world.slug("rival")])).context
    assert "key" in client.get(reverse("org:api_keys", args=[world.slug("buyer")])).context


def made_key(world: World, name: str = "Web shop") -> ApiKey:
    with acting(SERVICE):
        return ApiKey.objects.filter(org=world.orgs["buyer"], name=name).latest("created_at")


def test_addresses_limit_where_a_key_works(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    key = create(client, world, networks="203.0.113.7/24,\n2001:db8::/32").context["key"]
    made = made_key(world)
    assert made.networks == ["2001:db8::/32", "203.0.113.0/24"]
    for address, status in (
        ("203.0.113.99", 200), ("2001:db8::1", 200), ("::ffff:203.0.113.5", 200), ("198.51.100.1", 403), ("", 403),
    ):  # fmt: skip
        answer = Client(headers={"X-API-Key": key}).get(ME, REMOTE_ADDR=address)
        assert answer.status_code == status, address
    assert answer.json()["code"] == "address_not_allowed"
    forged = Client(headers={"X-API-Key": key, "X-Forwarded-For": "203.0.113.99"}).get(ME, REMOTE_ADDR="198.51.100.1")
    assert forged.status_code == 403, "nobody but a proxy of ours says where a request comes from"
    limit = reverse("org:limit_api_key", args=[world.slug("buyer"), made.pk])
    assert client.post(limit, {"networks": ""}).status_code == 302
    assert Client(headers={"X-API-Key": key}).get(ME, REMOTE_ADDR="198.51.100.1").status_code == 200
    with acting(SERVICE):
        entry = AuditEntry.objects.filter(action="api_key.addresses_changed").latest("pk")
    assert entry.detail["before"] == {"networks": ["2001:db8::/32", "203.0.113.0/24"]}


def test_behind_a_proxy_its_word_counts(world: World, as_persona: Any, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    key = create(as_persona("org_admin"), world, networks="203.0.113.0/24").context["key"]

    def status(forwarded: str) -> int:
        client = Client(headers={"X-API-Key": key, "X-Forwarded-For": forwarded})
        return client.get(ME, REMOTE_ADDR="10.0.0.1").status_code

    assert status("203.0.113.9") == 200
    assert status("203.0.113.9, 198.51.100.1") == 403, "what the client says itself stands in front"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"networks": "everywhere"}, "is no address range"),
        ({"networks": "203.0.113.0/33"}, "is no address range"),
        ({"networks": "1.2.3.4\x00"}, "is no address range"),
        ({"networks": " ".join(f"10.0.{n}.0/24" for n in range(60))}, "At most 50"),
        ({"networks": "10.0.0.0/8", "scope": ["pixel"]}, "cannot be limited"),
    ],
)
def test_ranges_that_are_none_are_said(fields: dict[str, Any], why: str, world: World, as_persona: Any) -> None:
    answer = create(as_persona("org_admin"), world, **fields)
    assert answer.status_code == 400
    assert why in answer.context["error"]
    assert answer.context["networks"] == fields["networks"]


@pytest.mark.parametrize(("overlap", "old_status"), [("86400", 200), ("0", 401)])
def test_rotating_lets_both_work_until_the_old_one_ends(
    overlap: str, old_status: int, world: World, as_persona: Any
) -> None:
    client = as_persona("org_admin")
    old = create(client, world, networks="127.0.0.0/8").context["key"]
    first = made_key(world)
    path = reverse("org:rotate_api_key", args=[world.slug("buyer"), first.pk])
    new = client.get(client.post(path, {"overlap": overlap}).headers["Location"]).context["key"]
    second = made_key(world)
    assert (second.replaces_id, second.scopes, second.networks) == (first.pk, first.scopes, first.networks)
    assert Client(headers={"X-API-Key": new}).get(ME).status_code == 200
    assert Client(headers={"X-API-Key": old}).get(ME).status_code == old_status
    with acting(SERVICE):
        first.refresh_from_db()
        assert first.expires_at is not None
        assert abs(first.expires_at - timezone.now() - timedelta(seconds=int(overlap))) < timedelta(minutes=1)
        assert AuditEntry.objects.filter(action="api_key.rotated", target=f"api-key/{first.pk}").exists()
    assert client.post(path, {"overlap": overlap}).status_code in {400, 404}, "once"
    assert "Replaced by" in client.get(reverse("org:api_key", args=[world.slug("buyer"), first.pk])).content.decode()


def test_rotating_does_not_lengthen_a_keys_life(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    day = timezone.now().date() + timedelta(days=1)
    create(client, world, expires=day.isoformat())
    made = made_key(world)
    client.post(reverse("org:rotate_api_key", args=[world.slug("buyer"), made.pk]), {"overlap": "604800"})
    with acting(SERVICE):
        before = made.expires_at
        made.refresh_from_db()
    assert made.expires_at == before


@pytest.mark.parametrize("overlap", ["", "soon", "-1", "7", "9" * 30, "²"])
def test_an_overlap_that_is_none_is_refused(overlap: str, world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    create(client, world)
    path = reverse("org:rotate_api_key", args=[world.slug("buyer"), made_key(world).pk])
    assert client.post(path, {"overlap": overlap}).status_code == 400


def test_uses_are_counted_by_day_and_shown(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    key = create(client, world).context["key"]
    made = made_key(world)
    for _ in range(3):
        Client(headers={"X-API-Key": key}).get(ME)
    for _ in range(2):
        bring_api_key_uses()
    with acting(SERVICE):
        add_deliveries({made.pk: 40})
        add_deliveries({made.pk: 2})
    page = client.get(reverse("org:api_key", args=[world.slug("buyer"), made.pk]))
    assert (page.context["days"][-1].requests, page.context["days"][-1].deliveries) == (3, 42)
    assert "45 times" in page.content.decode()
    assert len(page.context["days"]) == 30
