"""Watched folders: each file once, whatever happens in between."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.events.formats.reds import FEEDS
from apps.events.log.models import LogRecord
from apps.events.models import FileImport, WatchedFile, WatchedSource
from apps.events.tasks import look_at_watched_source, look_at_watched_sources
from apps.events.watched import actions, looking, places, queue
from apps.events.watched.actions import Wish
from apps.events.watched.looking import Look, look
from apps.events.watched.names import day_of
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import Actor, Role
from apps.warehouse.public import execute
from tests.config.launcher import eventually, free_port
from tests.events.test_ingestor import drain
from tests.support.watched import admin_of, entered, lines, put, watch
from tests.support.world import YESTERDAY_NOON

pytestmark = pytest.mark.usefixtures("committed")
REPOSITORY = Path(__file__).resolve().parents[2]
State = WatchedFile.State


class Clock:
    """A time that goes on when the test says so."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looked(org: Organisation, source: WatchedSource, clock: Clock) -> Look:
    seen = look(org, source.pk, clock=clock)
    assert seen is not None
    return seen


def twice(org: Organisation, source: WatchedSource, clock: Clock) -> Look:
    """Two looks a minute apart: a file at rest is seen by the first and taken by the second."""
    looked(org, source, clock)
    clock.on(seconds=60)
    return looked(org, source, clock)


def ledger(org: Organisation) -> list[tuple[str, str, bool]]:
    with entered(org):
        return list(WatchedFile.objects.order_by("pk").values_list("path", "state", "is_replay"))


def events(org: Organisation) -> int:
    drain()
    sql = "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID}"
    return int(execute(org.pk, "test.watched", sql)[0]["n"])


def test_a_file_is_taken_once_by_the_second_look(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "2026-11-24/13/a.ndjson.gz", gzip.compress(lines(1, 2)))
    assert (looked(org, source, clock).imported, ledger(org)) == (0, [("2026-11-24/13/a.ndjson.gz", "seen", False)])
    clock.on(seconds=60)
    assert looked(org, source, clock).imported == 1
    clock.on(seconds=60)
    assert looked(org, source, clock).imported == 0
    assert events(org) == 2
    with entered(org):
        file = WatchedFile.objects.get()
        run = FileImport.objects.get(pk=file.import_id)
        assert (file.state, file.hour, file.is_hour_named) == ("imported", datetime(2026, 11, 24, 13, tzinfo=UTC), True)
        assert (run.name, run.accepted) == ("2026-11-24/13/a.ndjson.gz", 2)
        assert LogRecord.objects.get(org=org).source == "watched/logs"


def test_the_oldest_hour_comes_first(org: Organisation, source: WatchedSource, folder: Path, clock: Clock) -> None:
    for number, hour in enumerate((15, 13, 14)):
        put(folder, f"x_V1_20261124T{hour}0000.ndjson", lines(number))
    assert twice(org, source, clock).imported == 3
    with entered(org):
        order = list(FileImport.objects.order_by("started_at").values_list("name", flat=True))
    assert order == [f"x_V1_20261124T{hour}0000.ndjson" for hour in (13, 14, 15)]


