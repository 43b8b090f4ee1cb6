"""What the ingest log promises, in PostgreSQL and on Kafka alike."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from apps.events import decoding, importing, ingestor
from apps.events.actions import replay_quarantined
from apps.events.edge.committing import GroupCommit
from apps.events.edge.judging import judge_all
from apps.events.formats.registry import get_format
from apps.events.ingestor import only_ingestor
from apps.events.log import chosen, interface
from apps.events.log.interface import EventLog, Portion
from apps.events.log.models import LogRecord
from apps.events.models import FileImport, QuarantinedLine, SourceHour
from apps.events.preparing import Job, Prepared
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of
from tests.support import loop
from tests.support.logs import (
    Counts,
    append,
    batches,
    choose,
    clicks,
    counted,
    drain,
    import_lines,
    keep,
    new_org,
    stored,
    waiting,
)  # fmt: skip
from tests.support.world import YESTERDAY_NOON

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(params=["postgres", "kafka"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    yield from choose(request.param, request, monkeypatch)


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
    assert (waiting() > 0, waiting(live=True)) == (True, 0)
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
