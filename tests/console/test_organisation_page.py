"""One organisation in the console: edited, managed, branded, suspended, archived, exported."""

import csv
import json
import re
import zipfile
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.orgs import branding
from apps.orgs.actor import SERVICE, acting, declare
from apps.orgs.api_keys import create_api_key
from apps.orgs.export import run_export
from apps.orgs.lifecycle import EDITABLE, version_of
from apps.orgs.models import AuditEntry, Export, Membership, Organisation
from tests.support.world import World

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


@pytest.fixture
def org(world: World) -> Organisation:
    declare(SERVICE)
    return Organisation.objects.get(pk=world.orgs["rival"].pk)


@pytest.fixture
def client(as_persona: Any, org: Organisation) -> Client:
    found: Client = as_persona("super_admin")
    return found


def path_of(org: Organisation, what: str = "") -> str:
    return f"/console/organisations/{org.slug}/{what}"


def values(org: Organisation, **changes: Any) -> dict[str, Any]:
    found = {name: getattr(org, name) for name in EDITABLE} | {"seen": version_of(org)} | changes
    return {name: value for name, value in found.items() if value not in (None, False)}


def now(org: Organisation) -> Organisation:
    declare(SERVICE)
    return Organisation.objects.get(pk=org.pk)


def last_entry(org: Organisation, action: str) -> AuditEntry:
    declare(SERVICE)
    return AuditEntry.objects.filter(org=org, action=action).latest("pk")


def test_an_edit_is_kept_with_before_and_after(client: Client, org: Organisation) -> None:
    sent = values(org, domain="Rival.example", ttd_advertiser_id="abc1", currency="gbp", events_per_second=50)
    assert client.post(path_of(org, "edit/"), sent).status_code == 302
    changed = now(org)
    assert (changed.domain, changed.currency, changed.events_per_second) == ("rival.example", "GBP", 50)
    entry = last_entry(org, "organisation.edited")
    assert entry.detail["before"]["currency"] == org.currency
    assert entry.detail["after"]["currency"] == "GBP"
    assert "name" not in entry.detail["after"]
    # Nothing changed, nothing noted.
    assert client.post(path_of(org, "edit/"), values(changed)).status_code == 302
    assert last_entry(org, "organisation.edited").pk == entry.pk


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"), ({"name": "Rіval"}, "name"),  # a Ukrainian і
        ({"currency": "??"}, "currency"), ({"time_zone": "x"}, "time_zone"), ({"domain": "-"}, "domain"),
        ({"raw_event_days": "-1"}, "raw_event_days"), ({"events_per_second": "9" * 30}, "events_per_second"),
        ({"tier": "gold"}, "tier"), ({"contributor_id": "x" * 121}, "contributor_id"), ({"name": "a\x00b"}, "name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(
    client: Client, org: Organisation, changes: dict[str, Any], field: str
) -> None:
    answer = client.post(path_of(org, "edit/"), values(org, **changes))
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert version_of(now(org)) == version_of(org)


def test_another_ones_name_and_domain_are_refused(client: Client, org: Organisation, world: World) -> None:
    answer = client.post(path_of(org, "edit/"), values(org, name=world.orgs["buyer"].name.upper()))
    assert (answer.status_code, "has this name already" in str(answer.context["form"].errors)) == (409, True)


def test_who_comes_second_overwrites_nothing(client: Client, org: Organisation) -> None:
    first, second = values(org, currency="EUR"), values(org, currency="GBP")
    assert client.post(path_of(org, "edit/"), first).status_code == 302
    answer = client.post(path_of(org, "edit/"), second)
    assert (answer.status_code, "Somebody else changed" in answer.content.decode()) == (409, True)
    assert now(org).currency == "EUR"


