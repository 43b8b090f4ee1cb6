"""Who joins, as what, and who leaves: by invitation, within what the inviter may do, never without an admin."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from django.urls import reverse

from apps.accounts.public import User, set_password
from apps.common.errors import Conflict, Forbidden
from apps.orgs import people
from apps.orgs.actor import SERVICE, Actor, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import AuditEntry, Invitation, Membership
from apps.orgs.permissions import Role
from tests.support.world import World

pytestmark = pytest.mark.django_db


def invite(client: Client, world: World, email: str, role: str = "viewer") -> Any:
    return client.post(reverse("org:invite", args=[world.slug("buyer")]), {"email": email, "role": role})


@pytest.fixture
def link(world: World, as_persona: Any, django_capture_on_commit_callbacks: Any) -> str:
    """The link in the mail to somebody new."""
    with django_capture_on_commit_callbacks(execute=True):
        assert invite(as_persona("org_admin"), world, "New.Person@example.org", "marketer").status_code == 302
    found = re.search(r"https?://[^/]+(/invitations/\S+)", mail.outbox[-1].body)
    assert found
    assert mail.outbox[-1].to == ["new.person@example.org"]
    return found[1]


def test_a_new_person_joins_and_chooses_a_password(link: str, world: World) -> None:
    client = Client()
    page = client.get(link).content.decode()
    assert world.orgs["buyer"].name in page
    assert "n…@example.org" in page
    assert client.post(link).headers["Location"] == "/account/password/set/"
    assert client.get(f"/o/{world.slug('buyer')}/").status_code == 200
    assert client.get(f"/o/{world.slug('buyer')}/sources/").status_code == 403
    # Once.
    assert Client().post(link).status_code == 410
    assert Client().get(link).status_code == 410


def test_who_has_a_password_signs_in_with_it_first(link: str, world: World) -> None:
    user = User.objects.create_user("new.person@example.org")
    set_password(user=user, password="correct-horse-battery")
    client = Client()
    assert client.post(link).headers["Location"] == f"/account/login/?next={link}"
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(link).headers["Location"] == f"/o/{world.slug('buyer')}/"


def test_somebody_else_cannot_use_it(link: str, world: World, as_persona: Any) -> None:
    client = as_persona("stranger")
    assert "is for n…@example.org" in client.post(link).content.decode()
    assert client.get(f"/o/{world.slug('buyer')}/").status_code == 404


def test_an_expired_or_revoked_link_is_gone(link: str, world: World, as_persona: Any) -> None:
    with acting(SERVICE):
        made = Invitation.objects.get(email="new.person@example.org")
        made.expires_at -= timedelta(days=8)
        made.save()
    assert Client().get(link).status_code == 410
    client = as_persona("org_admin")
    revoke = reverse("org:revoke_invitation", args=[world.slug("buyer"), made.pk])
    assert client.post(revoke).status_code == 302
    assert client.post(revoke).status_code == 404


def test_a_second_invitation_replaces_the_first(link: str, world: World, as_persona: Any) -> None:
    invite(as_persona("org_admin"), world, "new.person@example.org")
    assert Client().get(link).status_code == 410


@pytest.mark.parametrize(
    ("email", "role", "status"),
    [
        ("no address", "viewer", 400),
        ("аdmin@example.org", "viewer", 400),  # a Cyrillic а
        ("x@example.org", "king", 400),
        ("x@example.org", "super_admin", 403),
        ("x@example.org", "campaign_manager", 403),
    ],
)
def test_what_is_not_asked_for_is_refused(email: str, role: str, status: int, world: World, as_persona: Any) -> None:
    response = invite(as_persona("org_admin"), world, email, role)
    assert response.status_code == status
    assert response.context["error"]
    assert not mail.outbox


def test_a_member_is_not_invited_again(world: World, as_persona: Any) -> None:
    response = invite(as_persona("org_admin"), world, world.personas["viewer"].email)
    assert (response.status_code, "belongs to" in response.context["error"]) == (409, True)


def test_roles_change_and_the_trail_says_how(world: World, as_persona: Any) -> None:
    client, viewer = as_persona("org_admin"), world.personas["viewer"]
    path = reverse("org:change_roles", args=[world.slug("buyer"), viewer.pk])
    assert client.post(path, {"role": ["marketer", "viewer"]}).status_code == 302
    with acting(SERVICE):
        held = set(Membership.objects.filter(user=viewer, org=world.orgs["buyer"]).values_list("role", flat=True))
        entry = AuditEntry.objects.filter(action="roles.changed").latest("pk")
    assert held == {"marketer", "viewer"}
    assert entry.detail == {"before": {"roles": ["viewer"]}, "after": {"roles": ["marketer", "viewer"]}}
    assert client.post(path, {}).status_code == 400
    assert client.post(path, {"role": ["super_admin"]}).status_code == 403
    assert client.post(path, {"remove": "1"}).status_code == 302
    assert as_persona("viewer").get(f"/o/{world.slug('buyer')}/").status_code == 404


def test_a_role_of_the_platform_stays_what_an_admin_cannot_give(world: World, as_persona: Any) -> None:
    client, manager = as_persona("org_admin"), world.personas["campaign_manager"]
    page = client.get(reverse("org:person", args=[world.slug("buyer"), manager.pk]))
    assert [(role["value"], role["locked"]) for role in page.context["roles"] if role["held"]] == [
        ("campaign_manager", True)
    ]
    path = reverse("org:change_roles", args=[world.slug("buyer"), manager.pk])
    assert client.post(path, {"remove": "1"}).status_code == 403


@pytest.mark.parametrize("name", ["org:person", "org:change_roles"])
def test_people_of_others_are_nobody(name: str, world: World, as_persona: Any) -> None:
    client, path = as_persona("org_admin"), reverse(name, args=[world.slug("buyer"), world.personas["stranger"].pk])
    assert (client.post(path) if name == "org:change_roles" else client.get(path)).status_code == 404
    theirs = reverse(name, args=[world.slug("rival"), world.personas["stranger"].pk])
    assert (client.post(theirs) if name == "org:change_roles" else client.get(theirs)).status_code == 404


def test_the_last_admin_stays(world: World) -> None:
    org = world.orgs["other_owner"]
    with acting(SERVICE):
        (admin,) = Membership.objects.filter(org=org, role="org_admin")
        actor = Actor("x", frozenset({(org.pk, Role.ORG_ADMIN)}), user_id=admin.user_id)
    with acting(actor), pytest.raises(Conflict, match="no org admin left"):
        people.set_roles(actor=actor, org=org, user_id=admin.user_id, roles=["viewer"])


def test_who_is_deactivated_is_out_at_once_with_their_keys_and_comes_back_as_they_were(
    world: World, as_persona: Any
) -> None:
    org, viewer = world.orgs["buyer"], world.personas["viewer"]
    client, member = as_persona("org_admin"), as_persona("viewer")
    with acting(SERVICE):
        maker = Actor(viewer.email, frozenset({(org.pk, Role.VIEWER)}), user_id=viewer.pk)
        _, key = create_api_key(actor=maker, org=org, name="theirs", scopes=["events:read"])
    path = reverse("org:set_active", args=[org.slug, viewer.pk])
    assert client.post(path, {"active": "0"}).status_code == 302
    assert member.get(f"/o/{org.slug}/").status_code == 404
    assert Client(headers={"X-API-Key": key}).get("/api/v1/me").status_code == 401
    assert "Deactivated" in client.get(reverse("org:people", args=[org.slug])).content.decode()
    with acting(SERVICE):
        entry = AuditEntry.objects.filter(action="member.deactivated").latest("pk")
    assert (entry.target, entry.detail) == (f"user/{viewer.pk}", {"keys_ended": 1})
    # A further role is no way in.
    roles = reverse("org:change_roles", args=[org.slug, viewer.pk])
    assert client.post(roles, {"role": ["viewer", "marketer"]}).status_code == 302
    assert member.get(f"/o/{org.slug}/").status_code == 404
    assert client.post(path, {"active": "1"}).status_code == 302
    assert member.get(f"/o/{org.slug}/").status_code == 200
    assert Client(headers={"X-API-Key": key}).get("/api/v1/me").status_code == 401


def test_an_old_invitation_is_no_way_back_in(link: str, world: World, as_persona: Any) -> None:
    user = User.objects.create_user("new.person@example.org")
    with acting(SERVICE):
        Membership.objects.create(user=user, org=world.orgs["buyer"], role="viewer", is_active=False)
    client = Client()
    client.post(link)
    assert client.get(f"/o/{world.slug('buyer')}/").status_code == 404


def test_nobody_deactivates_themselves_or_who_has_more(world: World, as_persona: Any) -> None:
    def ask(persona: str, about: str) -> int:
        path = reverse("org:set_active", args=[world.slug("buyer"), world.personas[about].pk])
        return int(as_persona(persona).post(path, {"active": "0"}).status_code)

    assert ask("org_admin", "org_admin") == 409
    assert ask("org_admin", "campaign_manager") == 403
    assert ask("campaign_manager", "org_admin") == 403
    assert ask("campaign_manager", "marketer") == 302


def test_an_organisation_may_demand_a_second_step(world: World, as_persona: Any) -> None:
    org, viewer = world.orgs["buyer"], world.personas["viewer"]
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="machine", scopes=["events:read"])
    path = reverse("org:require_second_step", args=[org.slug])
    assert as_persona("org_admin").post(path, {"required": "1"}).status_code == 409
    TOTP.activate(world.personas["org_admin"], generate_totp_secret())
    assert as_persona("org_admin").post(path, {"required": "1"}).status_code == 302
    client = as_persona("viewer")
    answer = client.get(f"/o/{org.slug}/")
    assert (answer.status_code, "Set up the second step" in answer.content.decode()) == (403, True)
    assert client.get("/api/v1/me", headers={"X-Organisation": org.slug}).status_code == 403
    assert Client(headers={"X-API-Key": key}).get("/api/v1/me").status_code == 200
    TOTP.activate(viewer, generate_totp_secret())
    assert client.get(f"/o/{org.slug}/").status_code == 200


def test_nobody_gives_more_than_they_have(world: World) -> None:
    org = world.orgs["buyer"]
    viewer = Actor("x", frozenset({(org.pk, Role.VIEWER)}))
    assert people.roles_to_give(viewer, org) == [Role.MARKETER, Role.DATA_OWNER, Role.MEASUREMENT_PARTNER, Role.VIEWER]
    with acting(viewer), pytest.raises(Forbidden, match="may not do yourself"):
        people.invite(actor=viewer, org=org, email="y@example.org", role="org_admin")


def test_markup_in_a_name_is_text(world: World, as_persona: Any) -> None:
    User.objects.filter(pk=world.personas["viewer"].pk).update(name="<script>alert(1)</script>")
    page = as_persona("org_admin").get(reverse("org:people", args=[world.slug("buyer")])).content.decode()
    assert "<script>alert" not in page
