"""Watched folders: each file once, oldest first, however it was delivered."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.events.formats.reds import FEEDS
from apps.events.log.models import LogRecord
from apps.events.models import FileImport, WatchedFile, WatchedSource
from apps.events.watched import actions
from apps.orgs.models import Organisation
from tests.support.watched import Clock, admin_of, entered, events, ledger, lines, looked, put, twice, watch
from tests.support.world import YESTERDAY_NOON

pytestmark = pytest.mark.usefixtures("committed")

State = WatchedFile.State


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
    with entered(org):
        WatchedFile.objects.update(state=State.READY)  # of the worker that takes it meanwhile there is none
    put(folder, "a.ndjson", lines(3))
    looked(org, source, clock)
    assert [state for _, state, _ in ledger(org)] == ["replaced", "seen"]
    os.utime(put(folder, "a.ndjson", lines(1, 2)), ns=(at, at))
    assert looked(org, source, clock).imported == 0
    clock.on(seconds=60)
    assert looked(org, source, clock).imported == 1
    assert [state for _, state, _ in ledger(org)] == ["imported", "replaced"]
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
