"""People of all organisations: found by the staff, within what each may see; closed, opened and signed out at once."""

from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from apps.accounts.public import User, set_password
from apps.orgs.actor import SERVICE, Actor, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import AuditEntry, Membership
from apps.orgs.permissions import Role
from tests.support.world import World

pytestmark = pytest.mark.django_db
USERS = "/console/users/"


def emails(client: Client, **query: str) -> set[str]:
    return {row["user"].email for row in client.get(USERS, query).context["rows"]}


def path_of(user: User, what: str = "") -> str:
    return f"{USERS}{user.pk}/{what}"


def suffix(world: World) -> str:
    return world.personas["viewer"].email.partition("-")[2]


def test_super_admins_find_everybody_by_address_and_name(world: World, as_persona: Any) -> None:
    client, viewer = as_persona("super_admin"), world.personas["viewer"]
    User.objects.filter(pk=viewer.pk).update(name="Ada Lovelace")
    assert emails(client, q="ada LOVE") == {viewer.email}
    assert emails(client, q=viewer.email.upper()) == {viewer.email}
    assert {one.email for one in world.personas.values()} <= emails(client, q=suffix(world))
    assert emails(client, q="<script>") == set()
    with acting(SERVICE):
        assert AuditEntry.objects.filter(action="users.listed").latest("pk").detail["query"] == "q=%3Cscript%3E"


def test_campaign_managers_find_people_of_what_they_manage_and_nothing_else_of_them(
    world: World, as_persona: Any
) -> None:
    client, marketer = as_persona("campaign_manager"), world.personas["marketer"]
    with acting(SERVICE):
        Membership.objects.create(user=marketer, org=world.orgs["rival"], role="viewer")
    found = emails(client, q=suffix(world))
    assert marketer.email in found
    assert world.personas["stranger"].email not in found
    page = client.get(path_of(marketer)).content.decode()
    assert world.orgs["buyer"].name in page
    assert world.orgs["rival"].name not in page
    assert client.get(path_of(world.personas["stranger"])).status_code == 404
    assert client.post(path_of(marketer, "account/"), {"what": "close"}).status_code == 403
    assert client.post(path_of(marketer, "roles/"), {}).status_code == 403


def test_narrowed_by_state_and_role(world: World, as_persona: Any) -> None:
    client, mine = as_persona("super_admin"), suffix(world)
    viewer, marketer = world.personas["viewer"], world.personas["marketer"]
    TOTP.activate(viewer, generate_totp_secret())
    User.objects.filter(pk=marketer.pk).update(is_active=False)
    assert emails(client, q=mine, state="closed") == {marketer.email}
    assert viewer.email not in emails(client, q=mine, state="one_step")
    assert marketer.email in emails(client, q=mine, state="never")
    assert emails(client, q=mine, role="viewer") == {viewer.email}
    for bad in ({"state": "x"}, {"role": "king"}, {"page": "0"}, {"page": "²"}, {"q": "a\x00"}):
        assert client.get(USERS, bad).status_code == 400, bad
    assert client.get(USERS, {"page": "999999"}).status_code == 200


def test_a_closed_account_is_out_at_once_with_its_keys_and_comes_back_without_them(
    world: World, as_persona: Any
) -> None:
    client, member, person = as_persona("super_admin"), as_persona("marketer"), world.personas["marketer"]
    with acting(SERVICE):
        maker = Actor(person.email, frozenset({(world.orgs["buyer"].pk, Role.MARKETER)}), user_id=person.pk)
        _, key = create_api_key(actor=maker, org=world.orgs["buyer"], name="theirs", scopes=["events:read"])
    home = f"/o/{world.slug('buyer')}/"
    assert "1 API key end" in client.get(path_of(person)).content.decode()
    assert client.post(path_of(person, "account/"), {"what": "close"}).status_code == 302
    assert member.get(home).status_code == 302
    assert Client(headers={"X-API-Key": key}).get("/api/v1/me").status_code == 401
    assert client.post(path_of(person, "account/"), {"what": "close"}).status_code == 409
    with acting(SERVICE):
        noted = AuditEntry.objects.filter(action="user.closed", target=f"user/{person.pk}")
        assert {(one.org_id, one.detail["keys_ended"]) for one in noted} == {(world.orgs["buyer"].pk, 1)}
    assert client.post(path_of(person, "account/"), {"what": "open"}).status_code == 302
    # The old session is not the way back in.
    assert member.get(home).status_code == 302
    assert as_persona("marketer").get(home).status_code == 200
    assert Client(headers={"X-API-Key": key}).get("/api/v1/me").status_code == 401


def test_signed_out_everywhere_also_where_no_session_is_listed(world: World, as_persona: Any) -> None:
    first, second = as_persona("viewer"), as_persona("viewer")
    client, home = as_persona("super_admin"), f"/o/{world.slug('buyer')}/"
    assert client.post(path_of(world.personas["viewer"], "account/"), {"what": "sign-out"}).status_code == 302
    assert [one.get(home).status_code for one in (first, second)] == [302, 302]


def test_the_last_admin_of_any_organisation_stays_and_nobody_closes_themselves(world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    with acting(SERVICE):
        only = Membership.objects.get(org=world.orgs["other_owner"], role="org_admin").user
    answer = client.post(path_of(only, "account/"), {"what": "close"})
    assert (answer.status_code, "no org admin left" in answer.context["error"]) == (409, True)
    assert User.objects.get(pk=only.pk).is_active
    assert client.post(path_of(world.personas["super_admin"], "account/"), {"what": "close"}).status_code == 409
    assert client.post(path_of(only, "account/"), {"what": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("slug", "role", "status"),
    [("rival", "viewer", 302), ("rival", "king", 400), ("nowhere", "viewer", 404), ("rival", "super_admin", 400)],
)
def test_a_role_elsewhere(slug: str, role: str, status: int, world: World, as_persona: Any) -> None:
    client, person = as_persona("super_admin"), world.personas["viewer"]
    named = world.slug(slug) if slug in world.orgs else slug
    assert client.post(path_of(person, "roles/"), {"slug": named, "role": role}).status_code == status
    with acting(SERVICE):
        held = Membership.objects.filter(user=person, org=world.orgs["rival"]).values_list("role", flat=True)
        assert list(held) == (["viewer"] if status == 302 else [])


def test_markup_in_a_name_is_text(world: World, as_persona: Any) -> None:
    User.objects.filter(pk=world.personas["viewer"].pk).update(name="<script>alert(1)</script>")
    client = as_persona("super_admin")
    for path in (f"{USERS}?q={suffix(world)}", path_of(world.personas["viewer"])):
        assert "<script>alert" not in client.get(path).content.decode()
    assert client.get(f"{USERS}{uuid4()}/").status_code == 404


def test_the_matrix_is_the_table_in_force(world: World, as_persona: Any) -> None:
    context = as_persona("super_admin").get("/console/roles/").context
    people = {row["words"]: row["cells"] for row in context["rows"]}["manage people"]
    assert people == [True, True, True, False, False, False, False]
    assert {role["words"]: role["people"] for role in context["roles"]}["campaign manager"] >= 1


def test_a_session_begun_with_an_earlier_password_is_none(world: World, as_persona: Any) -> None:
    client, person = as_persona("viewer"), world.personas["viewer"]
    set_password(user=User.objects.get(pk=person.pk), password="another-passphrase")
    assert client.get(f"/o/{world.slug('buyer')}/").status_code == 302