def test_a_growing_file_is_left_alone_until_it_rests(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    path = put(folder, "a.ndjson", lines(1))
    for number in (2, 3):
        looked(org, source, clock)
        path.write_bytes(path.read_bytes() + lines(number))
        clock.on(seconds=60)
    assert looked(org, source, clock).growing == 1
    clock.on(seconds=10)
    assert looked(org, source, clock).imported == 0
    clock.on(seconds=30)
    assert looked(org, source, clock).imported == 1
    assert ledger(org) == [("a.ndjson", "imported", False)]
    assert events(org) == 3


def test_with_a_marker_only_marked_files_are_taken_and_at_once(org: Organisation, folder: Path, clock: Clock) -> None:
    by_ending = watch(org, f"file://{folder}", done_marker=".done")
    put(folder, "a.ndjson", lines(1))
    put(folder, "b.ndjson", lines(2))
    put(folder, "b.ndjson.done", b"")
    assert looked(org, by_ending, clock).imported == 1
    assert ledger(org) == [("a.ndjson", "seen", False), ("b.ndjson", "imported", False)]
    clock.on(hours=2)
    assert looked(org, by_ending, clock).growing == 1
    in_folder = watch(org, f"file://{folder}/hour", name="by folder", done_marker="_SUCCESS")
    put(folder, "hour/c.ndjson", lines(3))
    put(folder, "hour/_SUCCESS", b"")
    assert looked(org, in_folder, clock).imported == 1


def test_a_file_replaced_under_its_name_is_read_again_and_its_events_are_duplicates(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1, 2))
    twice(org, source, clock)
    put(folder, "a.ndjson", lines(1, 2, 3))
    assert twice(org, source, clock).imported == 1
    assert ledger(org) == [("a.ndjson", "imported", False), ("a.ndjson", "imported", True)]
    assert events(org) == 3
    with entered(org):
        again = WatchedFile.objects.get(is_replay=True)
        run = FileImport.objects.get(pk=again.import_id)
        assert (run.accepted, run.duplicate) == (1, 2)


def test_a_file_that_fails_is_tried_five_times_ever_later_and_then_rests(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "bad.ndjson", b"no json\n")
    put(folder, "good.ndjson", lines(1))
    seen = twice(org, source, clock)
    assert (seen.imported, seen.failed) == (1, 1)
    tries = []
    for minutes in (1, 5, 15, 60):
        clock.on(minutes=minutes, seconds=-1)
        tries.append(looked(org, source, clock).failed)
        clock.on(seconds=1)
        tries.append(looked(org, source, clock).failed)
    assert tries == [0, 1] * 4
    clock.on(days=2)
    assert looked(org, source, clock).failed == 0
    with entered(org):
        file = WatchedFile.objects.get(path="bad.ndjson")
        assert (file.state, file.tries) == ("resting", 5)
        assert "This is not NDJSON" in file.error
        assert FileImport.objects.count() == 1
        actions.retry_file(actor=admin_of(org), org=org, source=source, file_id=file.pk)
    put(folder, "bad.ndjson", lines(7))  # mended meanwhile: what is retried is gone, its newer version is taken
    twice(org, source, clock)
    assert ledger(org)[0] == ("bad.ndjson", "replaced", False)
    assert ("bad.ndjson", "imported", False) in ledger(org)


