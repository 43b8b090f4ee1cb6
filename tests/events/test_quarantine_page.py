"""Rejected lines by reason: paging, filter, file, and their replay."""

import json
import tracemalloc
from typing import Any

import pytest
from django.test import Client

from apps.events.models import QuarantinedLine
from apps.events.views import quarantine
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from tests.events.test_ingestor import drain
from tests.events.test_sources_page import admin, arrive, org
from tests.support.loop import run
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["admin", "org"]


def left(org: Organisation) -> list[tuple[str, str]]:
    with acting(SERVICE), in_schema_of(org):
        return list(QuarantinedLine.objects.order_by("pk").values_list("source", "line"))


def test_lines_come_page_by_page(org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "AT_ONCE", 2)
    arrive(org, "api/a", b"one", b"two", b"three")
    page = admin.get(f"/o/{org.slug}/sources/quarantine/malformed_json/").content.decode()
    assert "three" in page
    assert "<details" in page.split("three")[0].rsplit("<li", 1)[1]
    assert ">one<" not in page
    older = page.split('href="?before=')[1].split('"')[0]
    page = admin.get(f"/o/{org.slug}/sources/quarantine/malformed_json/?before={older}").content.decode()
    assert ">one<" in page
    assert "three" not in page


def test_the_file_has_what_the_filter_shows_and_is_noted(org: Organisation, admin: Client) -> None:
    arrive(org, "api/a", b"from a, buyer@example.com")
    arrive(org, "api/b", b"from b")
    answer = admin.get(f"/o/{org.slug}/sources/quarantine/malformed_json/?source=api/a&format=ndjson")
    body = run(body_of(answer))
    (line,) = [json.loads(text) for text in body.splitlines()]
    assert int(answer["Content-Length"]) == len(body)
    assert (line["source"], line["code"]) == ("api/a", "malformed_json")
    assert answer["Content-Disposition"].endswith('-malformed_json.ndjson"')
    with acting(SERVICE):
        assert AuditEntry.objects.filter(org=org, action="events.quarantine_exported").count() == 1


async def body_of(answer: Any) -> bytes:
    """As the server sends it, piece by piece."""
    return b"".join([piece async for piece in answer])


def test_a_large_file_is_never_held_whole(org: Organisation, admin: Client) -> None:
    with acting(SERVICE), in_schema_of(org):
        QuarantinedLine.objects.bulk_create(
            QuarantinedLine(record_id=-1, position=place, code="malformed_json", message="no", line="x" * 500_000)
            for place in range(40)
        )
    tracemalloc.start()
    try:
        answer = admin.get(f"/o/{org.slug}/sources/quarantine/malformed_json/?format=ndjson")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert int(answer["Content-Length"]) > 20_000_000
    assert peak < 12_000_000
    answer.close()


def test_only_the_chosen_lines_are_replayed(org: Organisation, admin: Client) -> None:
    arrive(org, "api/a", b"one", b"two", b"three")
    with acting(SERVICE), in_schema_of(org):
        chosen = list(QuarantinedLine.objects.filter(line__in=["one", "three"]).values_list("pk", flat=True))
    admin.post(f"/o/{org.slug}/sources/replay/", {"code": "malformed_json", "only": "chosen", "line": chosen})
    assert left(org) == [("api/a", "two")]
    drain()
    assert sorted(line for _, line in left(org)) == ["one", "three", "two"]


def test_only_one_source_is_replayed(org: Organisation, admin: Client) -> None:
    arrive(org, "api/a", b"one")
    arrive(org, "api/b", b"two")
    admin.post(f"/o/{org.slug}/sources/replay/", {"code": "malformed_json", "source": "api/b"})
    assert left(org) == [("api/a", "one")]
    drain()


def test_choosing_nothing_replays_nothing(org: Organisation, admin: Client) -> None:
    arrive(org, "api/a", b"one")
    answer = admin.post(f"/o/{org.slug}/sources/replay/", {"code": "malformed_json", "only": "chosen"}, follow=True)
    assert "No line was chosen" in answer.content.decode()
    assert left(org) == [("api/a", "one")]


def test_another_organisations_lines_are_not_replayed_by_their_numbers(org: Organisation, admin: Client) -> None:
    arrive(org, "api/a", b"one")
    answer = admin.post(f"/o/{org.slug}/sources/replay/", {"code": "malformed_json", "line": [987654321]})
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 40])
def test_a_wrong_place_is_refused(org: Organisation, admin: Client, query: str) -> None:
    assert admin.get(f"/o/{org.slug}/sources/quarantine/malformed_json/?{query}").status_code == 400


def test_an_unknown_reason_is_not_there(org: Organisation, admin: Client, world: World) -> None:
    assert admin.get(f"/o/{org.slug}/sources/quarantine/nonsense/").status_code == 404
    assert admin.get(f"/o/{world.slug('rival')}/sources/quarantine/malformed_json/").status_code == 404
