"""What an organisation forgets by itself: quarantine, imports and sources' hours past their retention."""

from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from apps.events import tasks
from apps.events.models import FileImport, QuarantinedLine, SourceHour
from apps.orgs.models import Kind
from apps.orgs.public import SERVICE, Organisation, acting, create_organisation, in_schema_of
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


def new_org() -> Organisation:
    """One that no other test writes to."""
    slug = f"retention-{uuid4().hex[:10]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    with acting(SERVICE), in_schema_of(org):
        fill(org)
    return org


def test_what_is_old_goes_and_the_rest_stays(committed: World) -> None:
    mine, other = new_org(), new_org()
    assert tasks.purge_events_of(str(mine.pk)) == 3
    assert kept(mine) == (1, 2, 1)
    assert kept(other) == (2, 3, 2)
    assert tasks.purge_events_of(str(mine.pk)) == 0


def test_every_organisation_has_its_own_task(committed: World) -> None:
    with patch.object(tasks.purge_events_of, "delay") as delay:
        tasks.purge_events()
    assert {call.args[0] for call in delay.call_args_list} >= {str(org.pk) for org in committed.orgs.values()}
