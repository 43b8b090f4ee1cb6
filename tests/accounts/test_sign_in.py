"""Signing in by e-mail and password: what works, what is refused, and what is not given away."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from apps.accounts.public import User, set_password
from tests.support.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def email(world: World) -> str:
    # Fetched anew: the shared persona must not remember a password that is rolled back.
    viewer = User.objects.get(pk=world.personas["viewer"].pk)
    set_password(user=viewer, password=PASSWORD)
    return viewer.email


def sign_in(email: str, password: str, path: str = "/account/login/") -> object:
    return Client().post(path, {"login": email, "password": password})


def test_the_right_password_leads_home(email: str, world: World) -> None:
    client = Client()
    response = client.post("/account/login/", {"login": email.upper(), "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == f"/o/{world.slug('buyer')}/"


def test_a_wrong_password_and_an_unknown_address_look_alike(email: str) -> None:
    wrong = Client().post("/account/login/", {"login": email, "password": "wrong"})
    unknown = Client().post("/account/login/", {"login": "nobody@nowhere.example", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert wrong.context["form"].errors


def test_guessing_is_slowed(email: str) -> None:
    for _ in range(5):
        Client().post("/account/login/", {"login": email, "password": "wrong"})
    response = Client().post("/account/login/", {"login": email, "password": PASSWORD})
    assert "_auth_user_id" not in response.client.session


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_next_stays_on_this_site(email: str, target: str) -> None:
    response = Client().post("/account/login/", {"login": email, "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"


def test_the_session_changes_at_sign_in(email: str) -> None:
    client = Client()
    client.get("/account/login/")
    session = client.session
    session["seen"] = 1
    session.save()
    before = session.session_key
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    assert client.session.session_key != before


def test_a_reset_link_sets_a_new_password(email: str) -> None:
    Client().post("/account/password/reset/", {"email": email})
    link = re.search(r"http\S+/account/password/reset/key/\S+", mail.outbox[-1].body)
    assert link is not None
    client = Client()
    form = client.get(link[0], follow=True)
    fresh = "another-long-passphrase"
    client.post(form.redirect_chain[-1][0], {"password1": fresh, "password2": fresh})
    assert Client().post("/account/login/", {"login": email, "password": fresh}).status_code == 302


def test_nobody_signs_up_uninvited() -> None:
    response = Client().post(
        "/account/signup/", {"email": "new@nowhere.example", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert "_auth_user_id" not in response.client.session
    assert "by invitation" in response.content.decode()


def test_two_step_sign_in_asks_for_a_code(email: str, world: World) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(world.personas["viewer"], generate_totp_secret())
    response = Client().post("/account/login/", {"login": email, "password": PASSWORD})
    assert "authenticate" in response.headers["Location"]
    assert "_auth_user_id" not in response.client.session


@pytest.mark.parametrize(
    "path",
    ["/account/", "/account/email/", "/account/password/change/", "/account/2fa/", "/account/2fa/totp/activate/"],
)
def test_account_pages_open(path: str, world: World) -> None:
    client = Client()
    client.force_login(world.personas["viewer"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(path, follow=True).status_code == 200
