"""The log's hours: made ahead, filled from the default partition, dropped when done and old, guarded each."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.events import tasks
from apps.events.log import partitions
from apps.events.log.models import LogRecord
from apps.events.log.postgres import PostgresLog
from apps.orgs.models import Organisation
from apps.orgs.permissions import Role
from apps.orgs.public import SERVICE, Actor, acting, declare
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")
DAY = timedelta(days=1)


@pytest.fixture
def org(committed: World) -> Organisation:
    return committed.orgs["other_owner"]


@pytest.fixture
def long_ago() -> Iterator[datetime]:
    """Half past an hour far behind the retention; what a test leaves there is removed."""
    hour = timezone.now().replace(minute=30, second=0, microsecond=0) - 60 * DAY
    yield hour
    with acting(SERVICE):
        LogRecord.objects.filter(created_at__lt=hour + DAY).update(done_at=hour, error="")
    partitions.tend()


def record(org: Organisation, at: datetime, **values: Any) -> LogRecord:
    with acting(SERVICE):
        made = LogRecord.objects.create(org=org, source="test", line_count=1, payload=b"x")
        LogRecord.objects.filter(pk=made.pk).update(created_at=at, **values)
        return made


def names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM public.ingest_log_partition")
        return {name for (name,) in cursor.fetchall()}


def where(made: LogRecord) -> str:
    with acting(SERVICE), connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM ingest_log_logrecord WHERE id = %s", [made.pk])
        return str(cursor.fetchone()[0])


def name_of(at: datetime) -> str:
    return f"ingest_log_{at.astimezone(UTC):%Y%m%dt%H}"


def test_coming_hours_have_their_partitions(org: Organisation) -> None:
    now = timezone.now()  # before: should the hour turn, an hour too many is there and none too few
    partitions.tend()
    assert {name_of(now + timedelta(hours=hours)) for hours in range(partitions.HOURS_AHEAD)} <= names()
    assert where(record(org, now, done_at=now)) == name_of(now)
    with acting(SERVICE):
        assert partitions.condition().hours_ahead > partitions.HOURS_AHEAD - 1


def test_what_falls_beside_is_caught_and_brought_to_its_own_hour(org: Organisation, long_ago: datetime) -> None:
    made = [record(org, long_ago), record(org, long_ago + timedelta(hours=1))]
    assert {where(one) for one in made} == {"ingest_log_logrecord_default"}
    partitions.tend()
    assert [where(one) for one in made] == [name_of(one) for one in (long_ago, long_ago + timedelta(hours=1))]


def test_an_hour_is_dropped_once_all_in_it_is_done_and_old(org: Organisation, long_ago: datetime) -> None:
    done, waits = record(org, long_ago, done_at=long_ago), record(org, long_ago)
    failed = record(org, long_ago + timedelta(hours=1), error="broken")
    recent = record(org, timezone.now() - DAY, done_at=timezone.now())
    partitions.tend()
    assert partitions.tend() == 0
    with acting(SERVICE):
        before = partitions.condition()
    assert before.kept >= 2
    assert before.failed_records >= 1
    assert partitions.purge_kept() == 1
    with acting(SERVICE):
        assert not LogRecord.objects.filter(pk=done.pk).exists()
        LogRecord.objects.filter(pk__in=[waits.pk, failed.pk]).update(done_at=long_ago, error="")
    assert tasks.tend_ingest_log() == 2
    assert not {name_of(long_ago), name_of(long_ago + timedelta(hours=1))} & names()
    with acting(SERVICE):
        assert LogRecord.objects.filter(pk=recent.pk).exists()
        assert not LogRecord.objects.filter(pk__in=[waits.pk, failed.pk]).exists()


def test_no_partition_can_be_asked_by_its_own_name(org: Organisation) -> None:
    record(org, timezone.now(), done_at=timezone.now())
    for name in names():
        for question in ("SELECT count(*) FROM public.{}", "DELETE FROM public.{}", "DROP TABLE public.{}"):
            with (
                pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
                acting(SERVICE),
                connection.cursor() as cursor,
            ):
                cursor.execute(question.format(name))


def test_a_member_sees_the_own_records_only_through_the_whole(org: Organisation, committed: World) -> None:
    mine, theirs = record(org, timezone.now()), record(committed.orgs["rival"], timezone.now())
    with transaction.atomic():
        declare(Actor("someone", frozenset({(org.pk, Role.ORG_ADMIN)})))
        seen = set(LogRecord.objects.filter(pk__in=[mine.pk, theirs.pk]).values_list("pk", flat=True))
    with acting(SERVICE):
        LogRecord.objects.filter(pk__in=[mine.pk, theirs.pk]).update(done_at=timezone.now())
    assert seen == {mine.pk}


@pytest.mark.parametrize(("ahead", "keep"), [(0, 720), (169, 720), (48, 23), (48, None), (None, 720)])
def test_the_owners_function_takes_no_nonsense(ahead: int | None, keep: int | None) -> None:
    with pytest.raises(DatabaseError, match="must be from"), acting(SERVICE), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.tend_ingest_log(%s, %s)", [ahead, keep])


@pytest.mark.parametrize("call", ["ingest_log_make(now())", "ingest_log_guard('orgs_membership')"])
def test_its_parts_are_not_for_the_application(call: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), acting(SERVICE), connection.cursor() as cursor:
        cursor.execute(f"SELECT public.{call}")


def test_questions_for_work_look_at_few_partitions(org: Organisation, long_ago: datetime) -> None:
    old = record(org, long_ago)
    partitions.tend()
    log = PostgresLog()
    with acting(SERVICE):
        assert name_of(long_ago) in log._recent().explain()
        LogRecord.objects.filter(pk=old.pk).update(done_at=long_ago)
        plan = PostgresLog()._recent().explain()
    assert name_of(long_ago) not in plan
    assert name_of(timezone.now()) in plan
    assert name_of(timezone.now() + DAY) not in plan
    assert "default" not in plan


def test_old_work_that_turns_up_is_found_within_the_minute(
    org: Organisation, long_ago: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = PostgresLog()
    with acting(SERVICE):
        before = log.waiting_lines(org.pk)
        record(org, long_ago)
        assert log.waiting_lines(org.pk) == before
        monkeypatch.setattr("apps.events.log.horizon.LOOK_EVERY", -1.0)
        assert log.waiting_lines(org.pk) == before + 1
