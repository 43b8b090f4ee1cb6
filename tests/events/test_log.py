"""What the ingest log promises, in PostgreSQL and on Kafka alike."""

import asyncio
import base64
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from apps.common.errors import Unavailable
from apps.events import decoding, importing, ingestor
from apps.events.actions import replay_quarantined
from apps.events.edge.committing import GroupCommit
from apps.events.edge.judging import judge_all
from apps.events.formats.registry import get_format
from apps.events.ingestor import only_ingestor
from apps.events.log import chosen, interface
from apps.events.log.interface import EventLog, NotKept, Portion
from apps.events.log.kafka import producing
from apps.events.log.kafka.log import KafkaLog
from apps.events.log.models import KafkaBatch, KafkaPartition, LogRecord
from apps.events.models import FileImport, QuarantinedLine, SourceHour
from apps.events.preparing import Job, Prepared
from apps.orgs.models import Kind
from apps.orgs.public import (
    SERVICE,
    Organisation,
    Scope,
    acting,
    create_api_key,
    create_organisation,
    in_schema_of,
)
from apps.warehouse.public import execute
from tests.config.launcher import eventually
from tests.support import loop
from tests.support.kafka import MockCluster
from tests.support.site import Site
from tests.support.world import YESTERDAY_NOON, event

pytestmark = pytest.mark.usefixtures("committed")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    made = MockCluster()
    yield made
    made.stop()


