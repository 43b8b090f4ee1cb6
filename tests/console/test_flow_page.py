"""The flow of events of all organisations: what super admins see, and that looking is noted."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.events.flow.histogram import BUCKETS
from apps.events.flow.platforms import read_flow
from apps.events.lock import is_held, write_lock
from apps.events.log.models import ArrivalMinute
from apps.orgs.models import AuditEntry
from apps.orgs.public import SERVICE, acting
from tests.events.test_sources_page import arrive, click, org
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["org"]


def test_it_shows_platforms_organisations_and_the_ingestor(org: Any, world: World) -> None:
    arrive(org, "api/shop", click(1), click(1), b"nonsense")
    client = Client()
    client.force_login(world.personas["super_admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    with write_lock() as ours:
        assert ours
        page = client.get("/console/flow/").content.decode()
    assert org.name in page
    assert "Hulu" in page
    assert "No ingestor is running" not in page
    assert not is_held()
    assert "No ingestor is running" in client.get("/console/flow/").content.decode()


def test_a_minutes_mean_is_of_the_same_minutes_for_all_and_for_each(org: Any, as_persona: Any) -> None:
    latest = timezone.now().replace(second=0, microsecond=0)
    with acting(SERVICE):
        for back, accepted in ((0, 1_000), (1, 50), (5, 50), (6, 1_000)):
            ArrivalMinute.objects.create(
                org=org, source="api/mean", platform="hulu", minute=latest - timedelta(minutes=back),
                accepted=accepted, duplicate=0, rejected=0, last_received=latest,
                waits=[0] * BUCKETS, ages=[0] * BUCKETS,
            )  # fmt: skip
    found = read_flow(latest + timedelta(seconds=30))
    (mine,) = [one for one in found.organisations if one.org_id == org.pk]
    assert mine.last_minutes.accepted == 100
    assert "last 5 whole minutes" in as_persona("super_admin").get("/console/flow/").content.decode()


def test_looking_is_noted_once_and_not_with_each_tick(as_persona: Any) -> None:
    client = as_persona("super_admin")
    with acting(SERVICE):
        before = AuditEntry.objects.filter(action="flow.viewed").count()
    client.get("/console/flow/")
    for target in ("flow-now", "flow-chart-card"):
        answer = client.get("/console/flow/", headers={"HX-Request": "true", "HX-Target": target})
        assert "<html" not in answer.content.decode()
    with acting(SERVICE):
        assert AuditEntry.objects.filter(action="flow.viewed").count() == before + 1


def test_a_tick_asks_for_what_it_shows_and_no_more(as_persona: Any) -> None:
    client = as_persona("super_admin")
    asked = {}
    for target in ("flow-now", "flow-chart-card"):
        with CaptureQueriesContext(connection) as seen:
            client.get("/console/flow/", headers={"HX-Request": "true", "HX-Target": target})
        asked[target] = " ".join(query["sql"] for query in seen.captured_queries)
    assert '"platform"' not in asked["flow-now"]
    assert '"platform"' in asked["flow-chart-card"]
    assert "pg_locks" in asked["flow-now"]
    assert "pg_locks" not in asked["flow-chart-card"]


def test_a_member_sees_none_of_it(as_persona: Any) -> None:
    assert as_persona("org_admin").get("/console/flow/").status_code == 403
