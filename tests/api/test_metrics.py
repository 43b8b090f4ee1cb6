"""`POST /api/v1/metrics`: what is kept, what replaces what, and what each record is told."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.common.errors import Forbidden
from apps.events.reported.pushing import push
from apps.orgs.models import AuditEntry
from apps.orgs.permissions import Scope
from apps.orgs.public import SERVICE, Actor, Role, acting
from apps.warehouse.gateway import client
from apps.warehouse.public import execute
from tests.config.launcher import free_port
from tests.support.world import NOW, World

PATH = "/api/v1/metrics"
KEPT = """
SELECT hour, grain, platform, campaign, currency, spend, impressions, clicks FROM reported FINAL
WHERE org_id = {org_id:UUID} AND source = {source:String} ORDER BY hour, campaign
"""
HOUR = (NOW - timedelta(hours=3)).replace(minute=0, second=0)
GOOD = {"campaign_id": "a", "hour": HOUR.isoformat(), "spend": "1.50", "impressions": 10}


@pytest.fixture
def post(ask: Callable[..., Any]) -> Callable[..., tuple[int, Any]]:
    asker = ask("other_owner", Scope.WRITE_METRICS)

    def send(*records: Any, source: str = "", **query: str) -> tuple[int, Any]:
        status, told = asker.post(PATH, {"source": source or f"t{uuid4().hex[:10]}", "records": list(records)}, **query)
        return status, told

    return send


def kept(world: World, source: str, org: str = "other_owner") -> list[dict[str, Any]]:
    return execute(world.orgs[org].pk, "test.kept", KEPT, {"source": source})


def test_records_are_kept_and_later_ones_replace(world: World, post: Callable[..., tuple[int, Any]]) -> None:
    source = f"agent-{uuid4().hex[:8]}"
    for _ in range(2):
        status, told = post(GOOD, {**GOOD, "campaign_id": 2**60 + 1, "clicks": 3}, source=source)
        assert (status, told["accepted"], told["rejected"]) == (200, 2, 0)
        first, second = sorted(kept(world, source), key=lambda row: -len(row["campaign"]))
        assert (first["campaign"], first["clicks"]) == (str(2**60 + 1), 3)
        assert (second["hour"], second["grain"], second["spend"]) == (HOUR, "hour", Decimal("1.5"))
    post({**GOOD, "spend": 2}, source=source)
    assert Decimal(2) in {row["spend"] for row in kept(world, source)}
    assert len(kept(world, source)) == 2


BAD: list[tuple[Any, str, str]] = [
    (7, "wrong_type", ""),
    ({}, "missing_field", "hour"),
    ({**GOOD, "date": "2026-01-31"}, "missing_field", "hour"),
    ({"hour": GOOD["hour"], "spend": 1}, "missing_field", "campaign_id"),
    ({"campaign_id": "a", "hour": GOOD["hour"]}, "missing_field", "spend"),
    ({**GOOD, "hour": "2026-01-31T05:00:00"}, "wrong_type", "hour"),
    ({**GOOD, "hour": "1999-01-31T05:00:00Z"}, "date_out_of_range", "hour"),
    ({**GOOD, "hour": "9999-12-31T23:59:59-12:00"}, "date_out_of_range", "hour"),
    ({**GOOD, "spend": "-2E-18"}, "negative_money", "spend"),
    ({**GOOD, "spend": "NaN"}, "wrong_number", "spend"),
    ({**GOOD, "spend": True}, "wrong_type", "spend"),
    ({**GOOD, "spend": 10**18}, "money_out_of_range", "spend"),
    ({**GOOD, "impressions": 1.5}, "not_whole", "impressions"),
    ({**GOOD, "impressions": -1}, "negative_figure", "impressions"),
    ({**GOOD, "currency": "XXX"}, "unknown_currency", "currency"),
    ({**GOOD, "platform": "Google Ads"}, "wrong_platform", "platform"),
    ({**GOOD, "campaign_id": "x" * 300}, "wrong_type", "campaign_id"),
    ({**GOOD, "campaign": "a"}, "unknown_field", "campaign"),
]


def test_each_bad_record_is_told_why_and_the_good_ones_are_kept(
    world: World, post: Callable[..., tuple[int, Any]]
) -> None:
    source = f"agent-{uuid4().hex[:8]}"
    status, told = post(GOOD, *(record for record, _, _ in BAD), GOOD, source=source)
    assert (status, told["accepted"], told["rejected"]) == (200, 1, len(BAD) + 1)
    expected = [
        (code, f"/records/{place}" + (f"/{field}" if field else "")) for place, (_, code, field) in enumerate(BAD, 1)
    ]
    assert [(one["code"], one["pointer"]) for one in told["items"][1:-1]] == expected
    assert told["items"][-1]["code"] == "repeated"
    assert len(kept(world, source)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[", 400),
        (b"[]", 422),
        (b'{"source": "a"}', 422),
        (b'{"source": "a", "records": []}', 422),
        (b'{"source": "A b", "records": [{}]}', 400),
        (b'{"source": "a", "records": [{}], "more": 1}', 422),
        (b'{"source": "a", "records": [{"campaign_name": "\\ud800"}]}', 400),
        (b'{"source": "a", "records": [' + b"{}," * 10_000 + b"{}]}", 413),
        (b'{"source": "' + b"a" * 16_000_001, 413),
    ],
)
def test_a_body_that_is_none_is_a_problem(body: bytes, status: int, ask: Callable[..., Any]) -> None:
    found, told = ask("other_owner", Scope.WRITE_METRICS).post(PATH, body)
    assert (found, told["status"]) == (status, status)
    assert told["code"]


def test_a_day_is_the_organisations_and_asking_keeps_nothing(
    world: World, post: Callable[..., tuple[int, Any]]
) -> None:
    source = f"agent-{uuid4().hex[:8]}"
    day = {"campaign_name": "b", "date": "2026-01-31", "revenue": 0}
    assert post(day, source=source, validate_only="1")[1]["accepted"] == 1
    assert kept(world, source) == []
    post(day, source=source)
    (row,) = kept(world, source)
    assert (row["grain"], row["platform"], row["campaign"]) == ("day", source.replace("-", "_"), "b")


def test_who_pushed_is_in_the_audit_trail_once_a_request(world: World, ask: Callable[..., Any]) -> None:
    source, asker = f"agent-{uuid4().hex[:8]}", ask("other_owner", Scope.WRITE_METRICS)
    sent = {"source": source, "records": [GOOD, {**GOOD, "campaign_id": "b"}, 7]}
    asker.post(PATH, sent, validate_only="1")
    asker.post(PATH, sent)
    asker.post(PATH, {"source": source, "records": [7]})
    with acting(SERVICE):
        (entry,) = AuditEntry.objects.filter(action="performance.pushed", detail__source=source)
    assert (entry.org, entry.detail["accepted"], entry.detail["rejected"]) == (world.orgs["other_owner"], 2, 1)
    assert entry.actor.startswith("key prc_")


def test_only_who_may_import_pushes(world: World) -> None:
    org = world.orgs["other_owner"]
    viewer = Actor("viewer", frozenset({(org.pk, Role.VIEWER)}))
    with pytest.raises(Forbidden):
        push(actor=viewer, org=org, source="agent", records=[GOOD])


def test_two_tenants_never_mix(world: World, post: Callable[..., tuple[int, Any]]) -> None:
    post(GOOD, source="shared-agent")
    assert kept(world, "shared-agent", "rival") == []


def test_a_warehouse_that_is_away_is_told(ask: Callable[..., Any], settings: Any) -> None:
    body, headers = {"source": "a", "records": [GOOD]}, ask("other_owner", Scope.WRITE_METRICS).headers
    there, settings.CLICKHOUSE_URL = settings.CLICKHOUSE_URL, f"http://127.0.0.1:{free_port()}"
    client.cache_clear()
    try:
        answer = Client(headers=headers).post(PATH, body, content_type="application/json")
    finally:
        settings.CLICKHOUSE_URL = there
        client.cache_clear()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
