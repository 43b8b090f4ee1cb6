"""What the API tells of events: as stored, where from, what was turned away; only of the caller's organisation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client

from apps.events import generated
from apps.events.models import FileImport
from apps.orgs.permissions import Scope
from apps.orgs.public import (
    SERVICE,
    Actor,
    Kind,
    Role,
    acting,
    create_api_key,
    create_organisation,
    in_schema_of,
    show_generated,
)
from tests.api.conftest import Asker
from tests.events.test_ingestor import drain
from tests.support.world import NOW, YESTERDAY_NOON, World, event, import_lines

Ask = Callable[..., Asker]
PROOF_FORM = {
    "event_id": "proof-1", "event_type": "impression", "timestamp": YESTERDAY_NOON.isoformat(),
    "campaign_id": "madhive_12345", "cohort_id": "eco_urban_renters_10013",
    "metadata": {"dsp": "beeswax", "publisher": "discovery_plus", "geo": {"zip": "10013"}, "device": "ctv",
                 "clearing_price": 19.00},
    "attribution": {"data_contributors": [{"id": "broadcaster_x", "signal_type": "viewing_behavior", "weight": 0.3}]},
}  # fmt: skip


@pytest.mark.parametrize("event_id", ["a/b c", "ünï\\cøde\t%2F", "plain-1", "x'y\"--"])
def test_an_event_is_found_by_its_id_whatever_that_looks_like(
    committed: World, ask_committed: Ask, event_id: str
) -> None:
    sent = event("purchase", YESTERDAY_NOON, platform="hulu", campaign="autumn", revenue="12.50")
    sent |= {"event_id": event_id, "timestamp": "2001-01-01T00:00:00.5Z", "context": {"geo": {"country": "US"}}}
    import_lines(committed.slug("buyer"), [sent], "--history")
    status, found = ask_committed("buyer", Scope.READ_EVENTS).get(f"/api/v1/events/{quote(event_id, safe='')}")
    assert (status, found["event_id"]) == (200, event_id)
    assert found["source"] == {"platform": "hulu", "channel": "video", "campaign_id": "autumn"}
    assert (found["revenue"], found["currency"], found["timestamp"]) == ("12.5", "USD", "2001-01-01T00:00:00.500000Z")
    assert found["context"]["geo"] == {"country": "US"}
    assert len(found["content_hash"]) == 64
    assert ask_committed("rival", Scope.READ_EVENTS).get(f"/api/v1/events/{quote(event_id, safe='')}")[0] == 404


def test_the_proof_form_is_answered_in_the_canonical_one(committed: World, ask_committed: Ask) -> None:
    import_lines(committed.slug("other_owner"), [PROOF_FORM])
    _, found = ask_committed("other_owner", Scope.READ_EVENTS).get("/api/v1/events/proof-1")
    assert found["source"] == {
        "platform": "beeswax", "campaign_id": "madhive_12345", "publisher": "discovery_plus",
    }  # fmt: skip
    assert found["context"] == {"device": {"type": "ctv"}, "geo": {"postal_code": "10013"}}
    assert (found["cohort_id"], found["spend"]) == ("eco_urban_renters_10013", "0.019")
    assert found["attribution"] == PROOF_FORM["attribution"]


def test_properties_keep_their_letters(committed: World, ask_committed: Ask) -> None:
    deep = "[" * 400 + "]" * 400
    line = (
        f'{{"event_id":"letters","event_type":"custom","timestamp":"{NOW.isoformat()}",'
        f'"properties":{{"n":0.123456789012345678,"id":123456789012345678901,"huge":1e999,"deep":{deep}}}}}'
    )
    import_lines(committed.slug("other_owner"), [line.encode()])
    asker = ask_committed("other_owner", Scope.READ_EVENTS)
    answer = Client(headers=asker.headers).get("/api/v1/events/letters")
    assert answer.status_code == 200
    for text in ("0.123456789012345678", "123456789012345678901", "1e999", deep):
        assert text in answer.content.decode()


@pytest.mark.django_db
def test_sources_are_those_of_the_page(ask: Ask) -> None:
    _, found = ask("buyer", Scope.READ_EVENTS).get("/api/v1/sources")
    (source,) = (one for one in found["items"] if one["source"] == "file/ndjson")
    assert source["accepted"] >= 11
    assert (found["days"], found["waiting"]) == (7, 0)


def test_real_data_is_told_while_pages_show_generated(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "EVENTS", 50)
    slug = f"told-{uuid4().hex[:8]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    import_lines(slug, [event("click", NOW, platform="hulu", campaign="c"), {"event_type": "nonsense"}])
    with acting(SERVICE):
        asker = Asker(create_api_key(actor=SERVICE, org=org, name="asker", scopes=[Scope.READ_EVENTS])[1])
    real = [asker.get(f"/api/v1/{path}")[1]["items"] for path in ("sources", "imports", "quarantine")]
    assert [len(items) for items in real] == [1, 1, 1]
    generated.make_sample(org)
    drain()
    with acting(SERVICE):
        show_generated(actor=Actor("admin", frozenset({(org.pk, Role.ORG_ADMIN)})), org=org)
    assert [asker.get(f"/api/v1/{path}")[1]["items"] for path in ("sources", "imports", "quarantine")] == real
    with acting(SERVICE), in_schema_of(org):
        sample = FileImport.objects.get(door=generated.SOURCE)
    assert asker.get(f"/api/v1/imports/{sample.pk}")[0] == 404


def test_imports_come_in_pages_and_one_by_one(committed: World, ask_committed: Ask) -> None:
    for _ in range(3):
        import_lines(committed.slug("other_owner"), [event("click", NOW, platform="hulu", campaign="c")])
    asker = ask_committed("other_owner", Scope.READ_EVENTS)
    _, whole = asker.get("/api/v1/imports", limit=200)
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        _, page = asker.get("/api/v1/imports", limit=2, **cursor)
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == whole["items"]
    assert len(seen) >= 3
    assert asker.get(f"/api/v1/imports/{seen[0]['id']}") == (200, seen[0])
    assert ask_committed("rival", Scope.READ_EVENTS).get(f"/api/v1/imports/{seen[0]['id']}")[0] == 404


def test_quarantine_is_filtered_paged_and_replayed(committed: World, ask_committed: Ask) -> None:
    at = NOW - timedelta(hours=1)
    bad = [{"event_type": "nonsense", "timestamp": at.isoformat(), "event_id": f"q{n}"} for n in range(5)]
    import_lines(committed.slug("owner"), bad)
    asker = ask_committed("owner", Scope.READ_EVENTS, Scope.WRITE_EVENTS)
    seen: list[int] = []
    asked = {"code": "unknown_event_type", "source": "file/ndjson", "limit": 2}
    while True:
        _, page = asker.get("/api/v1/quarantine", **asked)
        seen += [line["position"] for line in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert seen == [5, 4, 3, 2, 1]
    assert '"nonsense"' in page["items"][0]["line"]
    rival = ask_committed("rival", Scope.READ_EVENTS)
    assert rival.get("/api/v1/quarantine", code="unknown_event_type")[1]["items"] == []
    sent = {"code": "unknown_event_type"}
    assert asker.post("/api/v1/quarantine/replay", sent) == (202, {"replayed": 5})
    status, problem = asker.post("/api/v1/quarantine/replay", sent)
    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"cursor": "x"}, "bad_cursor"),
        ({"cursor": "WyJ4IiwgIjEiXQ"}, "bad_cursor"),
        ({"cursor": "WzEsICIxIl0"}, "bad_cursor"),
        ({"limit": "0"}, "invalid_parameter"),
        ({"limit": "1e9"}, "invalid_parameter"),
        ({"code": "nonsense"}, "invalid_parameter"),
        ({"source": "\0"}, "invalid_parameter"),
        ({"sorce": "a"}, "invalid_parameter"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(ask: Ask, asked: dict[str, str], code: str) -> None:
    status, problem = ask("buyer", Scope.READ_EVENTS).get("/api/v1/quarantine", **asked)
    assert (status, problem["code"]) == (400, code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"", 422, "invalid_body", "/code"),
        (b"{", 400, "malformed_json", ""),
        (b'{"code":NaN}', 400, "malformed_json", ""),
        (b'{"code":"\\ud800"}', 400, "malformed_json", ""),
        (b"[" * 5_000, 400, "malformed_json", ""),
        (b"[]", 422, "invalid_body", ""),
        (b'{"code":"no"}', 422, "invalid_body", "/code"),
        (b'{"code":{"a":1}}', 422, "invalid_body", "/code"),
        (b'{"cod":"wrong_type"}', 422, "unknown_field", "/cod"),
        (b'{"code":"' + b"x" * 1_000_001 + b'"}', 413, "body_too_large", None),
    ],
)
def test_what_is_wrong_with_a_body_is_said(ask: Ask, body: bytes, status: int, code: str, pointer: str | None) -> None:
    got, problem = ask("buyer", Scope.WRITE_EVENTS).post("/api/v1/quarantine/replay", body)
    assert (got, problem["code"], problem.get("pointer")) == (status, code, pointer)
