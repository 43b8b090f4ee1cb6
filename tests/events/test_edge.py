"""The doors of `/api/v1`: what is taken, what is turned away and why, over a real web process."""

import gzip
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import zstandard

from apps.events.ingestor import only_ingestor
from apps.events.log.models import LogRecord
from apps.events.models import QuarantinedLine
from apps.orgs.models import ApiKeyUse, Kind, Organisation
from apps.orgs.public import SERVICE, Scope, acting, create_api_key, create_organisation, in_schema_of, revoke_api_key
from apps.warehouse.public import execute
from tests.config.launcher import eventually
from tests.support.site import Site
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")
ONE, BATCH, CONVERSIONS = "/api/v1/events", "/api/v1/events/batch", "/api/v1/conversions"
PROOF_FORM = {
    "event_type": "impression", "campaign_id": "madhive_12345", "cohort_id": "eco_urban_renters_10013",
    "metadata": {"dsp": "beeswax", "publisher": "discovery_plus", "geo": {"zip": "10013"}, "clearing_price": 19.00},
    "attribution": {"data_contributors": [{"id": "broadcaster_x", "signal_type": "viewing_behavior", "weight": 0.3}]},
}  # fmt: skip


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[Site]:
    with Site() as running:
        yield running


@dataclass
class Sender:
    """One organisation's way in."""

    site: Site
    org: Organisation
    key: str

    def send(
        self, path: str, body: object = None, *, method: str = "POST", key: str | None = None, **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, JSON and headers of the answer; a body that is not bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, data, {"X-API-Key": self.key if key is None else key, **given})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text or b"{}"), {name.lower(): value for name, value in answer.getheaders()}

    def refused(self, path: str, body: object, **headers: str) -> tuple[int, str]:
        status, problem, sent = self.send(path, body, **headers)
        assert sent["content-type"] == "application/problem+json"
        assert problem["status"] == status
        assert problem["detail"]
        return status, problem["code"]

    def stored(self) -> list[dict[str, Any]]:
        """What is in the warehouse once the log is empty."""
        with only_ingestor() as alone:
            assert alone
            alone.drain()
        sql = "SELECT * FROM events WHERE org_id = {org_id:UUID} ORDER BY event_id"
        return execute(self.org.pk, "test.events", sql)

    def logged(self) -> int:
        with acting(SERVICE):
            return LogRecord.objects.filter(org=self.org).count()


def new_sender(site: Site, *scopes: str) -> Sender:
    slug = f"edge-{uuid4().hex[:10]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example",
        events_per_second=100_000,
    )  # fmt: skip
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="test", scopes=scopes or [Scope.WRITE_EVENTS])
    return Sender(site, org, key)


@pytest.fixture
def sender(site: Site) -> Sender:
    return new_sender(site)


def event(**fields: object) -> dict[str, object]:
    return {"event_type": "click", "timestamp": datetime.now(UTC).isoformat(), **fields}


def test_one_event_is_in_the_log_when_202_is_said_and_then_in_the_warehouse(sender: Sender) -> None:
    status, told, headers = sender.send(ONE, event(event_id="a", source={"platform": "hulu"}))
    assert (status, told) == (202, {"event_id": "a", "status": "accepted"})
    assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= headers.keys()
    with acting(SERVICE):
        assert LogRecord.objects.get(org=sender.org).source == "api/test"
    (row,) = sender.stored()
    assert (row["event_id"], row["platform"]) == ("a", "hulu")


def test_the_proof_form_and_pretty_printed_json_are_read_too(sender: Sender) -> None:
    pretty = json.dumps({**event(), **PROOF_FORM}, indent=2).encode()
    assert sender.send(ONE, pretty)[0] == 202
    (row,) = sender.stored()
    assert (row["campaign_id"], row["contributor_ids"]) == ("madhive_12345", ["broadcaster_x"])


def test_a_bearer_token_is_a_key_too(sender: Sender) -> None:
    assert sender.send(ONE, event(), key="", Authorization=f"Bearer {sender.key}")[0] == 202


