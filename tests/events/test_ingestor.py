"""The ingestor: batches, duplicates wherever they come from, failures, and crashes at the worst places."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from django.db import OperationalError, connection

from apps.common.errors import Unavailable
from apps.events import decoding, ingestor, known, lock
from apps.events.ingestor import only_ingestor
from apps.events.log import interface, postgres, store
from apps.events.log.models import LogRecord
from apps.events.log.postgres import PostgresLog
from apps.events.log.store import Portion
from apps.events.models import QuarantinedLine
from apps.events.preparing import Job, Prepared
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from apps.warehouse import gateway
from apps.warehouse.gateway import UnfitRows
from apps.warehouse.public import execute
from tests.config.launcher import eventually
from tests.support.world import YESTERDAY_NOON, event

pytestmark = pytest.mark.usefixtures("committed")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def org() -> Organisation:
    slug = f"ingest-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def clicks(*numbers: int) -> list[bytes]:
    return [
        json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="c", number=n)).encode() for n in numbers
    ]


def append(org: Organisation, lines: list[bytes]) -> int:
    with acting(SERVICE):
        store.append(Portion(org.pk, "test", lines))
        return LogRecord.objects.filter(org=org).latest("id").pk


def drain() -> None:
    with only_ingestor() as alone:
        assert alone
        alone.drain()


def outcome(org: Organisation) -> list[tuple[int, int, int]]:
    with acting(SERVICE):
        rows = LogRecord.objects.filter(org=org).order_by("pk")
        return list(rows.values_list("accepted", "duplicate", "rejected"))


def rolled_up(org: Organisation) -> tuple[int, int]:
    """Events in the table, and clicks in the roll-up."""
    events = execute(org.pk, "test.events", "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID}")
    sums = execute(org.pk, "test.rollup", "SELECT sum(clicks) AS n FROM performance WHERE org_id = {org_id:UUID}")
    return events[0]["n"], sums[0]["n"]


def test_what_waits_becomes_one_batch_and_each_record_keeps_its_own_counts(org: Organisation) -> None:
    append(org, clicks(1, 2, 2))
    append(org, [*clicks(2, 3), b"nonsense"])
    append(org, clicks(3))
    drain()
    assert outcome(org) == [(2, 1, 0), (1, 1, 1), (0, 1, 0)]
    assert rolled_up(org) == (3, 3)
    with acting(SERVICE):
        assert LogRecord.objects.filter(org=org).values("batch_id").distinct().count() == 1


def test_a_batch_is_of_one_organisation_and_not_larger_than_said(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "LINES_PER_BATCH", 4)
    other, _ = create_organisation(
        actor=SERVICE, slug=f"{org.slug}-b", name="b", kind=Kind.AGENCY, admin_email="b@first.example"
    )
    for number in range(3):
        append(org, clicks(2 * number, 2 * number + 1))
        append(other, clicks(number))
    drain()
    with acting(SERVICE):
        batches = LogRecord.objects.filter(org__in=[org, other]).order_by("pk").values_list("org", "batch_id")
        mine = [batch for owner, batch in batches if owner == org.pk]
        theirs = [batch for owner, batch in batches if owner == other.pk]
    assert mine[0] == mine[1] != mine[2]
    assert len(set(theirs)) == 1
    assert not set(mine) & set(theirs)
    assert (rolled_up(org)[0], rolled_up(other)[0]) == (6, 3)


def test_an_id_is_known_to_the_same_ingestor_and_to_the_next(org: Organisation) -> None:
    with only_ingestor() as alone:
        assert alone
        for numbers in ((1, 2), (2, 3)):
            append(org, clicks(*numbers))
            alone.drain()
    append(org, clicks(3, 4))
    drain()
    assert outcome(org) == [(2, 0, 0), (1, 1, 0), (1, 1, 0)]
    assert rolled_up(org) == (4, 4)


@pytest.mark.parametrize(("most_events", "least_capacity"), [(0, 1 << 20), (100, 1)])
def test_duplicates_are_found_without_a_filter_and_when_it_is_built_anew(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, most_events: int, least_capacity: int
) -> None:
    monkeypatch.setattr(known, "MOST_EVENTS", most_events)
    monkeypatch.setattr(known, "LEAST_CAPACITY", least_capacity)
    with only_ingestor() as alone:
        assert alone
        for first in range(0, 60, 10):
            append(org, clicks(*range(first, first + 20)))
            alone.drain()
    assert outcome(org) == [(20, 0, 0)] + 5 * [(10, 10, 0)]


@pytest.fixture
def crash_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, between ClickHouse's insert and PostgreSQL's commit: the worst place there is."""
    finish = PostgresLog.finish

    def crash(*_: object, **__: object) -> None:
        monkeypatch.setattr(PostgresLog, "finish", finish)
        raise KeyboardInterrupt

    monkeypatch.setattr(PostgresLog, "finish", crash)


