"""Single events go some days after their arrival, as their organisation says; sums, persons and ids stay."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.test import Client

from apps.events.ingestor import only_ingestor
from apps.events.log import store
from apps.events.log.models import LogRecord
from apps.events.log.store import Portion
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation
from apps.warehouse.gateway import client
from apps.warehouse.public import execute
from tests.support.world import YESTERDAY_NOON, World, event

pytestmark = pytest.mark.usefixtures("committed")
OLD = YESTERDAY_NOON - timedelta(days=45)


@pytest.fixture
def org() -> Organisation:
    slug = f"kept-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def shown(at: Any, name: str) -> bytes:
    one = event("impression", at, platform="hulu", campaign="c", price=1000)
    return json.dumps({**one, "event_id": name, "user_id": name}).encode()


def ingest(org: Organisation, *lines: bytes, days_ago: int = 0, history: bool = False) -> None:
    with acting(SERVICE):
        record = store.append(Portion(org.pk, "test", list(lines)), history=history)
        LogRecord.objects.filter(pk=record.pk).update(created_at=F("created_at") - timedelta(days=days_ago))
    with only_ingestor() as alone:
        assert alone
        alone.drain()


def raw(org: Organisation) -> set[str]:
    """The events that are left once the engine has tidied up."""
    client().command("OPTIMIZE TABLE events FINAL")
    rows = execute(org.pk, "test.raw", "SELECT event_id FROM events WHERE org_id = {org_id:UUID}")
    return {row["event_id"] for row in rows}


def test_events_go_and_the_page_still_shows_their_figures(org: Organisation, committed: World) -> None:
    ingest(org, shown(OLD, "long ago"), shown(OLD, "as long ago"), days_ago=40)
    ingest(org, shown(YESTERDAY_NOON, "now"))
    assert raw(org) == {"now"}
    browser = Client()
    browser.force_login(
        committed.personas["super_admin"], backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    figures = {one.key: one.value for one in browser.get(f"/o/{org.slug}/?range=90d").context["figures"]}
    assert (figures["impressions"], figures["spend"]) == ("3", "$3.00")
    assert execute(org.pk, "test.reach", REACH)[0] == {"quarters": 3, "days": 3}


REACH = """
SELECT
    (SELECT groupBitmapMerge(persons) FROM performance WHERE org_id = {org_id:UUID}) AS quarters,
    (SELECT groupBitmapMerge(persons) FROM reach_days WHERE org_id = {org_id:UUID}) AS days
"""


def test_an_event_that_is_gone_is_still_known(org: Organisation) -> None:
    ingest(org, shown(OLD, "once"), days_ago=40)
    assert raw(org) == set()
    ingest(org, shown(OLD, "once"))
    with acting(SERVICE):
        counts = LogRecord.objects.filter(org=org).order_by("pk").values_list("accepted", "duplicate")
        assert list(counts) == [(1, 0), (0, 1)]


def test_imported_history_is_kept_from_its_arrival(org: Organisation) -> None:
    ingest(org, shown(YESTERDAY_NOON - timedelta(days=1500), "history"), history=True)
    assert raw(org) == {"history"}
    sums = execute(org.pk, "test.sums", "SELECT sum(events) AS n FROM performance WHERE org_id = {org_id:UUID}")
    assert sums[0]["n"] == 1


def test_each_organisation_has_its_own_time(org: Organisation) -> None:
    with acting(SERVICE):
        Organisation.objects.filter(pk=org.pk).update(raw_event_days=60)
    ingest(org, shown(OLD, "kept longer"), days_ago=40)
    assert raw(org) == {"kept longer"}


def test_equal_rows_become_one_the_second_wall(org: Organisation) -> None:
    """As after a loss of the table of ids, when the first wall lets an event through again."""
    ingest(org, shown(YESTERDAY_NOON, "twice"))
    columns = "* EXCEPT (received_at), received_at + INTERVAL 1 SECOND"
    names = [name for name, *_ in client().query("DESCRIBE TABLE events").result_rows if name != "received_at"]
    client().command(
        f"INSERT INTO events ({', '.join(names)}, received_at) SELECT {columns} FROM events WHERE org_id = '{org.pk}'"
    )
    final = "SELECT count() AS n FROM events FINAL WHERE org_id = {org_id:UUID}"
    assert execute(org.pk, "test.final", final)[0]["n"] == 1
    assert raw(org) == {"twice"}
    client().command("OPTIMIZE TABLE events FINAL")
    assert execute(org.pk, "test.raw", "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID}")[0]["n"] == 1