@pytest.mark.parametrize("form", ["array", "ndjson", "gzip", "zstd", "gzip members", "zstd frames", "zstd stream"])
def test_a_batch_keeps_the_good_and_names_the_bad(sender: Sender, form: str) -> None:
    items = [event(event_id="a"), event(event_id="a"), {"event_type": "view"}, event(event_id="b")]
    array = json.dumps(items).encode()
    body, headers = {
        "array": (array, {}),
        "ndjson": (b"\n".join(json.dumps(item).encode() for item in items) + b"\n", {}),
        "gzip": (gzip.compress(array), {"Content_Encoding": "gzip"}),
        "zstd": (zstandard.compress(array), {"Content_Encoding": "zstd"}),
        "gzip members": (gzip.compress(array[:9]) + gzip.compress(array[9:]), {"Content_Encoding": "gzip"}),
        "zstd frames": (zstandard.compress(array[:9]) + zstandard.compress(array[9:]), {"Content_Encoding": "zstd"}),
        "zstd stream": (zstd_without_size(array), {"Content_Encoding": "zstd"}),
    }[form]
    status, told, _ = sender.send(BATCH, body, **headers)
    assert (status, told["accepted"], told["duplicate"], told["rejected"]) == (202, 2, 1, 1)
    assert [item["status"] for item in told["items"]] == ["accepted", "duplicate", "rejected", "accepted"]
    assert (told["items"][2]["code"], told["items"][2]["pointer"]) == ("unknown_event_type", "/2/event_type")
    assert [row["event_id"] for row in sender.stored()] == ["a", "b"]
    with acting(SERVICE), in_schema_of(sender.org):
        assert QuarantinedLine.objects.get().code == "unknown_event_type"


def test_asking_keeps_nothing(sender: Sender) -> None:
    status, told, _ = sender.send(f"{BATCH}?validate_only=1", [event(), {"a": 1}])
    assert (status, told["accepted"], told["rejected"]) == (200, 1, 1)
    assert sender.send(f"{ONE}?validate_only=1", event())[0] == 200
    assert sender.logged() == 0


def test_the_attribution_webhook_means_conversions(sender: Sender) -> None:
    body = {"timestamp": datetime.now(UTC).isoformat(), "user_id": "u", "properties": {"revenue": 99.99}}
    assert sender.send(CONVERSIONS, body)[0] == 202
    (row,) = sender.stored()
    assert (row["event_type"], str(row["revenue"])) == ("conversion", "99.990000000000000000")


def test_the_webhook_takes_conversions_only_and_keeps_their_digits(sender: Sender) -> None:
    assert sender.refused(CONVERSIONS, event()) == (422, "unknown_event_type")
    at = datetime.now(UTC).isoformat()
    exact = f'{{"timestamp":"{at}","properties":{{"revenue":0.123456789012345678}}}}'.encode()
    assert sender.send(CONVERSIONS, exact)[0] == 202
    (row,) = sender.stored()
    assert row["revenue"] == Decimal("0.123456789012345678")


def test_the_webhook_says_what_a_conversion_is_worth(sender: Sender) -> None:
    at = datetime.now(UTC).isoformat()
    body = (
        f'{{"timestamp":"{at}","user_id":"u1","value":49.900000000000000001,"currency":"EUR","properties":{{"a":1}}}}'
    )
    assert sender.send(CONVERSIONS, body.encode())[0] == 202
    (row,) = sender.stored()
    assert (row["revenue"], row["currency"]) == (Decimal("49.900000000000000001"), "EUR")


def test_a_conversion_without_anything_lacks_its_time(sender: Sender) -> None:
    status, answer, _ = sender.send(CONVERSIONS, {})
    assert (status, answer["code"], answer["pointer"]) == (422, "missing_field", "/timestamp")


def test_who_only_asks_is_told_of_members_that_nothing_reads(sender: Sender) -> None:
    made = event(value=49.9, source={"platfrom": "hulu"})
    warned = ["/value", "/source/platfrom"]
    _, answer, _ = sender.send(f"{ONE}?validate_only=1", made)
    assert sorted(one["pointer"] for one in answer["warnings"]) == sorted(warned)
    _, answer, _ = sender.send(f"{BATCH}?validate_only=1", [made, event()])
    assert [len(one["warnings"]) for one in answer["items"]] == [2, 0]
    assert "warnings" not in sender.send(ONE, made)[1]


