"""Sources and quality: what the page says, and what replay does."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.public import User
from apps.events.log import store
from apps.events.log.store import Portion
from apps.events.models import QuarantinedLine, SourceHour
from apps.orgs.models import AuditEntry, Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.support.world import YESTERDAY_NOON, event

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def org() -> Organisation:
    slug = f"source-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


@pytest.fixture
def admin(org: Organisation) -> Client:
    client = Client()
    user = User.objects.get(email=f"{org.slug}@first.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def arrive(org: Organisation, source: str, *events: Any) -> None:
    with acting(SERVICE):
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in events]
        store.append(Portion(org.pk, source, lines))
    drain()


def click(number: int, **fields: Any) -> dict[str, Any]:
    return {**event("click", YESTERDAY_NOON, platform="hulu", campaign="c", number=number), **fields}


def text(client: Client, org: Organisation) -> str:
    return client.get(f"/o/{org.slug}/sources/").content.decode()


def test_an_empty_page_says_how_to_begin(org: Organisation, admin: Client) -> None:
    page = text(admin, org)
    assert "Nothing arrived in the last 7 days" in page
    assert "No line is in quarantine" in page


def test_each_source_has_its_counts(org: Organisation, admin: Client) -> None:
    arrive(org, "api/web shop", click(1), click(1), click(2), b"<script>alert(1)</script>")
    arrive(org, "api/web shop", click(3))
    arrive(org, "file/ndjson", click(3))
    page = text(admin, org)
    assert "web shop" in page
    with acting(SERVICE), in_schema_of(org):
        counted = set(SourceHour.objects.values_list("source", "accepted", "duplicate", "rejected"))
    assert counted == {("api/web shop", 3, 1, 1), ("file/ndjson", 0, 1, 0)}
    assert "malformed_json" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_replay_sends_lines_through_ingest_once_more(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(org, "api/a", click(1, event_id="mended", properties={"currency": "XXZ"}))
    from apps.common import money

    monkeypatch.setattr(money, "CURRENCIES", {**dict.fromkeys(money.CURRENCIES), "XXZ": None})
    answer = admin.post(f"/o/{org.slug}/sources/replay/", {"code": "unknown_currency"}, follow=True)
    assert "1 line goes through ingest once more" in answer.content.decode()
    drain()
    rows = execute(org.pk, "test.replayed", "SELECT event_id FROM events WHERE org_id = {org_id:UUID}")
    assert rows == [{"event_id": "mended"}]
    with acting(SERVICE), in_schema_of(org):
        assert not QuarantinedLine.objects.exists()
        assert AuditEntry.objects.filter(org=org, action="events.replayed").count() == 1


def test_what_is_only_too_old_can_be_taken_as_history(org: Organisation, admin: Client) -> None:
    arrive(org, "file/ndjson", click(1, timestamp="2024-01-01T00:00:00Z"))
    assert "Take as history" in text(admin, org)
    admin.post(f"/o/{org.slug}/sources/replay/", {"code": "timestamp_too_old", "history": "1"})
    drain()
    rows = execute(org.pk, "test.history", "SELECT toYear(timestamp) AS year FROM events WHERE org_id = {org_id:UUID}")
    assert rows == [{"year": 2024}]


def test_what_still_breaks_a_rule_comes_back(org: Organisation) -> None:
    arrive(org, "api/a", b"nonsense")
    call_command("replay_quarantine", "--org", org.slug, "--code", "malformed_json")
    drain()
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.get().source == "api/a"


def test_nothing_to_replay_and_an_unknown_reason_are_said(org: Organisation) -> None:
    with pytest.raises(CommandError, match="No line is in quarantine as negative_money"):
        call_command("replay_quarantine", "--org", org.slug, "--code", "negative_money")
    with pytest.raises(CommandError, match="There is no reason 'x'"):
        call_command("replay_quarantine", "--org", org.slug, "--code", "x")


def test_another_organisations_lines_are_out_of_reach(org: Organisation, admin: Client, world: Any) -> None:
    other = world.orgs["rival"]
    assert admin.get(f"/o/{other.slug}/sources/").status_code == 404
    assert admin.post(f"/o/{other.slug}/sources/replay/", {"code": "malformed_json"}).status_code == 404


@pytest.mark.parametrize(
    ("target", "asks", "asks_not"),
    [
        ("waiting", "ingest_log", ["sourcehour", "quarantinedline", "watched", "arrivalminute"]),
        ("sources-rows", "sourcehour", ["quarantinedline", "watched", "fileimport"]),
        ("arrivals", "arrivalminute", ["sourcehour", "quarantinedline", "watched", "fileimport"]),
    ],
)
def test_a_tick_asks_for_what_it_shows_and_no_more(
    org: Organisation, admin: Client, target: str, asks: str, asks_not: list[str]
) -> None:
    arrive(org, "api/shop", click(1))
    with CaptureQueriesContext(connection) as seen:
        answer = admin.get(f"/o/{org.slug}/sources/", headers={"HX-Request": "true", "HX-Target": target})
    asked = " ".join(query["sql"].lower() for query in seen.captured_queries)
    assert f'id="{target}"' in answer.content.decode() or target == "sources-rows"
    assert asks in asked
    assert [name for name in asks_not if name in asked] == []
