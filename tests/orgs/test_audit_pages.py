"""Who did what: found by filters, told in words, for those who may know."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.orgs.actor import SERVICE, acting
from apps.orgs.audit import record
from apps.orgs.models import AuditEntry
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def noted(world: World) -> AuditEntry:
    with acting(SERVICE):
        for name in ("rival", "buyer"):
            record(
                org=world.orgs[name], actor=SERVICE, action="file.renamed", target=f"file/{name}",
                before={"name": "a <b>"}, after={"name": "=1+1"},
            )  # fmt: skip
        return AuditEntry.objects.filter(org=world.orgs["buyer"]).latest("pk")


def lines_of(client: Client, world: World, **query: str) -> list[Any]:
    return list(client.get(f"/o/{world.slug('buyer')}/audit/", query).context["lines"])


def test_shows_what_was_done_here_and_only_here(noted: AuditEntry, world: World, as_persona: Any) -> None:
    lines = lines_of(as_persona("org_admin"), world, action="file.renamed")
    assert [(line.who, line.words, line.target) for line in lines] == [("Precise", "file renamed", "file/buyer")]


def test_sign_ins_are_noted_with_the_person_and_the_network(world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    client.post("/account/logout/")
    wrong = {"login": world.personas["org_admin"].email, "password": "wrong"}
    client.post("/account/login/", wrong, REMOTE_ADDR="203.0.113.77")
    client = as_persona("org_admin")
    email = world.personas["org_admin"].email
    words = [(line.words, line.origin) for line in lines_of(client, world, who=email)]
    assert words[:3] == [("signed in", ""), ("failed to sign in", "203.0.113.0/24"), ("signed out", "127.0.0.0/24")]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"q": "file/buyer"}, 1),
        ({"q": "no such words"}, 0),
        ({"who": "precise", "action": "file.renamed"}, 1),
        ({"who": "nobody@nowhere.example"}, 0),
        ({"from": "2100-12-31"}, 0),
        ({"to": "2001-01-01"}, 0),
    ],
)
def test_filters(noted: AuditEntry, world: World, as_persona: Any, query: dict[str, str], count: int) -> None:
    assert len(lines_of(as_persona("org_admin"), world, **query)) == count


@pytest.mark.parametrize(
    "query",
    [
        {"from": "soon"}, {"before": "-1"}, {"before": "²"}, {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "0001-01-01"}, {"to": "9999-12-31"}, {"from": "2101-01-01"},
        *({name: f"a{text}b"} for name in ("q", "who", "action") for text in ("\x00", "@\x00")),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(world: World, as_persona: Any, query: dict[str, str]) -> None:
    assert as_persona("org_admin").get(f"/o/{world.slug('buyer')}/audit/", query).status_code == 400
    assert as_persona("super_admin").get("/console/audit/", query).status_code == 400


def test_an_entry_has_an_address_of_its_own(noted: AuditEntry, world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    page = client.get(reverse("org:audit_entry", args=[world.slug("buyer"), noted.pk])).content.decode()
    assert "a &lt;b&gt;" in page
    theirs = AuditEntry.objects.filter(org=world.orgs["rival"]).first()
    assert theirs is None  # not visible to the admin of the buyer
    with acting(SERVICE):
        theirs = AuditEntry.objects.filter(org=world.orgs["rival"]).latest("pk")
    assert client.get(reverse("org:audit_entry", args=[world.slug("buyer"), theirs.pk])).status_code == 404


def test_pages_follow_each_other(world: World, as_persona: Any) -> None:
    with acting(SERVICE):
        for number in range(60):
            record(org=world.orgs["buyer"], actor=SERVICE, action="thing.done", number=number)
    client = as_persona("org_admin")
    first = client.get(f"/o/{world.slug('buyer')}/audit/", {"action": "thing.done"})
    second = client.get(f"/o/{world.slug('buyer')}/audit/{first.context['older']}")
    numbers = [line.detail["number"] for page in (first, second) for line in page.context["lines"]]
    assert numbers == list(range(59, -1, -1))
    assert second.context["older"] == ""


def test_the_file_is_safe_to_open_and_its_export_is_noted(noted: AuditEntry, world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    with acting(SERVICE):
        record(org=world.orgs["buyer"], actor=SERVICE, action="file.opened", target="=cmd()")
    response = client.get(f"/o/{world.slug('buyer')}/audit/", {"format": "csv"})
    rows = list(csv.DictReader(StringIO(response.content.decode())))
    assert rows[0]["target"] == "'=cmd()"
    # Reading the trail is noted as well, after it.
    assert "audit.exported" in [line.action for line in lines_of(client, world)[:3]]


def test_reading_across_organisations_is_noted(noted: AuditEntry, world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    page = client.get("/console/audit/", {"action": "file.renamed"})
    assert {line.org for line in page.context["lines"]} >= {world.orgs["buyer"].name, world.orgs["rival"].name}
    again = client.get("/console/audit/", {"action": "audit.read"})
    assert again.context["lines"][0].detail == {"query": "action=file.renamed"}
