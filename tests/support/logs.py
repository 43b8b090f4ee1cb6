"""The ingest log as tests write to it and read from it: in PostgreSQL, or on brokers of the tests' own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from apps.events import importing
from apps.events.formats.registry import get_format
from apps.events.ingestor import only_ingestor
from apps.events.log import chosen
from apps.events.log.interface import EventLog, Portion
from apps.events.models import SourceHour
from apps.orgs.models import Kind
from apps.orgs.public import SERVICE, Organisation, acting, create_organisation, in_schema_of
from apps.warehouse.public import execute
from tests.support import loop
from tests.support.world import YESTERDAY_NOON, event


def choose(name: str, request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    """The log that everything in this process writes to and reads from, for one test."""
    url = "postgres:" if name == "postgres" else request.getfixturevalue("cluster").new_address()
    patch.setattr(settings, "EVENT_LOG_URL", url)
    chosen.event_log.cache_clear()
    yield chosen.event_log()
    chosen.event_log().close()
    chosen.event_log.cache_clear()


def new_org() -> Organisation:
    slug = f"log-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def clicks(*numbers: int) -> list[bytes]:
    return [
        json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="c", number=n)).encode() for n in numbers
    ]


def append(org: Organisation, lines: list[bytes], **options: Any) -> None:
    with acting(SERVICE), chosen.event_log().whole() as appender:
        appender.append(Portion(org.pk, "test", lines), **options)


def keep(*portions: Portion) -> None:
    """As the edge does."""

    async def work() -> None:
        writer = chosen.event_log().edge_writer()
        try:
            await writer.append(portions)
        finally:
            await writer.close()

    loop.run(work())


def import_lines(org: Organisation, lines: list[bytes]) -> importing.Imported:
    return importing.import_stream(
        org=org, raw=BytesIO(b"\n".join(lines)), name="a.ndjson", file_format=get_format("ndjson"), history=False
    )


def drain() -> None:
    with only_ingestor() as alone:
        assert alone
        alone.drain()


def waiting(org: Organisation | None = None, *, live: bool = False) -> int:
    with acting(SERVICE):
        return chosen.event_log().waiting_lines(org and org.pk, live=live)


@dataclass(frozen=True)
class Counts:
    accepted: int
    duplicate: int
    rejected: int


def counted(org: Organisation) -> Counts:
    """As the ingestor counted it, by source and hour."""
    with acting(SERVICE), in_schema_of(org):
        hours = list(SourceHour.objects.all())
    return Counts(*(sum(getattr(one, name) for one in hours) for name in ("accepted", "duplicate", "rejected")))


def stored(org: Organisation) -> int:
    sql = "SELECT count() AS n, uniqExact(event_id) AS ids FROM events WHERE org_id = {org_id:UUID}"
    (row,) = execute(org.pk, "test.events", sql)
    assert row["n"] == row["ids"]
    return int(row["n"])


def batches(org: Organisation) -> set[UUID]:
    sql = "SELECT DISTINCT batch_id FROM events WHERE org_id = {org_id:UUID}"
    return {row["batch_id"] for row in execute(org.pk, "test.batches", sql)}