def test_suspending_ends_pages_and_keys_until_it_is_opened_again(
    client: Client, org: Organisation, as_persona: Any
) -> None:
    declare(SERVICE)
    _, key = create_api_key(actor=SERVICE, org=org, name="shop", scopes=["events:read"])
    member, machine = as_persona("stranger"), Client(headers={"X-API-Key": key})

    def answers() -> tuple[int, int]:
        return member.get(f"/o/{org.slug}/").status_code, machine.get(ME).status_code

    assert answers() == (200, 200)
    assert client.post(path_of(org, "status/"), {"status": "suspended", "reason": "unpaid"}).status_code == 302
    assert answers() == (403, 401)
    assert last_entry(org, "organisation.suspended").detail == {"reason": "unpaid"}
    assert client.post(path_of(org, "status/"), {"status": "suspended"}).status_code == 409
    assert client.post(path_of(org, "status/"), {"status": "active"}).status_code == 302
    assert answers() == (200, 200)


def test_archiving_asks_for_the_short_name_and_hides_it_from_its_people(
    client: Client, org: Organisation, as_persona: Any
) -> None:
    assert client.post(path_of(org, "status/"), {"status": "archived", "confirm": "yes"}).status_code == 400
    sent = {"status": "archived", "confirm": org.slug, "export": "1"}
    assert client.post(path_of(org, "status/"), sent).status_code == 302
    assert as_persona("stranger").get(f"/o/{org.slug}/").status_code == 404
    page = client.get(path_of(org))
    assert [one.state for one in page.context["exports"]] == ["waiting"]
    listed = client.get("/console/", {"status": "archived", "q": org.slug}).context["organisations"]
    assert [row["slug"] for row in listed] == [org.slug]
    assert client.post(path_of(org, "status/"), {"status": "active"}).status_code == 302
    assert as_persona("stranger").get(f"/o/{org.slug}/").status_code == 200


def test_the_platforms_own_organisation_stays_open(client: Client, world: World) -> None:
    sent = {"status": "suspended"}
    assert client.post(path_of(world.orgs["platform"], "status/"), sent).status_code == 409


def test_managers_are_of_the_staff_and_enter_what_they_manage(
    client: Client, org: Organisation, world: World, as_persona: Any
) -> None:
    manager = world.personas["campaign_manager"]
    assert as_persona("campaign_manager").get(f"/o/{org.slug}/").status_code == 404
    assert client.post(path_of(org, "managers/add/"), {"user": manager.pk}).status_code == 302
    assert as_persona("campaign_manager").get(f"/o/{org.slug}/").status_code == 200
    assert client.post(path_of(org, "managers/add/"), {"user": world.personas["viewer"].pk}).status_code == 404
    assert client.post(path_of(org, "managers/add/"), {"user": "nobody"}).status_code == 400
    assert client.post(path_of(org, "managers/remove/"), {"user": manager.pk}).status_code == 302
    assert as_persona("campaign_manager").get(f"/o/{org.slug}/").status_code == 404
    assert client.post(path_of(org, "managers/remove/"), {"user": manager.pk}).status_code == 404


def picture(side: int = 400, kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), "#b3261e").save(out, kind)
    return out.getvalue()


def upload(client: Client, org: Organisation, content: bytes, name: str = "logo.png") -> Any:
    return client.post(path_of(org, "brand/"), {"what": "logo", "logo": SimpleUploadedFile(name, content)})


def test_a_logo_is_drawn_anew_and_shown_to_the_organisations_people(
    client: Client, org: Organisation, as_persona: Any
) -> None:
    sent = picture() + b"<script>hidden</script>"
    assert upload(client, org, sent).status_code == 302
    member = as_persona("stranger")
    found = re.search(rf'src="(/o/{org.slug}/brand/\w+\.png)"', member.get(f"/o/{org.slug}/").content.decode())
    assert found
    shown = member.get(found[1])
    assert (shown.headers["Content-Type"], b"hidden" in shown.content) == ("image/png", False)
    with Image.open(BytesIO(shown.content)) as drawn:
        assert drawn.size == (128, 128)
    assert as_persona("viewer").get(found[1]).status_code == 404
    assert as_persona(None).get(found[1]).status_code == 302
    assert client.post(path_of(org, "brand/"), {"what": "no-logo"}).status_code == 302
    assert member.get(found[1]).status_code == 404


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Choose a picture"), (b"<svg onload='alert(1)'/>", "no picture"), (picture()[:100], "damaged"),
        (b"\x00" * 1_000_001, "1,000,001 bytes"), (picture(kind="GIF"), "no picture"), (picture(4001), "are the most"),
    ],
)  # fmt: skip
def test_what_is_no_logo_is_refused(client: Client, org: Organisation, content: bytes, why: str) -> None:
    answer = upload(client, org, content)
    assert (answer.status_code, why in answer.context["error"]) == (400, True), answer.context["error"]
    assert now(org).logo_digest == ""