@pytest.fixture(params=["postgres", "kafka"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    yield from choose(request, monkeypatch, request.param)


@pytest.fixture
def kafka(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    yield from choose(request, monkeypatch, "kafka")


def choose(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch, name: str) -> Iterator[EventLog]:
    """The log that everything in this process writes to and reads from, for one test."""
    url = "postgres:" if name == "postgres" else request.getfixturevalue("cluster").new_address()
    patch.setattr(settings, "EVENT_LOG_URL", url)
    chosen.event_log.cache_clear()
    yield chosen.event_log()
    chosen.event_log().close()
    chosen.event_log.cache_clear()


@pytest.fixture
def org() -> Organisation:
    return new_org()


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


def waiting(org: Organisation | None = None) -> int:
    with acting(SERVICE):
        return chosen.event_log().waiting_lines(org and org.pk)


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


def test_what_any_door_keeps_arrives_and_is_counted(log: EventLog, org: Organisation) -> None:
    keep(Portion(org.pk, "api/a", clicks(1, 2)), Portion(org.pk, "pixel/b", [*clicks(2, 3), b"nonsense"]))
    append(org, clicks(3, 4))
    assert waiting() > 0
    drain()
    assert stored(org) == 4
    assert counted(org) == Counts(accepted=4, duplicate=2, rejected=1)
    assert waiting(org) == 0
    with acting(SERVICE), in_schema_of(org):
        assert set(SourceHour.objects.values_list("source", flat=True)) == {"api/a", "pixel/b", "test"}


def test_each_organisation_has_its_own(log: EventLog, org: Organisation) -> None:
    other = new_org()
    keep(Portion(org.pk, "api/a", clicks(1, 2)), Portion(other.pk, "api/b", clicks(1)))
    drain()
    assert (stored(org), stored(other)) == (2, 1)
    assert not batches(org) & batches(other)


def test_a_batch_is_not_larger_than_said(log: EventLog, org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (interface, sys.modules["apps.events.log.kafka.reading"]):
        monkeypatch.setattr(module, "LINES_PER_BATCH", 4)
    for number in range(4):
        append(org, clicks(2 * number, 2 * number + 1))
    drain()
    assert stored(org) == 8
    assert len(batches(org)) == 2


def test_a_file_is_counted_to_its_end(log: EventLog, org: Organisation) -> None:
    imported = import_lines(org, [*clicks(1, 2, 2), b"nonsense"])
    with acting(SERVICE):
        before = log.progress(imported.import_id, imported.started_at)
    assert (before["line_count"], before["done"]) == (4, 0)
    drain()
    with acting(SERVICE), in_schema_of(org):
        run = FileImport.objects.get(pk=imported.import_id)
        assert QuarantinedLine.objects.get().position == 4
    assert (run.read, run.accepted, run.duplicate, run.rejected) == (4, 2, 1, 1)
    assert run.finished_at is not None
    with acting(SERVICE):
        after = log.progress(imported.import_id)
    assert (after["line_count"], after["done"], after["failed"]) == (4, 4, 0)


def test_a_file_that_breaks_off_leaves_nothing(
    log: EventLog, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LINES_PER_RECORD": 2}.items():
        monkeypatch.setattr(importing.store, name, value)

    class Breaking(BytesIO):
        def readinto(self, buffer: Any) -> int:
            if self.tell():
                raise OSError("the connection was lost")
            return super().readinto(buffer)

    with pytest.raises(OSError, match="lost"):
        importing.import_stream(
            org=org, raw=Breaking(b"\n".join(clicks(*range(20_000)))), name="a.ndjson",
            file_format=get_format("ndjson"), history=False,
        )  # fmt: skip
    drain()
    assert stored(org) == 0
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.exists()


def test_a_large_record_is_whole_and_keeps_its_places(log: EventLog, org: Organisation) -> None:
    """On Kafka it is several messages, none larger than a broker takes."""
    long = [json.dumps({"event_type": "click", "timestamp": YESTERDAY_NOON.isoformat(), "event_id": str(n),
                        "properties": {"note": os.urandom(150_000).hex()}}).encode() for n in range(5)]  # fmt: skip
    append(org, [*long, b"nonsense"])
    drain()
    assert stored(org) == 5
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.get().position == 6


def test_a_line_that_is_far_too_long_takes_nobody_with_it(log: EventLog, org: Organisation) -> None:
    """What cannot be packed, either: it goes to quarantine as far as it shows why, and beside it all is kept."""
    other, key = new_org(), b"k" * 32
    long = b'{"event_type":"click","note":"' + base64.b64encode(os.urandom(9_000_000)) + b'"}'

    async def send_together() -> list[object]:
        commits, (bad, good) = GroupCommit(), (list(judge_all([one], key)) for one in (long, clicks(1)[0]))
        together = [
            commits.keep(org.pk, "api/a", [one.line for one in [*bad, *good]]),
            commits.keep(other.pk, "api/b", [one.line for one in good]),
        ]
        return list(await asyncio.gather(*together, return_exceptions=True))

    assert loop.run(send_together()) == [None, None]
    drain()
    assert (stored(org), stored(other)) == (1, 1)
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.get().code == "line_too_long"


def test_what_the_log_says_is_too_large_is_refused_and_not_to_be_repeated(kafka: EventLog, org: Organisation) -> None:
    with pytest.raises(NotKept) as refused:
        keep(Portion(org.pk, "api/a", [os.urandom(2_000_000)]))
    assert refused.value.is_refused


def crash_once(monkeypatch: pytest.MonkeyPatch, log: EventLog, step: str) -> None:
    original = getattr(type(log), step)

    def crash(*_: object, **__: object) -> None:
        monkeypatch.setattr(type(log), step, original)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(log), step, crash)


@pytest.mark.parametrize("step", ["finish", "lock", "records_of"])
def test_a_crash_at_any_step_writes_nothing_twice_and_loses_nothing(
    log: EventLog, org: Organisation, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    keep(Portion(org.pk, "api/a", clicks(*range(30))))
    append(org, clicks(*range(20, 50)))
    crash_once(monkeypatch, log, step)
    with pytest.raises(KeyboardInterrupt):
        drain()
    before = batches(org)
    chosen.event_log().close()
    chosen.event_log.cache_clear()  # the next is a process of its own
    append(org, clicks(49, 50))
    drain()
    assert stored(org) == 51
    assert counted(org) == Counts(accepted=51, duplicate=11, rejected=0)
    assert before <= batches(org)
    assert waiting() == 0


def test_a_released_batch_is_done_under_another_id(
    log: EventLog, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(org, clicks(1, 2))
    crash_once(monkeypatch, log, "finish")
    with pytest.raises(KeyboardInterrupt):
        drain()
    with acting(SERVICE):
        log.release()
    drain()
    assert stored(org) == 2
    assert counted(org) == Counts(accepted=0, duplicate=2, rejected=0)


def test_a_record_that_fails_does_so_alone_and_may_be_taken_up_again(
    log: EventLog, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = import_lines(org, clicks(1))
    append(org, clicks(2))
    prepare = decoding.prepare

    def fail_on_it(job: Job) -> Prepared:
        if len(job.records) > 1 or is_first(job):
            raise MemoryError("too large")
        return prepare(job)

    def is_first(job: Job) -> bool:
        rows = prepare(job).table.column("event_id").to_pylist()
        return any("golden-click-hulu-c-1-" in one for one in rows)

    with monkeypatch.context() as broken:
        broken.setattr(decoding, "prepare", fail_on_it)
        broken.setattr(ingestor, "prepare_apart", fail_on_it)
        drain()
        drain()
    assert stored(org) == 1
    with acting(SERVICE):
        failed = LogRecord.objects.get(org=org, done_at=None)
        assert failed.error == "MemoryError: too large"
        assert log.progress(imported.import_id)["failed"] == 1
        LogRecord.objects.filter(pk=failed.pk).update(error="")
    drain()
    assert stored(org) == 2
    assert counted(org) == Counts(accepted=2, duplicate=0, rejected=0)
    with acting(SERVICE), in_schema_of(org):
        assert FileImport.objects.get(pk=imported.import_id).finished_at is not None


def test_a_batch_may_be_brought_to_its_end_in_parts(log: EventLog, org: Organisation) -> None:
    keep(Portion(org.pk, "api/a", clicks(1)), Portion(org.pk, "api/b", clicks(2)))
    with only_ingestor(), acting(SERVICE):
        log.unfinished()
        batch_id = log.claim()
        assert batch_id is not None
        first, second = log.records_of(batch_id)
        assert log.lock([first])
        log.finish([first])
        assert not log.lock([first])
        assert log.lock([second])
        assert [one.pk for one in log.records_of(batch_id)] == [second.pk]
    drain()
    assert stored(org) == 1


def test_lines_leave_quarantine_through_the_log(log: EventLog, org: Organisation) -> None:
    append(org, [b"nonsense", *clicks(1)])
    drain()
    with acting(SERVICE), in_schema_of(org):
        code = QuarantinedLine.objects.get().code
        assert replay_quarantined(actor=SERVICE, org=org, code=code) == 1
        assert not QuarantinedLine.objects.exists()
    drain()
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.count() == 1


def start_ingestor() -> "subprocess.Popen[bytes]":
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "EVENT_LOG_URL": settings.EVENT_LOG_URL}
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_ingestor"], cwd=REPOSITORY, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_kill_9_of_the_ingestor_on_kafka_loses_and_doubles_nothing(kafka: EventLog, org: Organisation) -> None:
    """Killed once it has claimed something, and once rows begin to arrive; the third one ends the work."""
    total = 6_000
    for first in range(0, total, 500):
        keep(*(Portion(org.pk, f"api/{n}", clicks(*range(n, n + 60))) for n in range(first, first + 500, 50)))

    def claimed() -> bool:
        with acting(SERVICE):
            return KafkaBatch.objects.filter(org=org).exists()

    for moment in (claimed, lambda: stored(org)):
        process = start_ingestor()
        try:
            eventually(moment, "the ingestor does nothing")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    process = start_ingestor()
    try:
        eventually(lambda: waiting() == 0, "the log is not empty")
    finally:
        process.terminate()
        process.wait()
    assert stored(org) == total + 10
    assert counted(org) == Counts(accepted=total + 10, duplicate=total // 50 * 60 - total - 10, rejected=0)


def test_what_the_edge_acknowledged_on_kafka_outlives_it(kafka: EventLog, org: Organisation) -> None:
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="test", scopes=[Scope.WRITE_EVENTS])
    with Site(EVENT_LOG_URL=settings.EVENT_LOG_URL) as site:
        body = b"[" + b",".join(clicks(*range(50))) + b"]"
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        connection.request("POST", "/api/v1/events/batch", body, {"X-API-Key": key})
        assert connection.getresponse().status == 202
        site.kill()
    drain()
    assert stored(org) == 50
    assert counted(org) == Counts(accepted=50, duplicate=0, rejected=0)


def test_kafka_is_told_how_far_it_was_read(kafka: KafkaLog, org: Organisation) -> None:
    append(org, clicks(1, 2))
    drain()
    with acting(SERVICE):
        rows = KafkaPartition.objects.filter(topic=settings.EVENT_LOG_URL.rsplit("/", 1)[1])
        assert sum(row.next_offset > 0 for row in rows) == 1


def test_brokers_that_are_away_keep_nothing_and_say_so(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EVENT_LOG_URL", "kafka://127.0.0.1:1/away")
    monkeypatch.setattr(producing, "PATIENCE", 1.0)
    monkeypatch.setattr(producing, "TRANSACTION_PATIENCE", 1.0)
    chosen.event_log.cache_clear()
    try:
        with pytest.raises(NotKept):
            keep(Portion(org.pk, "api/a", clicks(1)))
        with pytest.raises(Unavailable, match="nothing of it was kept"):
            import_lines(org, clicks(1))
    finally:
        chosen.event_log.cache_clear()
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.exists()


def test_strange_messages_hold_nobody_up(kafka: EventLog, org: Organisation, cluster: MockCluster) -> None:
    keep(Portion(uuid4(), "api/gone", clicks(1)), Portion(org.pk, "api/a", clicks(1)))
    from confluent_kafka import Producer

    foreign = Producer({"bootstrap.servers": cluster.brokers})
    foreign.produce(settings.EVENT_LOG_URL.rsplit("/", 1)[1], b"hello", key=org.pk.bytes)
    foreign.flush(10)
    drain()
    assert stored(org) == 1
    assert waiting() == 0


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("mysql://x", "must be postgres: or start with"),
        ("kafka://host:9092", "must be like"),
        ("kafka://user:secret@host/topic", "sasl.username"),
        ("kafka://host/topic?acks=0&sasl.password=secret", "acks"),
    ],
)
def test_a_wrong_address_is_explained_without_its_secrets(url: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint) as refused:
        chosen.open_log(url)
    assert "secret" not in str(refused.value)