@pytest.mark.usefixtures("crash_before_commit")
def test_a_replay_after_a_crash_writes_nothing_twice_and_keeps_its_counts(org: Organisation) -> None:
    append(org, clicks(*range(30)))
    append(org, clicks(*range(20, 50)))
    with pytest.raises(KeyboardInterrupt):
        drain()
    assert rolled_up(org) == (50, 50)
    append(org, clicks(49, 50))
    drain()
    assert outcome(org) == [(30, 0, 0), (20, 10, 0), (1, 1, 0)]
    assert rolled_up(org) == (51, 51)


def test_a_record_that_cannot_be_decoded_fails_alone_and_may_be_taken_up_again(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = append(org, clicks(1))
    append(org, clicks(2))
    with acting(SERVICE):
        bad = bytes(LogRecord.objects.get(pk=poison).payload)
    prepare = decoding.prepare

    def fail_on_it(job: Job) -> Prepared:
        if any(one.payload == bad for one in job.records):
            raise MemoryError("too large")
        return prepare(job)

    with monkeypatch.context() as broken:
        broken.setattr(decoding, "prepare", fail_on_it)
        broken.setattr(ingestor, "prepare_apart", fail_on_it)
        drain()
    with acting(SERVICE):
        failed = LogRecord.objects.get(org=org, done_at=None)
        assert (failed.pk, failed.error) == (poison, "MemoryError: too large")
    assert rolled_up(org) == (1, 1)
    with acting(SERVICE):
        LogRecord.objects.filter(pk=poison).update(error="")
    drain()
    assert rolled_up(org) == (2, 2)


def test_a_record_that_cannot_be_written_is_passed_over_alone_and_says_why(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        append(org, clicks(number))
    write = ingestor.write

    def fail_on_it(*args: Any) -> None:
        rows = [row for one in args[3] for row in one.table.column("event_id").to_pylist()]
        if any("-c-3-" in row for row in rows):
            raise UnfitRows("too much\x00of it")
        write(*args)

    with monkeypatch.context() as broken:
        broken.setattr(ingestor, "write", fail_on_it)
        drain()
    assert outcome(org) == [(1, 0, 0)] * 3 + [(0, 0, 0), (1, 0, 0)]
    with acting(SERVICE):
        assert LogRecord.objects.get(org=org, done_at=None).error == "UnfitRows: too much\ufffdof it"
        LogRecord.objects.filter(org=org).update(error="")
    drain()
    assert rolled_up(org) == (5, 5)


@pytest.mark.parametrize("url", ["http://nobody:wrong@{}/precise", "http://{}/elsewhere"])
def test_what_is_wrong_with_the_service_is_no_records_fault(org: Organisation, settings: Any, url: str) -> None:
    """A wrong password, a database that lacks the tables: nothing is marked, and nothing passed over."""
    append(org, clicks(1))
    right = settings.CLICKHOUSE_URL
    settings.CLICKHOUSE_URL = url.format(right.rsplit("@", 1)[1].split("/")[0])
    gateway.client.cache_clear()
    try:
        with pytest.raises(DatabaseError):
            drain()
    finally:
        settings.CLICKHOUSE_URL = right
        gateway.client.cache_clear()
    with acting(SERVICE):
        assert LogRecord.objects.get(org=org).error == ""
    drain()
    assert outcome(org) == [(1, 0, 0)]


@pytest.mark.parametrize("records", [1, 2])
def test_a_decoder_that_dies_says_nothing_against_the_record(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    for number in range(records):
        append(org, clicks(number))
    deaths = iter([BrokenProcessPool("killed"), BrokenProcessPool("killed"), OSError("no memory to fork")])
    prepare = decoding.prepare

    def die(job: Job) -> Prepared:
        for error in deaths:
            raise error
        return prepare(job)

    monkeypatch.setattr(decoding, "prepare", die)
    monkeypatch.setattr(decoding, "prepare_apart", die)
    monkeypatch.setattr(ingestor, "prepare_apart", None)  # nothing is taken apart
    monkeypatch.setattr(ingestor, "PAUSES", (0.0,) * 3)
    drain()
    assert outcome(org) == [(1, 0, 0)] * records


def test_ctrl_c_to_the_whole_group_does_not_reach_a_decoder(org: Organisation) -> None:
    with decoding._processes(1) as pool:
        pid = pool.submit(os.getpid).result()
        os.kill(pid, signal.SIGINT)
        assert pool.submit(os.getpid).result() == pid


def test_files_and_what_arrives_live_take_turns(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waits for all of the other: nor is the edge's door closed by files."""
    monkeypatch.setattr(interface, "RECORDS_PER_BATCH", 1)
    drain()
    for number in range(3):
        with acting(SERVICE):
            store.append(Portion(org.pk, "file/a", clicks(number)), import_id=uuid4())
    for number in range(3, 6):
        append(org, clicks(number))
    with acting(SERVICE):
        assert (store.waiting_lines(), store.waiting_lines(live=True)) == (6, 3)
        log, claimed = PostgresLog(), []
        while (batch_id := log.claim()) is not None:
            claimed.append(log.records_of(batch_id)[0].source)
        log.release()
    assert claimed == ["test", "file/a"] * 3
    drain()
    assert rolled_up(org) == (6, 6)


def test_what_another_ingestor_claimed_meanwhile_stays_its_own(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain()
    append(org, clicks(1))
    successors = uuid4()
    that_fit = postgres._that_fit

    def claim_first(waiting: Any) -> Any:
        taken = list(that_fit(waiting))
        LogRecord.objects.filter(pk__in=[pk for pk, _ in taken]).update(batch_id=successors)
        return iter(taken)

    monkeypatch.setattr(postgres, "_that_fit", claim_first)
    with pytest.raises(interface.LockLost), acting(SERVICE):
        PostgresLog().claim()
    monkeypatch.undo()
    drain()
    assert outcome(org) == [(1, 0, 0)]


def test_a_service_that_does_not_answer_is_waited_for(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    append(org, clicks(1))
    monkeypatch.setattr(ingestor, "PAUSES", (0.0,))
    monkeypatch.setattr(ingestor, "LONGEST_PAUSE", 0.0)
    failures = iter([Unavailable("away"), OperationalError("away"), Unavailable("away")])
    write = ingestor.write

    def flaky(*args: Any) -> None:
        for error in failures:
            raise error
        write(*args)

    monkeypatch.setattr(ingestor, "write", flaky)
    with only_ingestor(patient=True) as alone:
        assert alone
        alone.drain()
    assert outcome(org) == [(1, 0, 0)]


def test_the_impatient_give_up_and_leave_the_batch_to_the_next(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(org, clicks(1))
    monkeypatch.setattr(ingestor, "PAUSES", (0.0,))
    with monkeypatch.context() as broken:
        broken.setattr(ingestor, "write", lambda *_: raise_(Unavailable("away")))
        with pytest.raises(Unavailable):
            drain()
    assert outcome(org) == [(0, 0, 0)]
    drain()
    assert outcome(org) == [(1, 0, 0)]


def raise_(error: Exception) -> None:
    raise error


def test_who_lost_the_lock_writes_nothing(org: Organisation) -> None:
    append(org, clicks(1))
    with only_ingestor() as alone:
        assert alone
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock.KEY])
        with pytest.raises(interface.LockLost):
            alone.drain()
    assert rolled_up(org) == (0, 0)
    drain()
    assert rolled_up(org) == (1, 1)


def test_there_is_one_ingestor_at_a_time() -> None:
    with only_ingestor() as first, ThreadPoolExecutor(1) as elsewhere:
        assert first
        assert elsewhere.submit(is_free).result() is False
    with ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(is_free).result() is True


def is_free() -> bool:
    """In a thread, hence on a connection, of its own."""
    try:
        with only_ingestor() as alone:
            return alone is not None
    finally:
        connection.close()


def test_what_was_done_can_be_done_again_from_the_log(org: Organisation) -> None:
    """As after a loss of the warehouse, here of nothing: no row twice, no line in quarantine twice."""
    append(org, [*clicks(1, 2), b"nonsense"])
    drain()
    with acting(SERVICE):
        LogRecord.objects.filter(org=org).update(done_at=None, batch_id=None)
    drain()
    assert rolled_up(org) == (2, 2)
    assert outcome(org) == [(0, 2, 1)]
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.count() == 1


@pytest.fixture
def ingestor_process() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start_ingestor(started: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_ingestor"],
        cwd=REPOSITORY,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started.append(process)
    return process


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_kill_9_in_the_middle_loses_and_doubles_nothing(
    org: Organisation, ingestor_process: list[subprocess.Popen[bytes]]
) -> None:
    """Killed once it has claimed a batch, and again once its rows begin to arrive; the third one ends the work."""
    for first in range(0, 12_000, 200):
        append(org, clicks(*range(first, first + 250)))

    def records(**having: object) -> int:
        with acting(SERVICE):
            return int(LogRecord.objects.filter(org=org, **having).count())

    for moment in (lambda: records(batch_id__isnull=False), lambda: rolled_up(org)[0]):
        process = start_ingestor(ingestor_process)
        eventually(moment, "the ingestor does nothing")
        helpers = children_of(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        eventually(lambda pids=helpers: not any(map(is_running, pids)), "its decoders live on")
    start_ingestor(ingestor_process)
    eventually(lambda: records(done_at__isnull=False) == 60, "the log is not empty")
    assert rolled_up(org) == (12_050, 12_050)
    counts = outcome(org)
    assert sum(accepted for accepted, _, _ in counts) == 12_050
    assert sum(duplicate for _, duplicate, _ in counts) == 60 * 250 - 12_050


def test_rejected_lines_of_two_records_keep_their_places(org: Organisation) -> None:
    append(org, [b"x", *clicks(1), b"y"])
    append(org, [b"z"])
    drain()
    with acting(SERVICE), in_schema_of(org):
        kept = QuarantinedLine.objects.order_by("record_id", "position").values_list("position", "line")
        assert list(kept) == [(1, "x"), (3, "y"), (1, "z")]
