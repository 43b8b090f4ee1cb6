"""The live event debugger: what was received, what became of it, and where each stored value comes from."""

import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import NotFound
from apps.events import columns
from apps.events.canonical import Rejection, decode
from apps.events.columns import Accepted
from apps.events.debugger.pretty import pretty
from apps.events.debugger.received import LINES_OF_RECORD, first_lines, get_line
from apps.events.debugger.tracing import RULES, read, text_of, trace
from apps.events.log import store
from apps.events.log.models import LogRecord
from apps.events.log.store import Portion
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import SERVICE, acting
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.events.test_sources_page import admin, arrive, click, org
from tests.support.world import YESTERDAY_NOON, World

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["admin", "org"]


def wait(org: Organisation, source: str, *lines: bytes) -> LogRecord:
    with acting(SERVICE):
        store.append(Portion(org.pk, source, list(lines)))
        return LogRecord.objects.filter(org=org).latest("pk")


def rows(client: Client, org: Organisation, query: str = "") -> str:
    answer = client.get(
        f"/o/{org.slug}/sources/events/{query}", headers={"HX-Request": "true", "HX-Target": "events-rows"}
    )
    assert answer.status_code == 200
    return answer.content.decode()


def states(html: str) -> list[str]:
    return [part.split("<")[0] for part in html.split('class="badge')[1:] for part in [part.split(">", 1)[1]]]


def test_each_line_has_its_state(org: Organisation, admin: Client) -> None:
    arrive(org, "api/shop", click(1), click(1), b'{"event_type":"click"}')
    wait(org, "api/shop", json.dumps(click(2)).encode())
    assert states(rows(admin, org)) == ["waiting", "rejected", "duplicate", "stored"]
    drain()
    assert states(rows(admin, org)) == ["stored", "rejected", "duplicate", "stored"]


def test_a_rejected_line_says_code_and_pointer(org: Organisation, admin: Client) -> None:
    arrive(org, "api/shop", click(1, source={"platform": 7}))
    html = rows(admin, org)
    assert "wrong_type" in html
    assert "/source/platform" in html


def test_filters(org: Organisation, admin: Client) -> None:
    arrive(org, "api/shop", click(1, event_id="wanted"), {**click(2), "event_type": "lead"})
    arrive(org, "pixel/site", b"nonsense")
    assert len(states(rows(admin, org))) == 3
    assert states(rows(admin, org, "?source=pixel/site")) == ["rejected"]
    assert len(states(rows(admin, org, "?type=lead"))) == 1
    assert len(states(rows(admin, org, "?state=stored"))) == 2
    assert len(states(rows(admin, org, "?q=wanted"))) == 1
    assert "None of the newest" in rows(admin, org, "?source=%00")
    assert admin.get(f"/o/{org.slug}/sources/events/?state=x").status_code == 400
    page = admin.get(f"/o/{org.slug}/sources/events/?q=wanted").content.decode()
    assert "An event with this id is stored" in page


def test_an_id_is_looked_for_once_and_one_that_nobody_has_not_at_all(org: Organisation, admin: Client) -> None:
    for query in ("?q=" + "x" * 5_000, "?q=%ED%A0%80"):
        page = admin.get(f"/o/{org.slug}/sources/events/{query}").content.decode()
        assert "No event with this id is stored" in page
    assert admin.get(f"/o/{org.slug}/sources/events/{'x' * 5_000}/").status_code == 404


def test_where_the_log_is_kafkas_the_page_says_that_it_shows_no_lines(
    org: Organisation, admin: Client, settings: Any
) -> None:
    assert "Kafka" not in admin.get(f"/o/{org.slug}/sources/events/").content.decode()
    settings.EVENT_LOG_URL = "kafka://broker:9092/events"
    page = admin.get(f"/o/{org.slug}/sources/events/").content.decode()
    assert "keeps its log in Kafka" in page
    assert "Lines in Kafka are not shown" in page


@pytest.mark.parametrize(("hours", "words"), [(720, "30 days"), (24, "1 day"), (36, "36 hours")])
def test_a_line_that_is_gone_was_kept_as_long_as_the_setting_says(
    org: Organisation, settings: Any, hours: int, words: str
) -> None:
    settings.EVENT_LOG_KEEP_HOURS = hours
    with acting(SERVICE), pytest.raises(NotFound, match=f"it is kept for {words}."):
        get_line(org, 1, 0, None)


def test_a_large_import_shows_some_and_says_how_many_more(org: Organisation, admin: Client) -> None:
    arrive(org, "file/ndjson", *(click(number) for number in range(500)))
    html = rows(admin, org)
    assert len(states(html)) == LINES_OF_RECORD
    assert f"and {500 - LINES_OF_RECORD} more lines" in html


