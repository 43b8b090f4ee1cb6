"""The import by the worker, and the ends it may come to."""

import gzip
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.common.errors import Unavailable
from apps.events import tasks
from apps.events.models import FileImport, QuarantinedLine, Upload, UploadState
from apps.events.uploads import queue, running
from apps.events.uploads.lock import import_lock
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.support.uploads import (
    cancel_elsewhere,
    imported,
    kept,
    lines,
    page,
    records_of,
    start,
    upload,
)

pytestmark = pytest.mark.usefixtures("committed", "no_queue")


def test_an_import_counts_what_came_of_it(org: Organisation, admin: Client) -> None:
    good = lines(1, 2)
    upload_id = imported(admin, org, good + good + lines(3, event_type="clack"))
    found = kept(org, upload_id)
    assert found.state == UploadState.IMPORTED
    assert "Being processed" in admin.get(f"/o/{org.slug}/files/").content.decode()
    drain()
    with acting(SERVICE), in_schema_of(org):
        run = FileImport.objects.get(pk=found.import_id)
        assert (run.name, run.read, run.accepted, run.duplicate, run.rejected) == ("events.ndjson", 5, 2, 2, 1)
        assert QuarantinedLine.objects.filter(import_id=run.pk).count() == 1
        trail = set(AuditEntry.objects.filter(org=org).values_list("action", flat=True))
    assert {"events.file_uploaded", "events.file_import_started", "events.imported"} <= trail
    shown = page(admin, org, upload_id)
    assert "unknown_event_type" in shown
    assert "Go to quarantine" in shown
    assert start(admin, org, upload_id).status_code == 409


def test_a_file_that_is_refused_leaves_nothing_and_may_be_tried_again(org: Organisation, admin: Client) -> None:
    before = records_of(org)
    upload_id = upload(admin, org, b"path;total_conversions;total_conversion_value;total_null\na > b;x;1;0\n", "p.csv")
    assert kept(org, upload_id).format == "paths"
    start(admin, org, upload_id, "paths")
    running.run_import(org, upload_id)
    shown = page(admin, org, upload_id)
    assert "Line 2: conversions, value and nulls must be numbers." in shown
    assert records_of(org) == before
    assert start(admin, org, upload_id, "paths").status_code == 302
    assert kept(org, upload_id).state == UploadState.QUEUED


def test_a_waiting_import_is_cancelled_at_once(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    start(admin, org, upload_id)
    assert "Waiting for its turn" in page(admin, org, upload_id)
    admin.post(f"/o/{org.slug}/files/{upload_id}/cancel/")
    assert kept(org, upload_id).state == UploadState.CANCELLED
    running.run_import(org, upload_id)
    assert kept(org, upload_id).state == UploadState.CANCELLED
    assert admin.post(f"/o/{org.slug}/files/{upload_id}/cancel/").status_code == 409


def test_a_running_import_stops_in_the_middle_and_keeps_nothing(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, upload_id = records_of(org), upload(admin, org, lines(*range(12_000)))
    start(admin, org, upload_id)
    monkeypatch.setattr(running, "TELL_EVERY", 0.0)
    told: list[int] = []
    original = cache.set

    def press_cancel(key: str, value: Any, *rest: Any) -> None:
        original(key, value, *rest)
        if value.lines == 5_000:
            told.append(value.lines)
            thread = threading.Thread(target=cancel_elsewhere, args=(admin, org, upload_id))
            thread.start()
            thread.join()

    monkeypatch.setattr(cache, "set", press_cancel)
    running.run_import(org, upload_id)
    assert told == [5_000]
    assert kept(org, upload_id).state == UploadState.CANCELLED
    assert records_of(org) == before
    assert "The import was cancelled" in page(admin, org, upload_id)


def test_a_worker_that_was_killed_leaves_an_import_that_stopped(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    start(admin, org, upload_id)
    with acting(SERVICE), in_schema_of(org):
        # What a worker writes first. Its lock died with it.
        Upload.objects.filter(pk=upload_id).update(state=UploadState.IMPORTING)
    assert "The import stopped in the middle" in page(admin, org, upload_id)
    assert "Stopped" in admin.get(f"/o/{org.slug}/files/").content.decode()
    assert start(admin, org, upload_id).status_code == 302
    running.run_import(org, upload_id)
    assert kept(org, upload_id).state == UploadState.IMPORTED


def test_one_worker_has_it_at_a_time(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    start(admin, org, upload_id)
    outcome: list[str] = []

    def run_elsewhere() -> None:
        running.run_import(org, upload_id)
        outcome.append(kept(org, upload_id).state)
        connection.close()

    with import_lock(upload_id) as is_ours:
        assert is_ours
        thread = threading.Thread(target=run_elsewhere)
        thread.start()
        thread.join()
    assert outcome == [UploadState.QUEUED]


def test_an_import_whose_message_was_lost_is_sent_again(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = upload(admin, org, lines(1))
    start(admin, org, upload_id)
    sent: list[tuple[UUID, UUID]] = []
    monkeypatch.setattr(tasks, "send_import", lambda *ids, again: sent.append(ids))
    tasks.resume_uploads()
    assert (org.pk, upload_id) not in sent  # its own message is on its way
    wait(org, upload_id, minutes=2)
    sent.clear()
    assert tasks.resume_uploads() == len(sent)
    assert sent.count((org.pk, upload_id)) == 1
    running.run_import(org, upload_id)
    sent.clear()
    tasks.resume_uploads()
    assert (org.pk, upload_id) not in sent


def wait(org: Organisation, upload_id: UUID, *, minutes: int) -> None:
    with acting(SERVICE), in_schema_of(org):
        Upload.objects.filter(pk=upload_id).update(changed_at=timezone.now() - timedelta(minutes=minutes))


def test_while_a_service_is_away_an_import_waits_ever_longer(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, upload_id = records_of(org), upload(admin, org, lines(1))
    start(admin, org, upload_id)
    for tries, pause in enumerate((5, 15, 60, 60), start=1):
        with monkeypatch.context() as away:
            away.setattr(running, "open_file", cannot)
            running.run_import(org, upload_id)
        found = kept(org, upload_id)
        assert (found.state, found.tries, found.error) == (UploadState.QUEUED, tries, "The disk does not answer.")
        assert "The disk does not answer. It is tried again by itself" in page(admin, org, upload_id)
        wait(org, upload_id, minutes=pause - 1)
        assert (org.pk, upload_id) not in queue.waiting_imports()
        wait(org, upload_id, minutes=pause + 1)
        assert (org.pk, upload_id) in queue.waiting_imports()
    assert records_of(org) == before
    running.run_import(org, upload_id)
    assert (kept(org, upload_id).state, kept(org, upload_id).error) == (UploadState.IMPORTED, "")


def cannot(path: Path) -> Any:
    raise Unavailable("The disk does not answer.")


def test_what_unpacks_without_end_is_stopped(org: Organisation, admin: Client, settings: Any) -> None:
    before = records_of(org)
    upload_id = upload(admin, org, gzip.compress(lines(1) + b"\n" * 5_000_000))
    settings.UPLOAD_MOST_BYTES = 20_000
    start(admin, org, upload_id)
    running.run_import(org, upload_id)
    assert "unpacks to far more" in kept(org, upload_id).error
    assert records_of(org) == before


def test_events_of_an_upload_reach_the_warehouse(org: Organisation, admin: Client) -> None:
    imported(admin, org, gzip.compress(lines(1, 2, 3, session_id="of-the-upload")))
    drain()
    sql = "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID} AND session_id = 'of-the-upload'"
    assert execute(org.pk, "test.upload", sql) == [{"n": 3}]