def test_pointers_lead_to_the_very_field(sender: Sender) -> None:
    wrong = [
        event(properties={"revenue": -1}),
        event(attribution={"data_contributors": [{"weight": 1}]}),
        event(properties={"currency": 1}),
    ]
    _, told, _ = sender.send(BATCH, wrong)
    assert [item["pointer"] for item in told["items"]] == [
        "/0/properties/revenue", "/1/attribution/data_contributors/0/id", "/2/properties/currency",
    ]  # fmt: skip


def test_refusals_say_what_http_asks_of_them(sender: Sender) -> None:
    assert sender.send(ONE, b"", method="GET")[2]["allow"] == "POST"
    assert sender.send(ONE, event(), key="")[2]["www-authenticate"] == "Bearer"


def test_ten_thousand_events_are_a_batch_and_one_more_is_not(sender: Sender) -> None:
    items = [event(event_id=f"n{number}") for number in range(10_000)]
    assert sender.send(BATCH, items)[1]["accepted"] == 10_000
    assert sender.refused(BATCH, [*items, event()]) == (413, "too_many_events")
    assert len(sender.stored()) == 10_000


def test_an_id_above_two_to_the_53_keeps_its_digits(sender: Sender) -> None:
    assert sender.send(ONE, event(event_id=2**53 + 1))[1]["event_id"] == "9007199254740993"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "malformed_json"),
        (b"{", 422, "malformed_json"),
        (b'{"properties":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 422, "malformed_json"),
        (b"[]", 422, "wrong_type"),
        (b'{"event_type":"click","timestamp":NaN}', 422, "malformed_json"),
        (b'{"event_type":"click","timestamp":"2026-01-01T00:00:00Z","user_id":"\\ud800"}', 422, "malformed_json"),
        (event(user_id=True), 422, "wrong_type"),
        (event(properties={"cost": "-2E-18"}), 422, "negative_money"),
        (event(properties={"revenue": "NaN"}), 422, "money_out_of_range"),
        (event(timestamp=(datetime.now(UTC) + timedelta(hours=1)).isoformat()), 422, "timestamp_in_future"),
        (event(timestamp="2001-01-01T00:00:00Z"), 422, "timestamp_too_old"),
    ],
)
def test_what_is_wrong_with_one_event_is_said(sender: Sender, body: object, status: int, code: str) -> None:
    assert sender.refused(ONE, body) == (status, code)
    assert sender.stored() == []


BOMB = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9)