def test_many_long_ids_are_looked_up_at_once(org: Organisation, admin: Client) -> None:
    for part in range(60):
        lines = [json.dumps(click(1, event_id=f"{'é' * 60}{part}-{n}" * 2)).encode() for n in range(20)]
        wait(org, "api/shop", *lines)
    drain()
    assert set(states(rows(admin, org))) == {"stored"}


def test_a_payload_that_is_cut_off_gives_whole_lines(org: Organisation) -> None:
    lines = [json.dumps(click(number)).encode() for number in range(20_000)]
    record = wait(org, "file/ndjson", *lines)
    head = first_lines(bytes(record.payload)[:20_000], record.line_count)
    assert head == lines[: len(head)]
    assert first_lines(bytes(record.payload), 3)
    drain()


def test_an_event_in_full(org: Organisation, admin: Client) -> None:
    made = click(1, event_id="one/of two", user_id="person-7")
    made["context"] = {"geo": {"country": "US", "zip": "10013"}, "device": {"type": "ctv"}}
    arrive(org, "api/shop", made)
    page = admin.get(f"/o/{org.slug}/sources/events/{quote('one/of two')}/").content.decode()
    assert "matches" in page
    assert "← source.platform" in page
    assert "← context.geo.zip" in page
    assert "← user_id" in page


def test_a_line_that_waits_or_was_rejected_has_its_page(org: Organisation, admin: Client) -> None:
    record = wait(org, "api/shop", b'{"event_type":"click","timestamp":5}')
    path = f"/o/{org.slug}/sources/lines/{record.pk}/0/"
    page = admin.get(path).content.decode()
    assert "<mark>  &quot;timestamp&quot;: 5" in page
    drain()
    assert "/timestamp" in admin.get(path).content.decode()
    assert admin.get(f"/o/{org.slug}/sources/lines/{record.pk}/1/").status_code == 404
    assert admin.get(f"/o/{org.slug}/sources/lines/{'9' * 30}/0/").status_code == 404


def test_a_lines_link_says_when_it_arrived_so_that_one_hour_of_the_log_is_asked(
    org: Organisation, admin: Client
) -> None:
    wait(org, "api/shop", b'{"event_type":"click","timestamp":5}')
    (link,) = re.findall(r'href="(/o/[^"]+/sources/lines/[^"]+)"', rows(admin, org))
    assert "?at=" in link
    with CaptureQueriesContext(connection) as asked:
        assert "<mark>" in admin.get(link).content.decode()
    of_log = [one["sql"] for one in asked if "ingest_log_logrecord" in one["sql"]]
    assert of_log
    assert [sql for sql in of_log if '"created_at" = ' not in sql] == []
    path = link.split("?")[0]
    assert admin.get(f"{path}?at=2026-01-01T00:00:00Z").status_code == 404
    for wrong in ("x", "2026-01-01", "0001-01-01T00:00:00%2B00:00", "%00", "9" * 5_000):
        assert admin.get(f"{path}?at={wrong}").status_code == 400


def test_events_of_another_organisation_are_out_of_reach(org: Organisation, admin: Client, world: World) -> None:
    with acting(SERVICE):
        theirs = LogRecord.objects.filter(org=world.orgs["rival"]).first()
        assert theirs
    assert admin.get(f"/o/{org.slug}/sources/lines/{theirs.pk}/0/").status_code == 404
    theirs_id = f"golden-purchase-retail-rivals-secret-0-{YESTERDAY_NOON:%Y%m%d}"
    assert admin.get(f"/o/{org.slug}/sources/events/{theirs_id}/").status_code == 404
    assert "rivals-secret" not in rows(admin, org)


def test_personal_data_is_not_there(org: Organisation, admin: Client) -> None:
    from tests.support.world import import_lines

    import_lines(org.slug, [click(1, properties={"email": "buyer@example.com", "ip": "203.0.113.9"})])
    html = rows(admin, org)
    page = admin.get(html.split('href="')[1].split('"')[0]).content.decode()
    for text in (html, page):
        assert "buyer@example.com" not in text
        assert "203.0.113.9" not in text


def test_a_test_event_is_judged_and_not_kept(org: Organisation, admin: Client) -> None:
    path = f"/o/{org.slug}/sources/try/send/"
    fine = {**click(1), "timestamp": timezone.now().isoformat()}
    assert "200 OK" in admin.post(path, {"event": json.dumps(fine)}).content.decode()
    page = admin.post(path, {"event": json.dumps({**fine, "event_type": "clik"})}).content.decode()
    assert "422" in page
    assert "unknown_event_type" in page
    assert "/event_type" in page
    with acting(SERVICE):
        assert not LogRecord.objects.filter(org=org).exists()


