"""What every address of the general API promises: who may ask, how often, and in which form errors come."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.common.api.problems import handle
from apps.orgs.actor import SERVICE, declare
from apps.orgs.api import limits
from apps.orgs.api_keys import create_api_key, revoke_api_key
from apps.orgs.models import ApiKey, Organisation, Status, Tier
from apps.orgs.permissions import Scope
from tests.api.conftest import Asker
from tests.support.world import World

pytestmark = pytest.mark.django_db
Ask = Callable[..., Asker]
ME = "/api/v1/me"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document that the answer must be."""
    found = dict(json.loads(answer.content))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    assert found["detail"]
    return found


def test_a_key_says_who_it_is(ask: Ask, world: World) -> None:
    status, told = ask("buyer", Scope.READ_EVENTS, Scope.PIXEL).get(ME)
    assert (status, told["kind"], told["name"], told["scopes"]) == (200, "key", "asker", ["events:read", "pixel"])
    assert told["organisation"]["slug"] == world.slug("buyer")
    assert told["limits"]["requests_per_hour"] == 1_000


def test_a_bearer_token_is_a_key_too(ask: Ask) -> None:
    key = ask("buyer", Scope.PIXEL).key
    assert Client(headers={"Authorization": f"Bearer {key}"}).get(ME).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "key_missing"),
        ({"X-API-Key": "wrong"}, "unknown_key"),
        ({"Authorization": "Bearer prc_" + "a" * 43}, "unknown_key"),
        ({"X-API-Key": ""}, "unknown_key"),
    ],
)
def test_without_a_valid_key_it_is_401(headers: dict[str, str], code: str) -> None:
    answer = Client(headers=headers).get(ME)
    problem(answer, 401, code)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoking_and_expiring_work_at_once(ask: Ask, world: World) -> None:
    asker = ask("buyer", Scope.PIXEL)
    assert asker.get(ME)[0] == 200
    declare(SERVICE)
    revoke_api_key(actor=SERVICE, org=world.orgs["buyer"], prefix=asker.key or "")
    assert asker.get(ME)[0] == 401
    declare(SERVICE)
    past = timezone.now() - timedelta(seconds=1)
    _, key = create_api_key(actor=SERVICE, org=world.orgs["buyer"], name="old", scopes=["pixel"], expires_at=past)
    assert Asker(key).get(ME)[0] == 401


def test_a_suspended_organisation_is_refused(ask: Ask, world: World) -> None:
    asker = ask("buyer", Scope.PIXEL)
    declare(SERVICE)
    Organisation.objects.filter(pk=world.orgs["buyer"].pk).update(status=Status.SUSPENDED)
    assert asker.get(ME)[0] == 401


def test_a_person_asks_for_their_own_organisation(as_persona: Any, world: World) -> None:
    told = as_persona("marketer").get(ME).json()
    assert (told["kind"], told["organisation"]["slug"]) == ("person", world.slug("buyer"))
    assert told["scopes"] == ["metrics:read"]


def test_a_person_gets_no_other_organisation(as_persona: Any, world: World) -> None:
    client = as_persona("org_admin")
    theirs = client.get(ME, headers={"X-Organisation": world.slug("rival")})
    nobodys = client.get(ME, headers={"X-Organisation": "there-is-none"})
    assert problem(theirs, 404, "not_found")["detail"].replace(world.slug("rival"), "") == problem(
        nobodys, 404, "not_found"
    )["detail"].replace("there-is-none", "")


def test_who_has_several_organisations_says_which(as_persona: Any, world: World) -> None:
    client = as_persona("super_admin")
    problem(client.get(ME), 400, "organisation_missing")
    named = client.get(ME, headers={"X-Organisation": world.slug("rival")})
    assert named.json()["organisation"]["slug"] == world.slug("rival")


def test_a_person_writes_with_the_csrf_token_only(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.personas["org_admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    sent = client.post("/api/v1/quarantine/replay", {"code": "wrong_type"}, content_type="application/json")
    problem(sent, 403, "forbidden")


def test_a_key_needs_no_csrf_token(ask: Ask) -> None:
    client = Client(enforce_csrf_checks=True, headers=ask("rival", Scope.WRITE_EVENTS).headers)
    sent = client.post("/api/v1/quarantine/replay", {"code": "negative_money"}, content_type="application/json")
    problem(sent, 404, "not_found")


def test_the_database_knows_the_key_only_for_its_organisation(ask: Ask, world: World) -> None:
    """What the request left declared: row-level security lets it see its own organisation and no other."""
    assert ask("buyer", Scope.READ_EVENTS).get(ME)[0] == 200
    assert {org.slug for org in Organisation.objects.all()} == {world.slug("buyer")}
    assert set(ApiKey.objects.values_list("org_id", flat=True)) == {world.orgs["buyer"].pk}


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing", "/api/v1/me/", "/api/v2/me"])
def test_no_address_is_a_problem_document(path: str) -> None:
    problem(Client().get(path), 404, "not_found")


def test_unknown_and_repeated_parameters_are_named(ask: Ask) -> None:
    client = Client(headers=ask("buyer", Scope.PIXEL).headers)
    told = problem(client.get(ME, {"limt": "1"}), 400, "invalid_parameter")
    assert told["errors"][0]["parameter"] == "limt"
    problem(client.get(f"{ME}?a=1&a=2"), 400, "repeated_parameter")


def test_other_methods_are_405(ask: Ask) -> None:
    answer = Client(headers=ask("buyer", Scope.PIXEL).headers).delete(ME)
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_what_nobody_foresaw_says_nothing_of_itself() -> None:
    answer = handle(RuntimeError("secret"), {"view": None})
    assert "secret" not in answer.content.decode()
    problem(answer, 500, "unforeseen")


@pytest.mark.parametrize(("tier", "most"), [(Tier.STANDARD, 1_000), (Tier.ENTERPRISE, 10_000)])
def test_the_tier_says_how_often(ask: Ask, world: World, tier: str, most: int) -> None:
    declare(SERVICE)
    Organisation.objects.filter(pk=world.orgs["rival"].pk).update(tier=tier)
    answer = Client(headers=ask("rival", Scope.PIXEL).headers).get(ME)
    assert answer.headers["RateLimit-Limit"] == str(most)
    assert int(answer.headers["RateLimit-Remaining"]) < most
    assert 0 < int(answer.headers["RateLimit-Reset"]) <= 3_600


def test_whoever_asks_too_often_is_told_when_to_come_back(
    ask: Ask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", {Tier.STANDARD: 2})
    client = Client(headers=ask("other_owner", Scope.PIXEL).headers)
    left = [client.get(ME).headers["RateLimit-Remaining"] for _ in range(2)]
    answer = client.get(ME)
    problem(answer, 429, "rate_limited")
    assert (left, answer.headers["RateLimit-Remaining"]) == (["1", "0"], "0")
    assert 0 < int(answer.headers["Retry-After"]) <= 3_600


def test_without_redis_requests_go_on_and_the_metrics_say_so(ask: Ask, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    limits._counter.cache_clear()
    try:
        assert ask("buyer", Scope.PIXEL).get(ME)[0] == 200
        assert limits.COUNTED._value.get() == 0
    finally:
        limits._counter.cache_clear()