def test_a_version_that_was_never_imported_is_taken_when_it_comes_back(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    first = put(folder, "a.ndjson", lines(1, 2))
    at = first.stat().st_mtime_ns
    looked(org, source, clock)
    put(folder, "a.ndjson", lines(3))
    looked(org, source, clock)
    with entered(org):
        WatchedFile.objects.update(state=State.READY)  # of the worker that takes it meanwhile there is none
    os.utime(put(folder, "a.ndjson", lines(1, 2)), ns=(at, at))
    assert looked(org, source, clock).imported == 0
    clock.on(seconds=60)
    assert looked(org, source, clock).imported == 1
    assert events(org) == 2


def test_an_hour_in_which_nothing_happened_is_received_too(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "empty.ndjson", b"")
    put(folder, "empty.ndjson.gz", gzip.compress(b""))
    assert twice(org, source, clock).imported == 2
    with entered(org):
        assert set(FileImport.objects.values_list("read", "accepted")) == {(0, 0)}
        assert not FileImport.objects.filter(finished_at=None).exists()


def test_hidden_marking_and_half_written_files_and_others_names_are_passed_over(
    org: Organisation, folder: Path, clock: Clock
) -> None:
    source = watch(org, f"file://{folder}", pattern="win_*")
    for name in (".win_a", "win_a.tmp", "win_b.part", "_temporary/win_c", "bid_1", "sub/win_d"):
        put(folder, name, lines(1))
    assert twice(org, source, clock).imported == 1
    assert [path for path, *_ in ledger(org)] == ["sub/win_d"]


def test_two_workers_at_once_take_each_file_once(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    for number in range(24):
        put(folder, f"{number:02}.ndjson", lines(number))
    looked(org, source, clock)
    clock.on(seconds=60)

    with entered(org):
        place = looking.place_for(source, org)
        looking.ledger.note(source, place.list_files(), clock())

    def work(_: int) -> Look:
        seen = Look("")
        try:
            while looking.take_next(org, source.pk, place, seen, clock):
                pass
        finally:
            connections.close_all()
        return seen

    with ThreadPoolExecutor(4) as workers:
        seen = list(workers.map(work, range(4)))
    assert sum(one.imported for one in seen) == 24
    assert events(org) == 24
    with entered(org):
        assert FileImport.objects.count() == 24
        assert set(WatchedFile.objects.values_list("state", "tries")) == {("imported", 1)}


def test_a_look_leaves_the_files_to_the_worker_that_is_at_them_and_ends_with_its_budget(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1))
    put(folder, "b.ndjson", lines(2))
    looked(org, source, clock)
    clock.on(seconds=60)
    seen = look(org, source.pk, clock=clock, budget=timedelta())
    assert seen is not None
    assert seen.imported == 0
    with entered(org):
        mine = looking.ledger.claim(source, clock())
    assert mine is not None
    assert looked(org, source, clock).imported == 0
    clock.on(seconds=61)
    assert looked(org, source, clock).imported == 2


def test_hourly_reds_of_real_naming_arrive(org: Organisation, folder: Path, clock: Clock) -> None:
    source = watch(org, f"file://{folder}", format="reds-clicks", pattern="clicks_*.log.gz")
    name = "ttd/clicks_abc123_V5_1_2026-11-24T130002_2026-11-24T140004_2026-11-24T142211_0a1b2c.log.gz"
    row = "\t".join(
        {"LogEntryTime": f"{YESTERDAY_NOON:%Y-%m-%d %H:%M:%S}", "ClickId": "k-1", "CampaignId": "c"}.get(column, "")
        for column in FEEDS["clicks"]["5"]
    )
    put(folder, name, gzip.compress(f"{row}\n".encode()))
    assert twice(org, source, clock).events == 1
    assert events(org) == 1
    with entered(org):
        assert WatchedFile.objects.get().hour == datetime(2026, 11, 24, 13, tzinfo=UTC)


def test_a_crash_between_import_and_ledger_leaves_neither(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.ndjson", lines(1, 2))
    looked(org, source, clock)
    clock.on(seconds=60)

    class Killed(BaseException):
        pass

    real = looking.import_stream

    def crash(**given: Any) -> Any:
        real(**given)
        raise Killed

    monkeypatch.setattr(looking, "import_stream", crash)
    with pytest.raises(Killed):
        looked(org, source, clock)
    monkeypatch.undo()
    with entered(org):
        assert WatchedFile.objects.get().state == "importing"
        assert not FileImport.objects.exists()
        assert not LogRecord.objects.filter(org=org).exists()
    assert looked(org, source, clock).imported == 0
    clock.on(seconds=61)
    assert looked(org, source, clock).imported == 1
    assert events(org) == 2


def test_what_another_worker_holds_is_not_taken_for_abandoned(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1))
    looked(org, source, clock)
    clock.on(seconds=60)
    with entered(org):
        WatchedFile.objects.update(state=State.READY)
        mine = looking.ledger.claim(source, clock())
    assert mine is not None

    def other() -> int:
        try:
            clock.on(hours=2)
            return looked(org, source, clock).imported
        finally:
            connections.close_all()

    with entered(org):
        assert looking.ledger.hold(mine)
        with ThreadPoolExecutor(1) as worker:
            assert worker.submit(other).result() == 0
    assert other() == 1
    with entered(org):
        assert not looking.ledger.hold(mine)


KILLED = """
import os, signal, sys, django
django.setup()
from uuid import UUID
from django.utils import timezone
from apps.events.watched import looking
from apps.orgs.public import SERVICE, Organisation, acting
real = looking.import_stream
def killed(**given):
    real(**given)
    os.kill(os.getpid(), signal.SIGKILL)
looking.import_stream = killed
with acting(SERVICE):
    org = Organisation.objects.get(pk=sys.argv[1])
looking.look(org, UUID(sys.argv[2]))
"""


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1, 2, 3))
    looked(org, source, clock)
    with entered(org):
        WatchedFile.objects.update(state=State.READY)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(org.pk), str(source.pk)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}, cwd=REPOSITORY, check=False, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    assert ledger(org) == [("a.ndjson", "importing", False)]
    clock.on(minutes=5)
    eventually(lambda: looked(org, source, clock).imported == 1, what="the file to be taken up again")
    assert events(org) == 3
    with entered(org):
        assert WatchedFile.objects.get().tries == 2


