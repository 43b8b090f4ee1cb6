"""Staff sign in at `/staff/` by the platform's directory: the whole way, with roles given and taken away."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from social_core.backends.open_id_connect import OpenIdConnectAuth

from apps.accounts.models import User
from apps.accounts.public import set_password
from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import AuditEntry, Membership
from apps.orgs.permissions import Role
from tests.support import oidc
from tests.support.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-staple"
ENTRA, OKTA = "/staff/begin/entra/", "/staff/begin/okta/"
ADMIN, MANAGER = "Precise.SuperAdmin", "Precise.CampaignManager"
TENANT = "7f1b2c3d-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def provider() -> Iterator[oidc.Provider]:
    with oidc.running() as running:
        yield running


@pytest.fixture(autouse=True)
def directories(settings: Any, provider: oidc.Provider, world: World) -> Iterator[None]:
    cache.clear()
    for cached in (OpenIdConnectAuth.get_openid_configuration, OpenIdConnectAuth.get_jwks_keys_for_uri):
        cached.invalidate()
    for name in ("ENTRA", "OKTA"):
        setattr(settings, f"SOCIAL_AUTH_{name}_OIDC_ENDPOINT", provider.issuer)
        setattr(settings, f"SOCIAL_AUTH_{name}_KEY", "precise")
        setattr(settings, f"SOCIAL_AUTH_{name}_SECRET", "s3cret")
    settings.ENTRA_TENANT = TENANT
    settings.STAFF_DOMAINS = frozenset({"precise.example"})
    settings.SOCIAL_AUTH_OKTA_SCOPE = []
    yield
    provider.spoil.clear()


@pytest.fixture
def email() -> str:
    return f"staff-{uuid4().hex[:8]}@precise.example"


def held(email: str) -> set[tuple[str, str]]:
    with acting(SERVICE):
        return set(Membership.objects.filter(user__email=email).values_list("org__slug", "role"))


def refused(answer: Any) -> str:
    assert answer.status_code == 302, answer.content
    assert "_auth_user_id" not in answer.client.session
    return str(answer.headers["Location"]).removeprefix("/account/single-sign-on/problem/").rstrip("/")


def test_an_app_role_makes_a_super_admin(provider: oidc.Provider, world: World, email: str) -> None:
    """Entra says the sign-in name, and no verified address."""
    assert b"Continue with Microsoft" in Client().get("/staff/").content
    provider.add_person("ada", preferred_username=email.upper(), tid=TENANT, roles=[ADMIN])
    client = Client()
    answer = oidc.go(client, provider, "ada", ENTRA)
    assert answer.headers["Location"] == "/"
    assert client.get("/console/").status_code == 200
    assert (world.slug("platform"), "super_admin") in held(email) or len(held(email)) == 1
    assert provider.proved_possession()
    assert len(provider.asked["nonce"]) >= 32
    with acting(SERVICE):
        user = User.objects.get(email=email)
        actions = set(AuditEntry.objects.filter(target=f"user/{user.pk}").values_list("action", flat=True))
    assert actions >= {"member.provisioned", "sign_in.done"}
    assert not user.has_usable_password()


def test_okta_by_groups(provider: oidc.Provider, email: str) -> None:
    provider.add_person("bo", email=email, email_verified=True, groups=[MANAGER])
    client = Client()
    oidc.go(client, provider, "bo", OKTA)
    assert client.session["_auth_user_id"]
    assert {role for _, role in held(email)} == {"campaign_manager"}


def test_roles_that_were_taken_away_are_gone_everywhere(provider: oidc.Provider, world: World, email: str) -> None:
    provider.add_person("cy", preferred_username=email, tid=TENANT, roles=[ADMIN, MANAGER])
    session = Client()
    oidc.go(session, provider, "cy", ENTRA)
    with acting(SERVICE):
        Membership.objects.create(
            org=world.orgs["buyer"], user=User.objects.get(email=email), role=Role.CAMPAIGN_MANAGER
        )
    provider.add_person("cy", preferred_username=email, tid=TENANT, roles=[MANAGER])
    oidc.go(Client(), provider, "cy", ENTRA)
    assert {role for _, role in held(email)} == {"campaign_manager"}
    assert session.get("/console/").status_code == 403
    provider.add_person("cy", preferred_username=email, tid=TENANT)
    assert refused(oidc.go(Client(), provider, "cy", ENTRA)) == "no-role"
    assert held(email) == set()


def test_who_never_had_a_role_leaves_no_account(provider: oidc.Provider, email: str) -> None:
    provider.add_person("di", preferred_username=email, tid=TENANT, roles=["Something.Else"])
    assert refused(oidc.go(Client(), provider, "di", ENTRA)) == "no-role"
    assert not User.objects.filter(email=email).exists()


def test_an_account_with_a_password_is_connected_by_its_owner_only(provider: oidc.Provider, email: str) -> None:
    user = User.objects.create_user(email)
    set_password(user=user, password=PASSWORD)
    provider.add_person("eve", preferred_username=email, tid=TENANT, roles=[ADMIN])
    assert refused(oidc.go(Client(), provider, "eve", ENTRA)) == "known"
    assert held(email) == set()
    client = Client()
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    oidc.go(client, provider, "eve", ENTRA)
    fresh = Client()
    oidc.go(fresh, provider, "eve", ENTRA)
    assert fresh.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"preferred_username": "fay@elsewhere.example"}, "other-domain"),
        ({"preferred_username": "fay"}, "no-address"),
        ({"preferred_username": "fay@precise.example", "email_verified": False}, "unverified"),
        ({"preferred_username": "fay@precise.example", "tid": "7f1b2c3d-0000-4000-8000-000000000002"}, "failed"),
        ({"preferred_username": "fay@precise.example", "_claim_names": {"roles": "src1"}}, "too-many-groups"),
    ],
)
def test_whom_the_directory_may_not_speak_for(claims: dict[str, Any], reason: str, provider: oidc.Provider) -> None:
    provider.add_person("fay", **{"tid": TENANT, "roles": [ADMIN], **claims})
    assert refused(oidc.go(Client(), provider, "fay", ENTRA)) == reason


def test_a_deactivated_person_stays_out(provider: oidc.Provider, email: str) -> None:
    User.objects.create_user(email, is_active=False)
    provider.add_person("gus", preferred_username=email, tid=TENANT, roles=[ADMIN])
    assert refused(oidc.go(Client(), provider, "gus", ENTRA)) == "inactive"
    assert held(email) == set()


def test_the_state_is_this_browsers(provider: oidc.Provider, email: str) -> None:
    provider.add_person("hal", preferred_username=email, tid=TENANT, roles=[ADMIN])
    back = provider.agree(oidc.target_of(Client().post(ENTRA)), "hal")
    assert refused(oidc.come_back(Client(), back)) == "expired"


def test_a_token_of_another_sign_in_is_refused(provider: oidc.Provider, email: str) -> None:
    provider.add_person("ivy", preferred_username=email, tid=TENANT, roles=[ADMIN])
    client = Client()
    target = oidc.target_of(client.post(ENTRA))
    nonce = dict(part.split("=") for part in target.split("?")[1].split("&"))["nonce"]
    assert refused(oidc.come_back(client, provider.agree(target.replace(nonce, "x" * 64), "ivy"))) == "failed"


def test_cancelled_there(provider: oidc.Provider) -> None:
    assert refused(oidc.go(Client(), provider, "me", ENTRA, action="deny")) == "cancelled"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_next_stays_on_this_site(target: str, provider: oidc.Provider, email: str) -> None:
    provider.add_person("jo", preferred_username=email, tid=TENANT, roles=[ADMIN])
    assert oidc.go(Client(), provider, "jo", ENTRA, next=target).headers["Location"] == "/"
    assert oidc.go(Client(), provider, "jo", ENTRA, next="/console/flow/").headers["Location"] == "/console/flow/"


def test_the_session_changes_at_sign_in(provider: oidc.Provider, email: str) -> None:
    provider.add_person("kim", preferred_username=email, tid=TENANT, roles=[ADMIN])
    client = Client()
    back = provider.agree(oidc.target_of(client.post(ENTRA)), "kim")
    before = client.session.session_key
    oidc.come_back(client, back)
    assert client.session.session_key != before


def test_a_directory_that_is_down_is_told_of(settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.SOCIAL_AUTH_ENTRA_OIDC_ENDPOINT = f"http://localhost:{free.getsockname()[1]}"
    answer = Client().post(ENTRA)
    assert refused(answer) == "unreachable"
    assert Client().get(answer.headers["Location"]).status_code == 503


@pytest.mark.parametrize("path", ["/oauth2/token", "/jwks", "/userinfo", "/.well-known/openid-configuration"])
@pytest.mark.parametrize(
    "answer", [("", 500), ("nonsense", 200), ("[]", 200), ('{"keys": 7, "id_token": 3, "sub": "somebody else"}', 200)]
)
def test_a_directory_that_answers_nonsense(
    path: str, answer: tuple[str, int], provider: oidc.Provider, email: str
) -> None:
    provider.add_person("lee", preferred_username=email, tid=TENANT, roles=[ADMIN])
    provider.spoil[path] = answer
    client = Client()
    page = client.post(ENTRA)
    if page.status_code == 200:
        page = oidc.come_back(client, provider.agree(oidc.target_of(page), "lee"))
    assert refused(page) in {"unreachable", "failed"}


def test_a_directory_that_is_not_set_up_is_none(settings: Any) -> None:
    settings.SOCIAL_AUTH_OKTA_KEY = ""
    assert Client().post(OKTA).status_code == 404
    assert Client().get("/staff/complete/okta/").status_code == 404
    assert Client().post("/staff/begin/nobody/").status_code == 404
    assert Client().get(ENTRA).status_code == 405
    assert Client(enforce_csrf_checks=True).post(ENTRA).status_code == 403
    settings.SOCIAL_AUTH_ENTRA_KEY = ""
    assert b"no staff directory" in Client().get("/staff/").content