def zstd_without_size(body: bytes) -> bytes:
    """As a stream that did not know its length beforehand."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "empty_body"),
        (b"[]", {}, 400, "empty_body"),
        (b"[" + b"1," * 2_000_000 + b"1]", {}, 413, "too_many_events"),
        (b"\n" * 5_000_000, {}, 400, "empty_body"),
        (b"{}\n" * 30_000, {}, 413, "too_many_events"),
        (b"[1,", {}, 400, "malformed_json"),
        (BOMB, {"Content_Encoding": "gzip"}, 413, "body_too_large"),
        (zstandard.compress(b" " * 200_000_000), {"Content_Encoding": "zstd"}, 413, "body_too_large"),
        (gzip.compress(b"[]" * 1000)[:-10], {"Content_Encoding": "gzip"}, 400, "broken_body"),
        (gzip.compress(b"[]") + gzip.compress(b"[]")[:-1], {"Content_Encoding": "gzip"}, 400, "broken_body"),
        (gzip.compress(b"[]") + b"more", {"Content_Encoding": "gzip"}, 400, "broken_body"),
        (gzip.compress(b"") * 20_000, {"Content_Encoding": "gzip"}, 413, "body_too_large"),
        (BOMB + BOMB, {"Content_Encoding": "gzip"}, 413, "body_too_large"),
        (zstd_without_size(b"[{}]" * 100_000)[:-4], {"Content_Encoding": "zstd"}, 400, "broken_body"),
        (zstandard.compress(b"[{}]" * 1000)[:-4], {"Content_Encoding": "zstd"}, 400, "broken_body"),
        (b"[]", {"Content_Encoding": "gzip"}, 400, "broken_body"),
        (b"[]", {"Content_Encoding": "br"}, 415, "unknown_encoding"),
        (b"a,b", {"Content_Type": "text/csv; charset=utf-8"}, 415, "unknown_content_type"),
        (b"x" * 16_000_001, {}, 413, "body_too_large"),
    ],
)
def test_what_is_wrong_with_a_batch_is_said(
    sender: Sender, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    assert sender.refused(BATCH, body, **headers) == (status, code)
    assert sender.logged() == 0


def test_an_array_of_anything_is_answered_item_by_item(sender: Sender) -> None:
    _, told, _ = sender.send(BATCH, [1, "x", None, [], {}, {"event_type": ["click"]}])
    assert told["rejected"] == 6
    assert [item["pointer"] for item in told["items"]] == ["/0", "/1", "/2", "/3", "/4/event_type", "/5/event_type"]


@pytest.mark.parametrize("key", ["", "prc_wrong", "x" * 200, "wrong"])
def test_a_missing_or_wrong_key_is_401(sender: Sender, key: str) -> None:
    assert sender.refused(ONE, event(), key=key) == (401, "key_missing" if not key else "unknown_key")


def test_a_key_needs_the_scope(site: Site) -> None:
    assert new_sender(site, Scope.PIXEL).refused(ONE, event()) == (403, "scope_missing")


def test_a_revoked_key_is_refused_soon(sender: Sender) -> None:
    """Within five seconds: see `test_edge_keys.py`. Here only that it happens, whatever else this machine does."""
    assert sender.send(ONE, event())[0] == 202
    with acting(SERVICE):
        revoke_api_key(actor=SERVICE, org=sender.org, prefix=sender.key)
    eventually(lambda: sender.send(ONE, event())[0] == 401, "the key goes on to count")


def test_a_key_of_other_addresses_is_refused(site: Site) -> None:
    sender = new_sender(site)
    with acting(SERVICE):
        _, near = create_api_key(
            actor=SERVICE, org=sender.org, name="near", scopes=[Scope.WRITE_EVENTS], networks=["127.0.0.1"]
        )
        _, far = create_api_key(
            actor=SERVICE, org=sender.org, name="far", scopes=[Scope.WRITE_EVENTS], networks=["203.0.113.0/24"]
        )
    assert sender.send(ONE, event(), key=near)[0] == 202
    assert sender.refused(ONE, event(), key=far) == (403, "address_not_allowed")
    assert sender.refused(ONE, event(), key=far, x_forwarded_for="203.0.113.1") == (403, "address_not_allowed")


def test_deliveries_of_a_key_are_counted(sender: Sender) -> None:
    for _ in range(3):
        assert sender.send(ONE, event())[0] == 202

    def counted() -> int:
        with acting(SERVICE):
            return sum(ApiKeyUse.objects.filter(org=sender.org).values_list("deliveries", flat=True))

    eventually(lambda: counted() == 3, "deliveries are not counted")


def test_a_key_writes_to_its_own_organisation_only(site: Site, sender: Sender) -> None:
    other = new_sender(site)
    sender.send(ONE, event(event_id="mine", org_id=str(other.org.pk)))
    assert [row["event_id"] for row in sender.stored()] == ["mine"]
    assert other.stored() == []


def test_personal_data_is_not_in_the_log(sender: Sender) -> None:
    sender.send(ONE, event(user_id="ann@example.com", context={"ip": "203.0.113.9"}))
    sender.send(BATCH, [{"phone": "+1 212 555 0100", "event_type": "view"}])
    with acting(SERVICE):
        kept = b"".join(zstandard.decompress(bytes(one.payload)) for one in LogRecord.objects.filter(org=sender.org))
    assert [text for text in (b"ann@", b"203.0.113.9", b"555") if text in kept] == []


def test_who_sends_too_much_is_told_when_to_come_back(sender: Sender) -> None:
    with acting(SERVICE):
        Organisation.objects.filter(pk=sender.org.pk).update(events_per_second=5)
    assert sender.send(BATCH, [event(event_id=str(number)) for number in range(20)])[0] == 202
    status, problem, headers = sender.send(ONE, event())
    assert (status, problem["code"]) == (429, "rate_limited")
    assert 1 <= int(headers["retry-after"]) <= 5
    assert (headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("5", "0")
    assert 1 <= int(headers["ratelimit-reset"]) <= 5


def test_the_pixel_is_a_picture_and_an_event(site: Site) -> None:
    sender = new_sender(site, Scope.PIXEL)
    query = (
        "e=purchase&v=19.90&cur=EUR&a=visitor-1&pl=retail&cid=autumn&cs=granted&c=CPtcf&url=https%3A%2F%2Fshop.example"
    )
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", f"/p.gif?k={sender.key}&{query}")
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:6]) == (200, b"GIF89a")
    assert answer.headers["Cache-Control"] == "no-store"
    (row,) = sender.stored()
    kept = {
        name: str(row[name]) for name in ("event_type", "person_id", "platform", "campaign_id", "currency", "consent")
    }
    assert kept == {
        "event_type": "purchase", "person_id": "visitor-1", "platform": "retail", "campaign_id": "autumn",
        "currency": "EUR", "consent": "granted",
    }  # fmt: skip
    assert row["revenue"] == Decimal("19.9")


def test_a_pixel_without_its_scope_or_with_a_bad_amount_is_no_event(site: Site, sender: Sender) -> None:
    assert sender.send(f"/p.gif?k={sender.key}", b"[]")[0] == 403
    pixel = new_sender(site, Scope.PIXEL)
    assert pixel.refused(f"/p.gif?k={pixel.key}", [event()] * 51) == (413, "too_many_events")
    assert pixel.refused(f"/p.gif?k={pixel.key}", b"[" + b" " * 65_536 + b"]") == (413, "body_too_large")
    packed = gzip.compress(b"[" + b" " * 65_536 + b"]")
    assert pixel.refused(f"/p.gif?k={pixel.key}", packed, Content_Encoding="gzip") == (413, "body_too_large")
    assert pixel.logged() == 0
    assert pixel.send(f"/p.gif?k={pixel.key}", [event(properties={"revenue": "much"}), event()])[0] == 204
    assert len(pixel.stored()) == 1


def test_the_tag_is_small(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", "/tag.js")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert 1_000 < len(answer.read()) < 4_096


def metrics(site: Site, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", "/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_metrics_count_and_are_for_this_machine(sender: Sender) -> None:
    sender.send(ONE, event())
    status, text = metrics(sender.site)
    assert status == 200
    assert 'precise_edge_requests_total{path="/api/v1/events",status="202"}' in text
    assert metrics(sender.site, X_Forwarded_For="203.0.113.9")[0] == 403


def test_with_a_token_set_metrics_need_it(world: World) -> None:
    with Site(METRICS_TOKEN="a-token") as site:
        assert metrics(site)[0] == 403
        assert metrics(site, Authorization="Bearer a-token")[0] == 200


def test_without_redis_the_edge_goes_on_and_says_so(world: World) -> None:
    with Site(REDIS_URL="redis://127.0.0.1:1/0") as site:
        lonely = new_sender(site)
        assert lonely.send(ONE, event())[0] == 202
        eventually(lambda: "precise_edge_limits_shared 0.0" in metrics(site)[1], "nothing is said")
        assert lonely.send(ONE, event())[0] == 202
        with acting(SERVICE):
            Organisation.objects.filter(pk=lonely.org.pk).update(events_per_second=5)
        eventually(lambda: lonely.send(BATCH, [event()] * 20)[0] == 429, "there is no limit")


@pytest.mark.parametrize(("path", "method"), [(ONE, "GET"), (BATCH, "DELETE"), ("/api/v1/schema/event.json", "POST")])
def test_other_methods_are_405(sender: Sender, path: str, method: str) -> None:
    assert sender.send(path, b"", method=method)[0] == 405


@pytest.mark.parametrize("path", ["/tag.js", "/api/v1/schema/event.json"])
def test_head_tells_the_length_that_get_has(site: Site, path: str) -> None:
    told = []
    for method in ("GET", "HEAD"):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        connection.request(method, path)
        answer = connection.getresponse()
        told.append((answer.status, answer.headers["Content-Length"], len(answer.read())))
        connection.close()
    (status, length, read), head = told
    assert (status, int(length)) == (200, read)
    assert head == (200, length, 0)


def test_the_schema_is_that_of_the_decoder(sender: Sender) -> None:
    status, schema, _ = sender.send("/api/v1/schema/event.json", b"", method="GET")
    assert status == 200
    described = schema["$defs"]["Event"]
    assert described["required"] == ["event_type", "timestamp"]
    assert "revenue" in schema["$defs"]["Properties"]["properties"]
