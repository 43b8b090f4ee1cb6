"""Files of watched folders are taken up once, whatever happens to their worker."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from apps.common.errors import Conflict
from apps.events.log.models import LogRecord
from apps.events.models import FileImport, WatchedFile, WatchedSource
from apps.events.watched import actions, looking
from apps.events.watched.looking import Look, look
from apps.orgs.models import Organisation
from tests.config.launcher import eventually
from tests.support.watched import Clock, admin_of, entered, events, ledger, lines, looked, put

pytestmark = pytest.mark.usefixtures("committed")

REPOSITORY = Path(__file__).resolve().parents[3]


State = WatchedFile.State


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
