"""Customers sign in at a provider: the whole way there and back, who gets in, and who does not."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.public import set_password
from apps.orgs.actor import SERVICE, Actor, acting
from apps.orgs.models import AuditEntry, IdentityProvider, Membership, Organisation
from apps.orgs.permissions import Role
from apps.orgs.sign_in.providers import Wish, confirm_domains, save_provider
from tests.support import oidc
from tests.support.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def provider() -> Iterator[oidc.Provider]:
    with oidc.running() as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(provider: oidc.Provider) -> Iterator[None]:
    cache.clear()
    yield
    provider.spoil.clear()


@pytest.fixture
def domain() -> str:
    return f"acme-{uuid4().hex[:8]}.example"


@pytest.fixture
def own(world: World, provider: oidc.Provider, domain: str) -> IdentityProvider:
    """The buyer's own provider, confirmed: `Planners` are marketers, `Leads` administrators."""
    return set_up(world.orgs["buyer"], provider.issuer, domain)


def set_up(org: Organisation, issuer: str, domain: str, **wish: Any) -> IdentityProvider:
    admin = Actor("admin", frozenset({(org.pk, Role.ORG_ADMIN)}))
    staff = Actor("staff", frozenset({(uuid4(), Role.SUPER_ADMIN)}))
    asked = {"role_groups": {"marketer": ["Planners"], "org_admin": ["Leads"]}, **wish}
    with acting(SERVICE):
        save_provider(
            actor=admin, org=org,
            wish=Wish(name="Acme", issuer=issuer, client_id="precise", secret="s3cret", domains=[domain], **asked),
        )  # fmt: skip
        return confirm_domains(actor=staff, org=org)


def begin(own: IdentityProvider) -> str:
    return reverse("openid_connect_login", args=[own.key])


def roles_of(email: str, org: Organisation) -> set[str]:
    with acting(SERVICE):
        return set(Membership.objects.filter(org=org, user__email=email).values_list("role", flat=True))


def refused(answer: Any) -> str:
    """Why, by the page that tells."""
    assert answer.status_code == 302, answer.content
    assert "_auth_user_id" not in answer.client.session
    return str(answer.headers["Location"]).removeprefix("/account/single-sign-on/problem/").rstrip("/")


