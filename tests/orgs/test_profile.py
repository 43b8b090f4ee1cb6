"""One's own page: name and messages, sessions, where one belongs, and all that is kept."""

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from celery import current_app
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.models import SignInPlace
from apps.accounts.public import User, set_password
from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import AuditEntry, Membership
from apps.orgs.people import accept_invitation, invite
from apps.orgs.tasks import warn_of_keys
from tests.support.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@pytest.fixture(autouse=True)
def at_once() -> Any:
    """Tasks run where they are asked for, as soon as the test commits."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


def sign_in(user: User, address: str = "203.0.113.77") -> Client:
    fresh = User.objects.get(pk=user.pk)
    if not fresh.check_password(PASSWORD):
        set_password(user=fresh, password=PASSWORD)
    client = Client(headers={"User-Agent": AGENT}, REMOTE_ADDR=address)
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return client


def test_it_says_where_one_belongs_and_what_one_may_do(world: World, as_persona: Any) -> None:
    context = as_persona("marketer").get("/profile/").context
    assert [(one["org"].slug, one["roles"], one["may"]) for one in context["organisations"]] == [
        (world.slug("buyer"), ["marketer"], ["view overview"])
    ]


def test_name_and_messages_are_kept(world: World, as_persona: Any) -> None:
    client, user = as_persona("viewer"), world.personas["viewer"]
    assert client.post("/profile/edit/", {"name": " Ada  Lovelace ", "notice": ["joined"]}).status_code == 302
    kept = User.objects.get(pk=user.pk)
    assert (kept.name, kept.muted) == ("Ada Lovelace", ["key_expires", "sign_in"])
    with acting(SERVICE):
        entry = AuditEntry.objects.filter(action="profile.edited").latest("pk")
    assert (entry.actor, entry.detail) == (str(user.pk), {"fields": ["muted", "name"]})
    assert client.post("/profile/edit/", {"name": ""}).status_code == 302


@pytest.mark.parametrize(
    "sent", [{"name": "x" * 201}, {"name": "a\x00b"}, {"name": "a\nb"}, {"name": "Аda"}, {"notice": ["spam"]}]
)
def test_what_is_no_name_is_refused_and_said(sent: dict[str, Any], world: World, as_persona: Any) -> None:
    answer = as_persona("viewer").post("/profile/edit/", sent)
    assert (answer.status_code, bool(answer.context["error"])) == (400, True)
    assert User.objects.get(pk=world.personas["viewer"].pk).name == ""


def test_sessions_are_listed_by_network_and_end_one_by_one(world: World) -> None:
    user = world.personas["viewer"]
    here, there = sign_in(user), sign_in(user, "2001:db8:1:2::3")
    sessions = here.get("/profile/").context["sessions"]
    assert [(one["browser"], one["network"], one["is_current"]) for one in sessions] == [
        ("Chrome on Linux", "2001:db8:1::", False),
        ("Chrome on Linux", "203.0.113.0", True),
    ]
    assert here.post("/profile/sessions/end/", {"session": sessions[0]["id"]}).status_code == 302
    assert (there.get("/profile/").status_code, here.get("/profile/").status_code) == (302, 200)
    for bad in ("", "x", "-1", "9" * 30, "²", str(sessions[0]["id"])):
        assert here.post("/profile/sessions/end/", {"session": bad}).status_code == 404, bad


def test_nobody_ends_the_session_of_somebody_else(world: World, as_persona: Any) -> None:
    theirs = sign_in(world.personas["viewer"])
    number = UserSession.objects.get(user=world.personas["viewer"]).pk
    assert as_persona("marketer").post("/profile/sessions/end/", {"session": number}).status_code == 404
    assert theirs.get("/profile/").status_code == 200


def test_all_others_end_and_this_one_stays(world: World, as_persona: Any) -> None:
    user = world.personas["viewer"]
    here, there, unlisted = sign_in(user), sign_in(user), as_persona("viewer")
    assert here.post("/profile/sessions/end/", {"session": "others"}).status_code == 302
    assert [one.get("/profile/").status_code for one in (here, there, unlisted)] == [200, 302, 302]
    assert [one["is_current"] for one in here.get("/profile/").context["sessions"]] == [True]


def test_a_new_network_is_told_once(world: World, django_capture_on_commit_callbacks: Any) -> None:
    user = world.personas["viewer"]
    for address, mails in (("203.0.113.1", 0), ("203.0.113.9", 0), ("198.51.100.1", 1), ("198.51.100.2", 0)):
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            sign_in(user, address)
        assert len(mail.outbox) == mails, address
    assert set(SignInPlace.objects.filter(user=user).values_list("network", flat=True)) == {
        "203.0.113.0/24", "198.51.100.0/24",
    }  # fmt: skip
    User.objects.filter(pk=user.pk).update(muted=["sign_in"])
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(user, "192.0.2.1")
    assert not mail.outbox


def test_who_invited_hears_of_the_joining(world: World, django_capture_on_commit_callbacks: Any) -> None:
    org, admin = world.orgs["buyer"], world.personas["org_admin"]
    with django_capture_on_commit_callbacks(execute=True), acting(SERVICE):
        from apps.orgs.actor import Actor
        from apps.orgs.permissions import Role

        actor = Actor(admin.email, frozenset({(org.pk, Role.ORG_ADMIN)}), user_id=admin.pk)
        _, token = invite(actor=actor, org=org, email="joins@example.org", role="viewer")
        accept_invitation(token=token, user=User.objects.create_user("joins@example.org"))
    assert [one.to for one in mail.outbox] == [[admin.email]]
    assert "as viewer" in mail.outbox[0].body
    assert "joins@example.org" not in mail.outbox[0].body


def test_administrators_hear_once_of_a_key_that_expires(world: World, django_capture_on_commit_callbacks: Any) -> None:
    org, now = world.orgs["buyer"], timezone.now()
    with acting(SERVICE):
        for days in (3, 30):
            create_api_key(
                actor=SERVICE, org=org, name=f"key {days}", scopes=["pixel"], expires_at=now + timedelta(days=days)
            )
        admins = set(Membership.objects.filter(org=org, role="org_admin").values_list("user__email", flat=True))
    with django_capture_on_commit_callbacks(execute=True):
        assert warn_of_keys() == 1
        assert warn_of_keys() == 0
    assert {one.to[0] for one in mail.outbox} == admins
    assert all("key 3" in one.body for one in mail.outbox)


def test_all_that_is_kept_is_handed_out_without_secrets(world: World) -> None:
    user = world.personas["viewer"]
    client = sign_in(user)
    answer = client.post("/profile/data/")
    found = json.loads(answer.content)
    assert found["account"]["email"] == user.email
    assert found["memberships"][0]["org__name"] == world.orgs["buyer"].name
    assert found["sign_in_places"][0]["network"] == "203.0.113.0/24"
    assert "sign_in.done" in {one["action"] for one in found["done"]}
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert "203.0.113.77" not in text
    assert User.objects.get(pk=user.pk).password not in text
    assert world.slug("rival") not in text
    with acting(SERVICE):
        assert AuditEntry.objects.filter(action="person.exported", target=f"user/{user.pk}").exists()


def test_the_address_of_a_session_is_never_stored(world: World) -> None:
    sign_in(world.personas["viewer"], "203.0.113.77")
    assert UserSession.objects.get(user=world.personas["viewer"]).ip == "203.0.113.0"
