"""The page of an organisation's own sign-in: who may set it up, what is refused, what is kept and never shown."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.urls import reverse
from requests import RequestException

from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import AuditEntry, IdentityProvider
from apps.orgs.sign_in.outgoing import Session
from tests.support import oidc
from tests.support.world import World

pytestmark = pytest.mark.django_db
SECRET = "a-secret-that-nobody-reads"


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def provider() -> Iterator[oidc.Provider]:
    with oidc.running() as running:
        yield running


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Acme", "issuer": "https://login.acme.example", "client_id": "precise", "secret": SECRET,
        "domains": f"acme-{uuid4().hex[:8]}.example", "groups_claim": "groups", "groups_marketer": "Planners, Buyers",
        "is_on": "1", **changes,
    }  # fmt: skip


def post(client: Any, world: World, action: str = "save_sign_in", org: str = "buyer", **sent: Any) -> Any:
    return client.post(reverse(f"org:{action}", args=[world.slug(org)]), sent)


def stored(world: World, org: str = "buyer") -> IdentityProvider | None:
    with acting(SERVICE):
        return IdentityProvider.objects.filter(org=world.orgs[org]).first()


def test_an_admin_sets_it_up_and_staff_confirm_it(provider: oidc.Provider, world: World, as_persona: Any) -> None:
    admin, staff = as_persona("org_admin"), as_persona("super_admin")
    assert post(admin, world, **fields(issuer=provider.issuer)).status_code == 302
    page = admin.get(reverse("org:sign_in", args=[world.slug("buyer")])).content.decode()
    kept = stored(world)
    assert kept is not None
    assert "Domains wait for confirmation" in page
    assert reverse("openid_connect_callback", args=[kept.key]) in page
    assert "answers" in page
    assert kept.role_groups == {"marketer": ["Buyers", "Planners"]}
    assert post(admin, world, "confirm_sign_in").status_code == 403
    assert post(staff, world, "confirm_sign_in").status_code == 302
    assert "In use" in admin.get(reverse("org:sign_in", args=[world.slug("buyer")])).content.decode()
    with acting(SERVICE):
        entries = AuditEntry.objects.filter(org=world.orgs["buyer"], action__startswith="sign_in.")
        told = [(one.action, str(one.detail)) for one in entries]
    assert {action for action, _ in told} >= {"sign_in.provider_added", "sign_in.domains_confirmed"}
    assert SECRET not in str(told)


def test_the_secret_is_encrypted_kept_when_left_empty_and_never_shown(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    post(admin, world, **fields())
    first = stored(world)
    assert first is not None
    assert SECRET.encode() not in bytes(first.client_secret)
    post(admin, world, **fields(secret="", name="Acme 2"))
    second = stored(world)
    assert second is not None
    assert (second.name, bytes(second.client_secret)) == ("Acme 2", bytes(first.client_secret))
    assert SECRET not in admin.get(reverse("org:sign_in", args=[world.slug("buyer")])).content.decode()


def test_changed_domains_are_confirmed_anew(world: World, as_persona: Any) -> None:
    admin, staff, domain = as_persona("org_admin"), as_persona("super_admin"), f"acme-{uuid4().hex[:8]}.example"
    post(admin, world, **fields(domains=domain))
    post(staff, world, "confirm_sign_in")
    post(admin, world, **fields(domains=f"@{domain.upper()} ,"))
    assert stored(world).confirmed_at is not None  # type: ignore[union-attr]
    post(admin, world, **fields(domains=f"{domain}, gmail.com"))
    assert stored(world).confirmed_at is None  # type: ignore[union-attr]


def test_a_domain_is_one_organisations(world: World, as_persona: Any) -> None:
    staff, domain = as_persona("super_admin"), f"acme-{uuid4().hex[:8]}.example"
    for org in ("buyer", "rival"):
        assert post(staff, world, org=org, **fields(domains=domain)).status_code == 302
    assert post(staff, world, "confirm_sign_in", org="buyer").status_code == 302
    answer = post(staff, world, "confirm_sign_in", org="rival")
    assert answer.status_code == 409
    assert "is confirmed as" in answer.context["error"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": ""}, "1 to 40"),
        ({"name": "a\x00b"}, "one line"),
        ({"name": "x" * 41}, "1 to 40"),
        ({"issuer": "http://login.acme.example"}, "begins with https://"),
        ({"issuer": "file:///etc/passwd"}, "begins with https://"),
        ({"issuer": "https://login.acme.example/?a=b"}, "neither"),
        ({"issuer": "https://user@login.acme.example"}, "neither"),
        ({"issuer": "https://["}, "begins with https://"),
        ({"issuer": "x" * 400}, "1 to 300"),
        ({"client_id": ""}, "client ID"),
        ({"secret": ""}, "client secret"),
        ({"domains": ""}, "Name the domain"),
        ({"domains": "not a domain"}, "is not a domain"),
        ({"domains": "аcme.example"}, "is not a domain"),
        ({"domains": ", ".join(f"d{n}.example" for n in range(30))}, "At most 20"),
        ({"groups_marketer": ""}, "nobody gets in"),
        ({"groups_marketer": ",".join(map(str, range(300)))}, "At most 200"),
        ({"groups_super_admin": "Bosses"}, "cannot give super_admin"),
        ({"groups_campaign_manager": "Bosses"}, "cannot give campaign_manager"),
        ({"everyone": "super_admin"}, "cannot give super_admin"),
        ({"everyone": "nonsense"}, "cannot give nonsense"),
        ({"groups_claim": ""}, "The claim"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    changes: dict[str, str], why: str, world: World, as_persona: Any
) -> None:
    answer = post(as_persona("org_admin"), world, **fields(**changes))
    assert answer.status_code in {400, 403}
    assert why in answer.context["error"]
    assert answer.context["shown"]["client_id"] == changes.get("client_id", "precise")
    assert stored(world) is None


def test_html_in_names_is_text(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    post(admin, world, **fields(name="<b>Acme</b>"))
    page = admin.get(reverse("org:sign_in", args=[world.slug("buyer")])).content.decode()
    assert "<b>Acme</b>" not in page
    assert "&lt;b&gt;Acme&lt;/b&gt;" in page


def test_removed_it_is_gone(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    post(admin, world, **fields())
    assert post(admin, world, "remove_sign_in").status_code == 302
    assert stored(world) is None
    assert post(admin, world, "remove_sign_in").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://2130706433/",
        "http://example.com/", "gopher://example.com/", "https://[fd00::1]/",
    ],
)  # fmt: skip
def test_only_public_addresses_are_asked(address: str, settings: Any) -> None:
    """Whatever an organisation names as its provider, nothing within our network is reached."""
    settings.SIGN_IN_LOCAL_PROVIDERS = False
    with Session() as session, pytest.raises(RequestException):
        session.get(address)


def test_redirects_are_not_followed_and_long_answers_cut_off(provider: oidc.Provider) -> None:
    with Session() as session:
        provider.spoil["/jwks"] = ("", 302, {"Location": f"{provider.issuer}/userinfo"})
        with pytest.raises(RequestException, match="redirects"):
            session.get(f"{provider.issuer}/jwks")
        provider.spoil["/jwks"] = ("x" * 1_100_000, 200)
        with pytest.raises(RequestException, match="more than"):
            session.get(f"{provider.issuer}/jwks")
    provider.spoil.clear()


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: Any) -> None:
    from apps.orgs.sign_in import outgoing

    monkeypatch.setattr(outgoing, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, Session() as session, pytest.raises(RequestException):
        session.get(f"http://localhost:{silent.getsockname()[1]}/")


def test_what_an_address_answers_is_not_told(world: World, as_persona: Any, settings: Any) -> None:
    """The page would else be a way to look into our network."""
    admin = as_persona("org_admin")
    settings.SIGN_IN_LOCAL_PROVIDERS = False
    for issuer in ("https://127.0.0.1:1", "https://10.0.0.1", "https://nobody.invalid"):
        post(admin, world, **fields(issuer=issuer))
        page = admin.get(reverse("org:sign_in", args=[world.slug("buyer")])).content.decode()
        assert "It did not answer with a discovery document" in page