def test_a_new_person_comes_in_by_the_domain_of_their_address(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    email, client = f"ada@{domain}", Client()
    provider.add_person("ada", email=email, name="Ada L", groups=["Planners"])
    answer = oidc.go(client, provider, "ada", reverse("single_sign_on"), email=email.upper())
    assert answer.status_code == 302
    assert client.get("/", follow=True).redirect_chain[-1][0] == f"/o/{world.slug('buyer')}/"
    assert roles_of(email, world.orgs["buyer"]) == {"marketer"}
    assert User.objects.get(email=email).name == "Ada L"
    assert not User.objects.get(email=email).has_usable_password()
    assert provider.proved_possession()
    assert len(provider.asked["nonce"]) >= 32
    assert len(provider.asked["state"]) >= 16
    with acting(SERVICE):
        actions = set(AuditEntry.objects.filter(org=world.orgs["buyer"]).values_list("action", flat=True))
    assert actions >= {"member.provisioned", "sign_in.done", "sign_in.provider_added", "sign_in.domains_confirmed"}


def test_roles_follow_the_groups_at_each_sign_in(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    org, email = world.orgs["buyer"], f"bo@{domain}"
    for groups, expected in ((["Planners"], {"marketer"}), (["Leads", "Planners"], {"org_admin", "marketer"})):
        provider.add_person("bo", email=email, groups=groups)
        oidc.go(Client(), provider, "bo", begin(own))
        assert roles_of(email, org) == expected
    with acting(SERVICE):
        Membership.objects.create(org=org, user=User.objects.get(email=email), role=Role.VIEWER)
    provider.add_person("bo", email=email, groups=["Planners"])
    oidc.go(Client(), provider, "bo", begin(own))
    assert roles_of(email, org) == {"marketer", "viewer"}, "what was given by hand stays"


@pytest.mark.parametrize("claims", [{"groups": []}, {}, {"groups": ["Others"]}, {"groups": 7}])
def test_whose_groups_were_taken_away_is_out(
    claims: dict[str, Any], own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    email, session = f"cy@{domain}", Client()
    provider.add_person("cy", email=email, groups=["Leads"])
    oidc.go(session, provider, "cy", begin(own))
    assert session.get(f"/o/{world.slug('buyer')}/").status_code == 200
    provider.add_person("cy", email=email, **claims)
    assert refused(oidc.go(Client(), provider, "cy", begin(own))) == "no-role"
    assert roles_of(email, world.orgs["buyer"]) == set()
    assert session.get(f"/o/{world.slug('buyer')}/").status_code == 302, "the session that was open has ended"


def test_nothing_is_taken_away_when_groups_are_pointed_to_only(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    email = f"di@{domain}"
    provider.add_person("di", email=email, groups=["Leads"])
    oidc.go(Client(), provider, "di", begin(own))
    provider.add_person("di", email=email, _claim_names={"groups": "src1"})
    assert refused(oidc.go(Client(), provider, "di", begin(own))) == "too-many-groups"
    assert roles_of(email, world.orgs["buyer"]) == {"org_admin"}


def test_an_account_with_a_password_is_not_taken_over(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    """Its owner connects the provider, signed in."""
    user = User.objects.create_user(f"eve@{domain}")
    set_password(user=user, password=PASSWORD)
    with acting(SERVICE):
        Membership.objects.create(org=world.orgs["buyer"], user=user, role=Role.VIEWER)
    provider.add_person("eve", email=user.email, groups=["Leads"])
    assert refused(oidc.go(Client(), provider, "eve", begin(own))) == "known"
    assert roles_of(user.email, world.orgs["buyer"]) == {"viewer"}
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert own.name in client.get("/account/3rdparty/").content.decode()
    answer = oidc.go(client, provider, "eve", begin(own), process="connect")
    assert answer.headers["Location"] == "/account/3rdparty/"
    fresh = Client()
    oidc.go(fresh, provider, "eve", begin(own))
    assert fresh.session["_auth_user_id"] == str(user.pk)
    page = client.get("/account/3rdparty/")
    client.post("/account/3rdparty/", {"account": page.context["connected"][0]["pk"]})
    assert refused(oidc.go(Client(), provider, "eve", begin(own))) == "known"


def test_only_the_own_address_can_be_connected(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    user = User.objects.create_user(f"fay@{domain}")
    set_password(user=user, password=PASSWORD)
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    provider.add_person("somebody", email=f"other@{domain}", groups=["Leads"])
    answer = oidc.go(client, provider, "somebody", begin(own), process="connect")
    assert answer.headers["Location"].endswith("/other-address/")


def test_an_invited_account_that_nobody_used_yet_is_theirs(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    user = User.objects.create_user(f"gus@{domain}")
    provider.add_person("gus", email=user.email, groups=["Planners"])
    client = Client()
    oidc.go(client, provider, "gus", begin(own))
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "hal@elsewhere.example"}, "other-domain"),
        ({"email": "hal@{domain}", "email_verified": False}, "unverified"),
        ({"email": ""}, "no-address"),
        ({"email": "hal@аcme.example"}, "no-address"),
        ({"email": "hal\x00@{domain}"}, "no-address"),
    ],
)
def test_addresses_that_the_provider_may_not_speak_for(
    claims: dict[str, Any], reason: str, own: IdentityProvider, provider: oidc.Provider, domain: str
) -> None:
    claims = {**claims, "email": claims["email"].format(domain=domain)}
    provider.add_person("hal", **claims, groups=["Leads"])
    assert refused(oidc.go(Client(), provider, "hal", begin(own))) == reason


def test_staff_do_not_come_in_by_a_customers_provider(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    user = User.objects.create_user(f"ivy@{domain}")
    with acting(SERVICE):
        Membership.objects.create(org=world.orgs["platform"], user=user, role=Role.SUPER_ADMIN)
    provider.add_person("ivy", email=user.email, groups=["Leads"])
    assert refused(oidc.go(Client(), provider, "ivy", begin(own))) == "staff"


def test_a_deactivated_person_stays_out(own: IdentityProvider, provider: oidc.Provider, domain: str) -> None:
    User.objects.create_user(f"jo@{domain}", is_active=False)
    provider.add_person("jo", email=f"jo@{domain}", groups=["Leads"])
    assert refused(oidc.go(Client(), provider, "jo", begin(own))) == "inactive"


def test_who_was_deactivated_in_the_organisation_stays_out(
    own: IdentityProvider, provider: oidc.Provider, world: World, domain: str
) -> None:
    email = f"joan@{domain}"
    provider.add_person("joan", email=email, groups=["Planners"])
    oidc.go(Client(), provider, "joan", begin(own))
    with acting(SERVICE):
        Membership.objects.filter(user__email=email).update(is_active=False)
    provider.add_person("joan", email=email, groups=["Leads"])
    assert refused(oidc.go(Client(), provider, "joan", begin(own))) == "inactive"
    assert roles_of(email, world.orgs["buyer"]) == {"marketer"}


def test_the_state_is_this_browsers_and_works_once(own: IdentityProvider, provider: oidc.Provider, domain: str) -> None:
    provider.add_person("kim", email=f"kim@{domain}", groups=["Leads"])
    client = Client()
    back = provider.agree(oidc.target_of(client.post(begin(own))), "kim")
    assert refused(oidc.come_back(Client(), back)) == "expired"
    oidc.come_back(client, back)
    client.logout()
    assert refused(oidc.come_back(client, back)) == "expired"


def test_a_token_of_another_sign_in_is_refused(own: IdentityProvider, provider: oidc.Provider, domain: str) -> None:
    """Somebody's code, put into one's own sign-in: the nonce is not ours."""
    provider.add_person("lee", email=f"lee@{domain}", groups=["Leads"])
    mine = oidc.target_of(Client().post(begin(own)))
    client = Client()
    other = oidc.target_of(client.post(begin(own)))
    nonce = dict(part.split("=") for part in mine.split("?")[1].split("&"))["nonce"]
    theirs = dict(part.split("=") for part in other.split("?")[1].split("&"))["nonce"]
    back = provider.agree(other.replace(theirs, nonce), "lee")
    assert refused(oidc.come_back(client, back)) == "failed"


def test_cancelled_there(own: IdentityProvider, provider: oidc.Provider) -> None:
    assert refused(oidc.go(Client(), provider, "me", begin(own), action="deny")) == "cancelled"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_stays_on_this_site(target: str, own: IdentityProvider, provider: oidc.Provider, domain: str) -> None:
    provider.add_person("max", email=f"max@{domain}", groups=["Leads"])
    answer = oidc.go(Client(), provider, "max", begin(own), next=target)
    assert answer.headers["Location"] == "/"
    answer = oidc.go(Client(), provider, "max", begin(own), next="/account/2fa/")
    assert answer.headers["Location"] == "/account/2fa/"


def test_the_session_changes_at_sign_in(own: IdentityProvider, provider: oidc.Provider, domain: str) -> None:
    provider.add_person("ned", email=f"ned@{domain}", groups=["Leads"])
    client = Client()
    back = provider.agree(oidc.target_of(client.post(begin(own))), "ned")
    before = client.session.session_key
    oidc.come_back(client, back)
    assert client.session.session_key != before


def test_an_address_of_no_provider_is_answered_alike_whosever_it_is(world: World) -> None:
    known = world.personas["viewer"].email
    domain = known.partition("@")[2]
    answers = [Client().post(reverse("single_sign_on"), {"email": one}) for one in (known, f"nobody@{domain}")]
    assert [one.status_code for one in answers] == [400, 400]
    assert answers[0].context["error"] == answers[1].context["error"]


@pytest.mark.parametrize(
    "email", ["", "x", "a\x00@b.example", "a@b\ud800".encode("utf-8", "replace").decode(), "x" * 9000]
)
def test_what_is_no_address_is_said(email: str) -> None:
    assert Client().post(reverse("single_sign_on"), {"email": email}).status_code == 400


def test_looking_for_providers_is_slowed() -> None:
    statuses = [Client().post(reverse("single_sign_on"), {"email": "a@b.example"}).status_code for _ in range(31)]
    assert (statuses[0], statuses[-1]) == (400, 429)


def test_a_provider_that_is_down_is_told_of(own: IdentityProvider, world: World, domain: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://localhost:{free.getsockname()[1]}"
    IdentityProviderOf(world).move_to(dead)
    answer = Client().post(begin(own))
    assert refused(answer) == "unreachable"
    assert Client().get(answer.headers["Location"]).status_code == 503


class IdentityProviderOf:
    def __init__(self, world: World) -> None:
        self.org = world.orgs["buyer"]

    def move_to(self, issuer: str) -> None:
        with acting(SERVICE):
            IdentityProvider.objects.filter(org=self.org).update(issuer=issuer)


@pytest.mark.parametrize("path", ["/oauth2/token", "/jwks", "/userinfo"])
@pytest.mark.parametrize("answer", [("", 500), ("nonsense", 200), ("[]", 200), ('{"keys": 7, "id_token": 3}', 200)])
def test_a_provider_that_answers_nonsense_midway(
    path: str, answer: tuple[str, int], own: IdentityProvider, provider: oidc.Provider, domain: str
) -> None:
    provider.add_person("oz", email=f"oz@{domain}", groups=["Leads"])
    provider.spoil[path] = answer
    assert refused(oidc.go(Client(), provider, "oz", begin(own))) in {"unreachable", "failed"}


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"issuer": "https://another.example"}', "x" * 1_100_000, '{"issuer": 7}']
)
def test_a_discovery_document_that_is_none(document: str, own: IdentityProvider, provider: oidc.Provider) -> None:
    provider.spoil["/.well-known/openid-configuration"] = (document, 200)
    assert refused(Client().post(begin(own))) == "unreachable"


def test_a_provider_switched_off_unconfirmed_or_of_a_suspended_organisation_is_none(
    own: IdentityProvider, world: World, domain: str
) -> None:
    with acting(SERVICE):
        for change in ({"is_on": False}, {"is_on": True, "confirmed_at": None}):
            IdentityProvider.objects.filter(pk=own.pk).update(**change)
            assert Client().post(begin(own)).status_code == 404
            answer = Client().post(reverse("single_sign_on"), {"email": f"a@{domain}"})
            assert answer.status_code == 400
    assert Client().post(reverse("openid_connect_login", args=["org-nonsense"])).status_code == 404
    assert Client().post(reverse("openid_connect_login", args=[f"org-{uuid4()}"])).status_code == 404
    assert Client().post(reverse("openid_connect_login", args=["nobody"])).status_code == 404


def test_where_only_the_provider_is_wanted_passwords_do_not_work(
    world: World, provider: oidc.Provider, domain: str
) -> None:
    set_up(world.orgs["buyer"], provider.issuer, domain, is_only=True)
    user = User.objects.create_user(f"pia@{domain}")
    set_password(user=user, password=PASSWORD)
    answer = Client().post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert refused(answer) == "only-provider"


def test_no_token_and_no_more_claims_than_needed_are_kept(
    own: IdentityProvider, provider: oidc.Provider, domain: str
) -> None:
    from allauth.socialaccount.models import SocialAccount, SocialToken

    provider.add_person("quin", email=f"quin@{domain}", groups=["Leads"], picture="https://x.example/face.png")
    oidc.go(Client(), provider, "quin", begin(own))
    kept = SocialAccount.objects.get(provider=own.key, uid="quin")
    assert set(kept.extra_data["id_token"]) == {"iss", "sub", "email"}
    assert not SocialToken.objects.filter(account=kept).exists()


def test_another_issuer_knows_nobody(own: IdentityProvider, provider: oidc.Provider, world: World, domain: str) -> None:
    """The same name there may be another person: accounts connected before are so no longer."""
    provider.add_person("ray", email=f"ray@{domain}", groups=["Leads"])
    oidc.go(Client(), provider, "ray", begin(own))
    with oidc.running() as other:
        set_up(world.orgs["buyer"], other.issuer, domain)
        other.add_person("ray", email=f"mallory@{domain}", groups=["Planners"])
        client = Client()
        oidc.go(client, other, "ray", begin(own))
        assert User.objects.get(pk=client.session["_auth_user_id"]).email == f"mallory@{domain}"


@pytest.fixture
def platform_provider(settings: Any, provider: oidc.Provider) -> str:
    """Auth0's place in the settings, with the claims that name organisation and roles."""
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            **settings.SOCIALACCOUNT_PROVIDERS["openid_connect"],
            "APPS": [
                {"provider_id": "auth0", "name": "Auth0", "client_id": "x", "secret": "y",
                 "settings": {"server_url": provider.issuer}},
            ],
        }
    }  # fmt: skip
    settings.SIGN_IN_CLAIMS = {"auth0": {"org": "org_name", "roles": "roles", "table": {"marketer": ["Marketing"]}}}
    return reverse("openid_connect_login", args=["auth0"])


def test_the_platforms_provider_lets_in_whom_it_verified(
    platform_provider: str, provider: oidc.Provider, world: World
) -> None:
    assert "Continue with Auth0" in Client().get("/account/login/").content.decode()
    user = User.objects.create_user(f"sam-{uuid4().hex[:8]}@mail.example")
    provider.add_person("sam", email=user.email)
    assert refused(oidc.go(Client(), provider, "sam", platform_provider)) == "unverified"
    provider.add_person("sam", email=user.email, email_verified=True)
    client = Client()
    oidc.go(client, provider, "sam", platform_provider)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_strangers_are_not_let_in_by_it(platform_provider: str, provider: oidc.Provider) -> None:
    provider.add_person("tom", email="tom@mail.example", email_verified=True)
    assert refused(oidc.go(Client(), provider, "tom", platform_provider)) == "uninvited"
    assert not User.objects.filter(email="tom@mail.example").exists()


def test_its_claims_may_name_the_organisation_and_the_roles(
    platform_provider: str, provider: oidc.Provider, world: World
) -> None:
    email = f"una-{uuid4().hex[:8]}@mail.example"
    slug = world.slug("buyer")
    provider.add_person("una", email=email, email_verified=True, org_name=slug, roles=["Marketing"])
    oidc.go(Client(), provider, "una", platform_provider)
    assert roles_of(email, world.orgs["buyer"]) == {"marketer"}
    provider.add_person("una", email=email, email_verified=True, org_name="nobodys", roles=["Marketing"])
    assert refused(oidc.go(Client(), provider, "una", platform_provider)) == "no-role"


def test_a_get_asks_first(own: IdentityProvider) -> None:
    """A link from elsewhere signs nobody in (login CSRF)."""
    answer = Client().get(begin(own))
    assert answer.status_code == 200
    assert "Continue" in answer.content.decode()
    assert Client(enforce_csrf_checks=True).post(begin(own)).status_code == 403


def test_the_address_adds_nothing_to_what_is_asked(own: IdentityProvider) -> None:
    page = Client().post(begin(own) + "?scope=admin&auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example")
    assert "evil" not in oidc.target_of(page)
    assert "admin" not in oidc.target_of(page)