def test_a_file_that_kills_its_worker_each_time_rests_in_the_end(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1))
    looked(org, source, clock)
    with entered(org):
        WatchedFile.objects.update(state=State.IMPORTING, tries=5, claimed_at=clock(), claim=uuid4())
    clock.on(minutes=2)
    looked(org, source, clock)
    with entered(org):
        file = WatchedFile.objects.get()
        assert (file.state, "cut off" in file.error) == ("resting", True)


def test_a_place_that_does_not_answer_is_said_on_the_source(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    folder.rmdir()
    assert "is not there" in looked(org, source, clock).error
    with entered(org):
        assert "is not there" in WatchedSource.objects.get().error
    folder.mkdir()
    assert looked(org, source, clock).error == ""
    with entered(org):
        assert WatchedSource.objects.get().error == ""


def test_what_is_paused_or_deleted_is_not_looked_at(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    assert (org.pk, source.pk) in queue.active_sources()
    with entered(org):
        actions.pause_source(actor=admin_of(org), org=org, source=source, paused=True)
    assert look(org, source.pk, clock=clock) is None
    assert (org.pk, source.pk) not in queue.active_sources()
    with entered(org), pytest.raises(Conflict, match="is paused"):
        actions.look_now(actor=admin_of(org), org=org, source=WatchedSource.objects.get())
    gone = str(source.pk)
    with entered(org):
        actions.delete_source(actor=admin_of(org), org=org, source=source)
    look_at_watched_source(str(org.pk), gone)


def test_what_is_being_imported_is_not_deleted_under_its_worker(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    put(folder, "a.ndjson", lines(1))
    looked(org, source, clock)
    with entered(org):
        WatchedFile.objects.update(state=State.READY)
        mine = looking.ledger.claim(source, clock())
    assert mine is not None

    def delete() -> None:
        try:
            with entered(org):
                actions.delete_source(actor=admin_of(org), org=org, source=source)
        finally:
            connections.close_all()

    with entered(org), ThreadPoolExecutor(1) as worker:
        looking.ledger.hold(mine)
        with pytest.raises(Conflict, match="being imported right now"):
            worker.submit(delete).result()


def test_a_change_leaves_alone_what_others_wrote_meanwhile(org: Organisation, source: WatchedSource) -> None:
    with entered(org):
        read_before = actions.get_source(source.pk)
        actions.pause_source(actor=admin_of(org), org=org, source=source, paused=True)
        WatchedSource.objects.update(error="is not there", looked_at=YESTERDAY_NOON)
        wish = Wish(name="renamed", url=source.url, format="ndjson")
        actions.change_source(actor=admin_of(org), org=org, source=read_before, wish=wish)
        found = WatchedSource.objects.get()
    assert (found.name, found.paused, found.error, found.looked_at) == (
        "renamed", True, "is not there", YESTERDAY_NOON,
    )  # fmt: skip


def test_the_beat_asks_for_every_active_source(
    org: Organisation, source: WatchedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[UUID, UUID]] = []
    monkeypatch.setattr(queue, "send_look", lambda *pair: asked.append(pair))
    assert look_at_watched_sources() == len(asked)
    assert (org.pk, source.pk) in asked


def test_by_hand_with_a_summary(
    org: Organisation, source: WatchedSource, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "a.ndjson", lines(1))
    call_command("watch_files", "--org", org.slug, "--once")
    with entered(org):
        WatchedFile.objects.update(found_at=timezone.now() - timedelta(minutes=1))
    call_command("watch_files", "--org", org.slug, "--once")
    first, second = [line for line in capsys.readouterr().out.splitlines() if line.startswith(org.slug)]
    assert first == (f"{org.slug}, logs: 1 files there, 1 new, 1 still arriving, 0 imported with 0 events, 0 failed.")
    assert second.endswith("1 files there, 0 new, 0 still arriving, 1 imported with 1 events, 0 failed.")


def test_writes_leave_a_trail_and_need_the_permission(org: Organisation, source: WatchedSource) -> None:
    viewer = Actor("viewer", frozenset({(org.pk, Role.VIEWER)}), user_id=uuid4())
    wish = Wish(name="other", url=source.url, format="ndjson")
    acts: list[Callable[[], object]] = [
        lambda: actions.add_source(actor=viewer, org=org, wish=wish),
        lambda: actions.change_source(actor=viewer, org=org, source=source, wish=wish),
        lambda: actions.pause_source(actor=viewer, org=org, source=source, paused=True),
        lambda: actions.delete_source(actor=viewer, org=org, source=source),
        lambda: actions.look_now(actor=viewer, org=org, source=source),
        lambda: actions.retry_file(actor=viewer, org=org, source=source, file_id=1),
    ]
    for act in acts:
        with pytest.raises(Forbidden), entered(org):
            act()
    with entered(org):
        actions.change_source(actor=admin_of(org), org=org, source=source, wish=wish)
        entries = AuditEntry.objects.filter(org=org, action__startswith="watched").order_by("pk")
        trail = list(entries.values_list("action", flat=True))
        with pytest.raises(NotFound):
            actions.retry_file(actor=admin_of(org), org=org, source=source, file_id=1)
    assert trail == ["watched_source.added", "watched_source.changed"]


def test_two_organisations_share_no_source_and_no_ledger(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock, world: Any
) -> None:
    rival = world.orgs["rival"]
    put(folder, "a.ndjson", lines(1))
    twice(org, source, clock)
    assert look(rival, source.pk, clock=clock) is None
    with entered(rival):
        assert not WatchedSource.objects.filter(pk=source.pk).exists()
        assert not WatchedFile.objects.filter(source=source.pk).exists()
        with pytest.raises(NotFound):
            actions.get_source(source.pk)
    with pytest.raises(Forbidden), entered(org):
        actions.pause_source(actor=admin_of(rival), org=org, source=source, paused=True)


def test_objects_of_a_bucket_are_taken_at_once_and_each_once(org: Organisation, bucket: Any, clock: Clock) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="a secret of s3")
    bucket.put("wins/date=2026-11-24/hour=13/a.ndjson.gz", gzip.compress(lines(1, 2)))
    bucket.put("wins/date=2026-11-24/hour=14/b.ndjson", lines(3))
    bucket.put("wins/", b"")
    bucket.put("winsome/c.ndjson", lines(4))
    clock.now = timezone.now()
    assert looked(org, source, clock).imported == 2
    assert looked(org, source, clock).imported == 0
    bucket.put("wins/date=2026-11-24/hour=14/b.ndjson", lines(3, 5))
    assert looked(org, source, clock).imported == 1
    assert [row[1:] for row in ledger(org)] == [("imported", False), ("imported", False), ("imported", True)]
    assert events(org) == 4
    with entered(org):
        kept = WatchedSource.objects.get()
        assert b"a secret of s3" not in bytes(kept.sealed_secret)
        trail = json.dumps(list(AuditEntry.objects.filter(org=org).values_list("detail", flat=True)))
        assert "a secret" not in trail


def test_an_object_replaced_between_listing_and_reading_waits_for_the_next_look(
    org: Organisation, bucket: Any, clock: Clock
) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="s")
    bucket.put("wins/a.ndjson", lines(1))
    with entered(org):
        place = looking.place_for(source, org)
        looking.ledger.note(source, place.list_files(), clock())
    bucket.put("wins/a.ndjson", lines(1, 2))
    seen = Look("")
    assert looking.take_next(org, source.pk, place, seen, clock)
    assert (seen.failed, "was replaced meanwhile" in seen.errors[0]) == (1, True)
    assert looked(org, source, clock).imported == 1
    assert events(org) == 2


def test_a_place_that_is_away_uses_up_no_tries(org: Organisation, bucket: Any, clock: Clock, settings: Any) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="s")
    bucket.put("wins/a.ndjson", lines(1))
    clock.now = timezone.now()
    with entered(org):
        looking.ledger.note(source, looking.place_for(source, org).list_files(), clock())
    there, settings.WATCH_S3_ENDPOINT = settings.WATCH_S3_ENDPOINT, f"http://127.0.0.1:{free_port()}"
    for _ in range(6):
        seen = Look("")
        assert looking.take_next(org, source.pk, looking.place_for(source, org), seen, clock)
        assert (seen.failed, "does not answer" in seen.errors[0]) == (1, True)
        clock.on(minutes=4)
        assert not looking.take_next(org, source.pk, looking.place_for(source, org), seen, clock)
        clock.on(minutes=2)
    settings.WATCH_S3_ENDPOINT = there
    with entered(org):
        file = WatchedFile.objects.get()
        assert (file.state, file.tries) == ("failed", 0)
    assert looked(org, source, clock).imported == 1


