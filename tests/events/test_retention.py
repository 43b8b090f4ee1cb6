"""What an organisation forgets by itself: quarantine, imports and sources' hours past their retention."""

from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from apps.events import tasks
from apps.events.models import FileImport, QuarantinedLine, SourceHour
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of
from tests.support.world import World

OLD = timezone.now() - timedelta(days=settings.EVENTS_KEEP_DAYS, hours=1)


def fill(org: Organisation) -> None:
    for number, at in enumerate((OLD, timezone.now())):
        line = QuarantinedLine.objects.create(record_id=uuid4().int % 10**12, position=1, code="x", message="", line="")
        QuarantinedLine.objects.filter(pk=line.pk).update(created_at=at)
        FileImport.objects.create(name=f"retention-{number}", format="ndjson", finished_at=at)
        SourceHour.objects.create(source="retention", hour=at, accepted=1, duplicate=0, rejected=0, last_received=at)
    FileImport.objects.create(name="retention-open", format="ndjson")


def kept(org: Organisation) -> tuple[int, int, int]:
    with acting(SERVICE), in_schema_of(org):
        return (
            QuarantinedLine.objects.filter(code="x").count(),
            FileImport.objects.filter(name__startswith="retention-").count(),
            SourceHour.objects.filter(source="retention").count(),
        )


@pytest.fixture
def filled(committed: World) -> World:
    for name in ("buyer", "rival"):
        with acting(SERVICE), in_schema_of(committed.orgs[name]):
            QuarantinedLine.objects.filter(code="x").delete()
            FileImport.objects.filter(name__startswith="retention-").delete()
            SourceHour.objects.filter(source="retention").delete()
            fill(committed.orgs[name])
    return committed


def test_what_is_old_goes_and_the_rest_stays(filled: World) -> None:
    assert tasks.purge_events_of(filled.slug("buyer")) == 3
    assert kept(filled.orgs["buyer"]) == (1, 2, 1)
    assert kept(filled.orgs["rival"]) == (2, 3, 2)
    assert tasks.purge_events_of(filled.slug("buyer")) == 0


def test_every_organisation_has_its_own_task(filled: World) -> None:
    with patch.object(tasks.purge_events_of, "delay") as delay:
        tasks.purge_events()
    assert {call.args[0] for call in delay.call_args_list} >= {org.slug for org in filled.orgs.values()}