def test_a_test_event_that_is_kept_goes_through_ingest(org: Organisation, admin: Client) -> None:
    fine = {**click(1, event_id="typed in"), "timestamp": timezone.now().isoformat()}
    admin.post(f"/o/{org.slug}/sources/try/send/", {"event": json.dumps(fine, indent=2), "keep": "1"})
    drain()
    found = execute(org.pk, "test.kept", "SELECT event_id FROM events WHERE org_id = {org_id:UUID}")
    assert found == [{"event_id": "typed in"}]
    with acting(SERVICE):
        assert AuditEntry.objects.filter(org=org, action="events.test_sent").count() == 1


@pytest.mark.parametrize("event", ["", "   ", "x" * 200_001])
def test_a_test_event_that_cannot_be_meant_is_refused(org: Organisation, admin: Client, event: str) -> None:
    assert admin.post(f"/o/{org.slug}/sources/try/send/", {"event": event}).status_code == 400


MAYBE_TEXT = st.one_of(st.none(), st.sampled_from(["", "a", "b7"]))
MAYBE_MONEY = st.one_of(st.none(), st.sampled_from(["0", "1.50", "20"]))


def parts(*names: str, values: Any = MAYBE_TEXT) -> Any:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))


EVENTS = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["impression", "click", "purchase"]), "timestamp": st.just("2026-11-01T12:00:00Z")},
    optional={
        "event_id": MAYBE_TEXT,
        "user_id": MAYBE_TEXT,
        "anonymous_id": MAYBE_TEXT,
        "device_id": MAYBE_TEXT,
        "session_id": MAYBE_TEXT,
        "campaign_id": MAYBE_TEXT,
        "cohort_id": MAYBE_TEXT,
        "source": parts("platform", "channel", "campaign_id", "ad_group_id", "ad_id", "line_item_id", "creative_id",
                        "publisher", "placement"),
        "utm": parts("medium", "campaign"),
        "context": st.fixed_dictionaries(
            {}, optional={"device": parts("type"), "geo": parts("country", "region", "zip")}
        ),
        "metadata": st.fixed_dictionaries(
            {}, optional={"dsp": MAYBE_TEXT, "publisher": MAYBE_TEXT, "device": MAYBE_TEXT, "creative_id": MAYBE_TEXT,
                          "geo": parts("country", "postal_code"), "clearing_price": MAYBE_MONEY}
        ),
        "properties": st.fixed_dictionaries({}, optional={"revenue": MAYBE_MONEY, "cost": MAYBE_MONEY}),
        "consent": st.fixed_dictionaries({}, optional={"status": st.sampled_from(["granted", "denied"])}),
    },
)  # fmt: skip
TEXTS = {
    "event_id", "event_type", "person_id", "session_id", "platform", "channel", "campaign_id", "line_item_id",
    "creative_id", "publisher", "cohort_id", "device", "country", "region", "postal_code", "consent",
}  # fmt: skip


@given(EVENTS)
def test_the_origin_that_is_told_is_where_the_value_came_from(made: dict[str, Any]) -> None:
    line = json.dumps(made).encode()
    found = decode(line)
    if isinstance(found, Rejection):
        return
    accepted = Accepted(*found, str(made.get("event_id") or "hash"), b"\0" * 32, YESTERDAY_NOON)
    row = columns.table(UUID(int=1), UUID(int=2), [accepted], currency="USD", kept_days=30).to_pylist()[0]
    for field in trace(row, line):
        if field.column in TEXTS and " " not in field.origin and field.origin:
            assert text_of(read(made, field.origin)) == field.value
        elif field.column in TEXTS and not field.origin:
            assert not row[field.column]
        elif field.column == "spend" and field.origin.endswith("÷ 1,000"):
            assert row["spend"] == Decimal(made["metadata"]["clearing_price"]) / 1000
        elif field.column in {"revenue", "spend"} and field.origin.startswith("properties."):
            assert row[field.column] == Decimal(read(made, field.origin))


def test_every_column_of_an_event_is_told() -> None:
    line = json.dumps(click(1)).encode()
    event, properties = decode(line)  # type: ignore[misc]
    table = columns.table(
        UUID(int=1),
        UUID(int=2),
        [Accepted(event, properties, "1", b"\0" * 32, YESTERDAY_NOON)],
        currency="USD",
        kept_days=30,
    )
    told = {rule.column for rule in RULES} | {"org_id", "person_number", "kept_days"}
    assert set(table.column_names) <= told


def test_the_member_to_blame_is_marked() -> None:
    line = b'{"event_type":"click","source":{"platform":{"x":1},"channel":"tv"}}'
    marked = [row.text.strip() for row in pretty(line, "source.platform") if row.marked]
    assert marked == ['"platform": {', '"x": 1', "},"]
    assert not [row for row in pretty(line, "nowhere") if row.marked]
    assert [row.text for row in pretty(b"not json", "x")] == ["not json"]
    deep = b"[" * 900 + b"]" * 900
    assert len(pretty(deep)) <= 1_501