@pytest.mark.parametrize("name", ["{feed}/{day}/13/{number}.ndjson", "{feed}_V1_{day}T130000_{number}.ndjson"])
@pytest.mark.parametrize("where", ["bucket", "folder"])
def test_among_too_many_files_those_of_the_last_weeks_are_still_taken(
    org: Organisation, bucket: Any, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    monkeypatch.setattr(places, "MOST_FILES", 6)
    monkeypatch.setattr(places, "MOST_FOLDERS", 8)
    key = {"access_key_id": "key", "secret": "s"} if where == "bucket" else {}
    source = watch(org, bucket.url if key else f"file://{folder}", **key)

    def deliver(feed: str, days_ago: int, number: int) -> None:
        day = f"{clock.now - timedelta(days=days_ago):%Y-%m-%d}"
        path = name.format(feed=feed, day=day, number=number)
        bucket.put(f"wins/{path}", lines(number)) if key else put(folder, path, lines(number))

    for number in range(4):
        deliver("wins", 100 + number, number)
    clock.now = timezone.now()
    twice(org, source, clock)
    assert sorted(ledger(org))[0][1] == "imported"
    for number in range(4, 20):
        deliver("bids", 100 + number, number)
    deliver("wins", 1, 20)
    deliver("clicks", 0, 21)
    clock.now = timezone.now() + timedelta(minutes=5)
    seen = twice(org, source, clock)
    assert (seen.error, seen.found) == ("", 2)
    assert [state for _, state, _ in ledger(org)] == ["imported"] * 6
    with entered(org):
        found = WatchedSource.objects.get()
        assert found.looked_since == (clock.now - timedelta(days=35)).date()
        wish = Wish(name="logs", url=source.url, format="ndjson", **key)
        assert actions.change_source(actor=admin_of(org), org=org, source=found, wish=wish).looked_since is None
    for number in range(8):
        deliver("clicks", 0, 30 + number)
    assert "more than 6 files that name no day before" in looked(org, source, clock).error


def test_a_folder_is_of_a_day_only_if_its_name_says_nothing_else() -> None:
    of_days = {path: day_of(path) for path in ("a/2026-11-24/", "a/date=20261124/", "2026/11/24/", "b/dt=2026-11-24/")}
    assert set(of_days.values()) == {datetime(2026, 11, 24).date()}
    others = ("since-2026-11-24/", "2026/11/", "2026-11-24/13/", "2026-13-24/", "")
    assert {day_of(path) for path in others} == {None}


def test_a_bucket_that_is_not_there_is_said(org: Organisation, bucket: Any, clock: Clock) -> None:
    source = watch(org, "s3://there-is-no-such-bucket/x", access_key_id="key", secret="s")
    assert "s3://there-is-no-such-bucket/x/ is not there" in looked(org, source, clock).error


def test_a_key_that_was_sealed_elsewhere_opens_nothing(org: Organisation, bucket: Any, world: Any) -> None:
    from apps.events.watched.seal import seal, unseal

    sealed = seal(org.pk, "s3cret")
    assert unseal(org.pk, sealed) == "s3cret"
    with pytest.raises(InvalidInput, match="cannot be read"):
        unseal(world.orgs["rival"].pk, sealed)