@pytest.mark.parametrize("colour", ["#ffff00", "#000000", "#ffffff", "#2f5bea", "#777777"])
def test_any_colour_is_made_legible(colour: str) -> None:
    for ground in branding.GROUNDS.values():
        rgb = [branding._rgb(one) for one in (branding.legible(colour, ground), ground)]
        assert branding._contrast(*rgb) >= branding.LEGIBLE


def test_the_colour_is_a_stylesheet_of_the_pages(client: Client, org: Organisation, as_persona: Any) -> None:
    assert client.post(path_of(org, "brand/"), {"what": "accent", "accent": "#FF0000"}).status_code == 302
    member = as_persona("stranger")
    assert f"/o/{org.slug}/brand/ff0000.css" in member.get(f"/o/{org.slug}/").content.decode()
    sheet = member.get(f"/o/{org.slug}/brand/ff0000.css")
    assert "--accent: light-dark(" in sheet.content.decode()
    assert sheet.headers["Content-Type"] == "text/css"
    for bad in ("red", "url(x)", "#12345", "#ff0000;}"):
        answer = client.post(path_of(org, "brand/"), {"what": "accent", "accent": bad})
        assert (answer.status_code, "is not a colour" in answer.context["error"]) == (400, True)


def test_an_export_has_all_that_is_the_organisations_and_nothing_else(
    world: World, client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.EXPORT_DIR = tmp_path
    org = world.orgs["buyer"]
    declare(SERVICE)
    create_api_key(actor=SERVICE, org=org, name="a key's name", scopes=["pixel"])
    assert client.post(path_of(org, "export/")).status_code == 302
    assert client.post(path_of(org, "export/")).status_code == 409
    with acting(SERVICE):
        made = Export.objects.get(org=org, state="waiting")
    run_export(made.pk)
    run_export(made.pk)
    answer = client.get(path_of(org, f"exports/{made.pk}/"))
    archive = zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content)))
    names = set(archive.namelist())
    assert names >= {"README.txt", "postgres/shared/orgs_apikey.csv", "postgres/own/events_upload.csv"}
    keys = list(csv.DictReader(StringIO(archive.read("postgres/shared/orgs_apikey.csv").decode())))
    assert [(key["name"], "digest" in key) for key in keys if key["name"] == "a key's name"] == [
        ("a key's name", False)
    ]
    events = [json.loads(line) for line in archive.read("warehouse/events.ndjson").decode().splitlines()]
    assert len(events) == 11
    whole = b"".join(archive.read(name) for name in names)
    assert b"rivals-secret" not in whole
    assert world.slug("rival").encode() not in whole
    assert world.personas["viewer"].email.encode() in archive.read("postgres/shared/people.csv")
    assert last_entry(org, "organisation.export_fetched").target == f"export/{made.pk}"
    assert client.get(path_of(world.orgs["rival"], f"exports/{made.pk}/")).status_code == 404


def test_what_is_not_there_is_not_found(client: Client, org: Organisation) -> None:
    assert client.get("/console/organisations/there-is-none/").status_code == 404
    assert client.get(path_of(org, f"exports/{uuid4()}/")).status_code == 404
    assert client.post(path_of(org, "brand/"), {"what": "x"}).status_code == 400
    assert client.post(path_of(org, "status/"), {"status": "x"}).status_code == 400


@pytest.mark.parametrize("what", ["edit/", "status/", "managers/add/", "managers/remove/", "brand/", "export/"])
def test_members_change_nothing(what: str, org: Organisation, as_persona: Any) -> None:
    for persona in ("stranger", "campaign_manager", "org_admin"):
        assert as_persona(persona).post(path_of(org, what), {"status": "suspended"}).status_code == 403
    declare(SERVICE)
    assert Membership.objects.filter(org=org, role="campaign_manager").count() == 0
