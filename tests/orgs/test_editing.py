"""Admin mode: who may, what is marked, saved at once, never over somebody else's change, undone, and told."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import ApiKey, AuditEntry, Edit, Organisation
from tests.support.world import World

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
# What each field is edited to in the test that goes through all of them; a new field fails until it is here.
EDITS = {
    "organisation.name": ("super_admin", "Renamed"),
    "organisation.time_zone": ("org_admin", "America/New_York"),
    "organisation.raw_event_days": ("super_admin", "45"),
    "organisation.events_per_second": ("super_admin", "2500"),
    "organisation.tier": ("super_admin", "enterprise"),
    "user.name": ("org_admin", "Ada Lovelace"),
    "api-key.name": ("org_admin", "Warehouse"),
}


def field_url(world: World, key: str, row_id: object, org: str = "buyer") -> str:
    return reverse("org:edit_field", args=[world.slug(org), key, row_id])


def fresh(world: World, org: str = "buyer") -> Organisation:
    with acting(SERVICE):
        return Organisation.objects.get(pk=world.orgs[org].pk)


def row_of(world: World, key: str) -> Any:
    thing = key.partition(".")[0]
    if thing == "organisation":
        return fresh(world)
    if thing == "user":
        return User.objects.get(pk=world.personas["viewer"].pk)
    with acting(SERVICE):
        return create_api_key(actor=SERVICE, org=world.orgs["buyer"], name="shop", scopes=["pixel"])[0]


def post(client: Client, url: str, value: str, seen: str, **headers: str) -> Any:
    return client.post(url, {"value": value, "seen": seen}, headers=headers or HTMX)


def switch(client: Client, world: World, on: str = "1") -> None:
    client.post(reverse("org:admin_mode", args=[world.slug("buyer")]), {"on": on})


def about(client: Client, world: World) -> str:
    return client.get(reverse("org:about", args=[world.slug("buyer")])).content.decode()


def test_values_bear_a_mark_while_the_mode_is_on_for_those_who_may(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    assert "data-edit" not in about(admin, world)
    switch(admin, world)
    page = about(admin, world)
    assert page.count("data-edit ") == 2, "name and time zone; the others are staff's"
    assert page.count('aria-label="Admin mode"') == 1
    staff = as_persona("super_admin")
    switch(staff, world)
    assert about(staff, world).count("data-edit ") == 5
    switch(admin, world, "0")
    assert "data-edit" not in about(admin, world)
    with acting(SERVICE):
        actions = AuditEntry.objects.filter(org=world.orgs["buyer"], action__startswith="admin_mode.")
        assert set(actions.values_list("action", flat=True)) == {"admin_mode.on", "admin_mode.off"}


def test_every_declared_field_is_edited_undone_and_told(world: World, as_persona: Any) -> None:
    from apps.orgs.editing.fields import FIELDS

    assert set(EDITS) == set(FIELDS)
    for key, (persona, value) in EDITS.items():
        client, row, field = as_persona(persona), row_of(world, key), FIELDS[key]
        switch(client, world)
        before = field.text_of(row)
        url = field_url(world, key, row.pk)
        assert before in client.get(url, headers=HTMX).content.decode()
        answer = post(client, url, value, before)
        assert answer.status_code == 200, (key, answer.content)
        with acting(SERVICE):
            assert field.text_of(type(row).objects.get(pk=row.pk)) == value
            entry = AuditEntry.objects.filter(org=world.orgs["buyer"], action="field.edited").latest("pk")
            edit = Edit.objects.latest("at")
        expected = ("not kept here",) * 2 if field.is_personal else (before, value)
        assert (entry.detail["before"][field.attribute], entry.detail["after"][field.attribute]) == expected
        undone = client.post(reverse("org:undo_edit", args=[world.slug("buyer"), edit.pk]), headers=HTMX)
        assert "Undone" in undone.headers["HX-Trigger"], key
        with acting(SERVICE):
            assert field.text_of(type(row).objects.get(pk=row.pk)) == before
            undo = AuditEntry.objects.filter(org=world.orgs["buyer"], action="field.edit_undone").latest("pk")
            assert undo.pk > entry.pk


def test_somebody_elses_change_is_shown_not_overwritten(world: World, as_persona: Any) -> None:
    admin, staff, org = as_persona("org_admin"), as_persona("super_admin"), world.orgs["buyer"]
    url, seen = field_url(world, "organisation.name", org.pk), fresh(world).name
    post(staff, url, "By staff", seen)
    answer = post(admin, url, "By the admin", seen)
    assert answer.status_code == 409
    said = answer.content.decode()
    assert "changed it to By staff meanwhile" in said
    assert world.personas["super_admin"].email in said
    assert 'value="By the admin"' in said, "what was typed stays"
    assert fresh(world).name == "By staff"
    assert post(admin, url, "By the admin", "By staff").status_code == 200, "seen by now, and meant"
    assert fresh(world).name == "By the admin"


def test_undoing_does_not_overwrite_a_later_change(world: World, as_persona: Any) -> None:
    admin, org = as_persona("org_admin"), world.orgs["buyer"]
    url, seen = field_url(world, "organisation.name", org.pk), fresh(world).name
    post(admin, url, "First", seen)
    with acting(SERVICE):
        first = Edit.objects.latest("at")
    post(admin, url, "Second", "First")
    undo = reverse("org:undo_edit", args=[world.slug("buyer"), first.pk])
    answer = admin.post(undo, headers=HTMX)
    assert "undoing would overwrite that" in answer.headers["HX-Trigger"]
    assert fresh(world).name == "Second"


def test_an_edit_is_undone_once_and_an_undo_can_be_undone(world: World, as_persona: Any) -> None:
    admin, org = as_persona("org_admin"), world.orgs["buyer"]
    url, seen = field_url(world, "organisation.name", org.pk), fresh(world).name
    post(admin, url, "Another", seen)
    with acting(SERVICE):
        edit = Edit.objects.latest("at")
    path = reverse("org:undo_edit", args=[world.slug("buyer"), edit.pk])
    admin.post(path, headers=HTMX)
    assert "undone already" in admin.post(path, headers=HTMX).headers["HX-Trigger"]
    with acting(SERVICE):
        again = Edit.objects.latest("at")
    admin.post(reverse("org:undo_edit", args=[world.slug("buyer"), again.pk]), headers=HTMX)
    assert fresh(world).name == "Another"


def test_edits_are_kept_on_the_server_for_their_author(world: World, as_persona: Any) -> None:
    admin, org = as_persona("org_admin"), world.orgs["buyer"]
    post(admin, field_url(world, "organisation.name", org.pk), "Kept", fresh(world).name)
    listed = as_persona("org_admin").get(reverse("org:edits", args=[world.slug("buyer")])).content.decode()
    assert "Kept" in listed
    assert "Undo" in listed
    assert (
        "Kept</ins>"
        not in as_persona("super_admin").get(reverse("org:edits", args=[world.slug("buyer")])).content.decode()
    )


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("organisation.name", "", "cannot be blank"),
        ("organisation.name", "x" * 201, "at most 200"),
        ("organisation.name", "a\x00b", "printable"),
        ("organisation.time_zone", "Mars/Olympus", "is not a time zone"),
        ("organisation.raw_event_days", "many", "integer"),
        ("organisation.raw_event_days", "-1", "greater than or equal"),
        ("organisation.raw_event_days", "99999999999999", "less than or equal"),
        ("organisation.tier", "gold", "not a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    key: str, value: str, why: str, world: World, as_persona: Any
) -> None:
    from apps.orgs.editing.fields import FIELDS

    before = FIELDS[key].text_of(fresh(world))
    answer = post(as_persona("super_admin"), field_url(world, key, world.orgs["buyer"].pk), value, before)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert FIELDS[key].text_of(fresh(world)) == before


@pytest.mark.parametrize(
    ("persona", "key", "status"),
    [
        ("org_admin", "organisation.tier", 403),
        ("campaign_manager", "organisation.name", 403),
        ("campaign_manager", "api-key.name", 403),
        ("viewer", "organisation.name", 403),
        ("stranger", "organisation.name", 404),
        ("data_owner", "organisation.name", 404),
        (None, "organisation.name", 302),
        ("org_admin", "organisation.schema_name", 404),
        ("org_admin", "user.password", 404),
        ("org_admin", "nonsense", 404),
    ],
)
def test_who_may_not(persona: str | None, key: str, status: int, world: World, as_persona: Any) -> None:
    client, url = as_persona(persona), field_url(world, key, world.orgs["buyer"].pk)
    before = fresh(world).name
    assert client.get(url).status_code == status
    assert post(client, url, "Mine", before).status_code == status
    assert fresh(world).name == before


def test_another_organisations_rows_are_none(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    with acting(SERVICE):
        theirs, _ = create_api_key(actor=SERVICE, org=world.orgs["rival"], name="theirs", scopes=["pixel"])
    for key, row_id in (
        ("organisation.name", world.orgs["rival"].pk),
        ("user.name", world.personas["stranger"].pk),
        ("api-key.name", theirs.pk),
        ("api-key.name", uuid4()),
    ):
        assert post(admin, field_url(world, key, row_id), "Mine", "").status_code == 404
    with acting(SERVICE):
        assert ApiKey.objects.get(pk=theirs.pk).name == "theirs"
    post(as_persona("stranger"), field_url(world, "organisation.name", world.orgs["rival"].pk, "rival"), "R", "x")
    with acting(SERVICE):
        row = world.orgs["rival"]
        edit = Edit.objects.create(org_id=row.pk, actor="x", field="organisation.name", row_id=row.pk, before="a")
    assert admin.post(reverse("org:undo_edit", args=[world.slug("buyer"), edit.pk]), headers=HTMX).status_code == 404
    with acting(SERVICE):
        assert Edit.objects.get(pk=edit.pk).undone_at is None


def test_a_person_of_several_organisations_is_nobody_elses_to_rename(world: World, as_persona: Any) -> None:
    from apps.orgs.models import Membership

    viewer = world.personas["viewer"]
    with acting(SERVICE):
        Membership.objects.create(org=world.orgs["rival"], user=viewer, role="viewer")
    url = field_url(world, "user.name", viewer.pk)
    assert post(as_persona("org_admin"), url, "Nick", viewer.name).status_code == 403
    assert post(as_persona("super_admin"), url, "Nick", viewer.name).status_code == 200


def test_html_is_text(world: World, as_persona: Any) -> None:
    admin, name = as_persona("org_admin"), "<img src=x onerror=alert(1)>"
    switch(admin, world)
    answer = post(admin, field_url(world, "organisation.name", world.orgs["buyer"].pk), name, fresh(world).name)
    assert b"<img" not in answer.content
    assert "<img src=x" not in about(admin, world)


def test_without_javascript_it_is_a_page_that_leads_back(world: World, as_persona: Any) -> None:
    admin = as_persona("org_admin")
    url = field_url(world, "organisation.name", world.orgs["buyer"].pk)
    back = reverse("org:about", args=[world.slug("buyer")])
    assert "<html" in admin.get(url).content.decode()
    answer = admin.post(url, {"value": "Plain", "seen": fresh(world).name, "next": back})
    assert (answer.status_code, answer.headers["Location"]) == (302, back)
    answer = admin.post(url, {"value": "Plainer", "seen": "Plain", "next": "https://evil.example/"})
    assert "evil" not in answer.headers["Location"]
    assert Client(enforce_csrf_checks=True).post(url, {"value": "x"}).status_code == 403


def test_old_edits_are_forgotten(world: World, db: None) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from apps.orgs.tasks import purge_edits

    with acting(SERVICE):
        org = world.orgs["buyer"]
        old = Edit.objects.create(org_id=org.pk, actor="x", field="organisation.name", row_id=org.pk)
        Edit.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=91))
        young = Edit.objects.create(org_id=org.pk, actor="x", field="organisation.name", row_id=org.pk)
    purge_edits()
    with acting(SERVICE):
        assert set(Edit.objects.filter(pk__in=[old.pk, young.pk]).values_list("pk", flat=True)) == {young.pk}
