"""Uploads: bytes in pieces, a look at the file, its import by the worker, and the ends it may come to."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.public import User
from apps.common.errors import Conflict, Unavailable
from apps.events import tasks
from apps.events.log.models import LogRecord
from apps.events.models import FileImport, QuarantinedLine, Upload, UploadState
from apps.events.uploads import queue, running, storage
from apps.events.uploads.actions import clean_name, receive_bytes
from apps.events.uploads.lock import import_lock
from apps.orgs.models import AuditEntry, Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.support.world import YESTERDAY_NOON, event

pytestmark = pytest.mark.usefixtures("committed", "no_queue")
PIECE = "application/offset+octet-stream"
TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}


@pytest.fixture
def no_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    """Tests run the task themselves, where they want it."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(queue, "send_import", lambda *ids, **options: None)


@pytest.fixture(scope="module")
def org(django_db_setup: None, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        return made_org()


def made_org() -> Organisation:
    slug = f"upload-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


@pytest.fixture
def admin(org: Organisation) -> Client:
    return signed_in(org)


def signed_in(org: Organisation) -> Client:
    """Its first admin."""
    client = Client()
    user = User.objects.get(email=f"{org.slug}@first.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def lines(*numbers: int, **fields: Any) -> bytes:
    name = uuid4().hex
    made = [event("click", YESTERDAY_NOON, platform="hulu", campaign="c") for _ in numbers]
    return b"".join(
        json.dumps({**one, "event_id": f"{name}-{number}", **fields}).encode() + b"\n"
        for one, number in zip(made, numbers, strict=True)
    )


def create(client: Client, org: Organisation, size: int | str, name: str = "events.ndjson", **headers: str) -> Any:
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    sent = {"HTTP_UPLOAD_LENGTH": str(size), "HTTP_UPLOAD_METADATA": metadata, **TUS, **headers}
    return client.post(f"/o/{org.slug}/files/new/", **sent)


def patch(client: Client, url: str, body: bytes, offset: int | str, kind: str = PIECE) -> Any:
    return client.patch(url, body, content_type=kind, HTTP_UPLOAD_OFFSET=str(offset), **TUS)


def upload(client: Client, org: Organisation, body: bytes, name: str = "events.ndjson") -> UUID:
    url = create(client, org, len(body), name)["Location"]
    assert patch(client, url, body, 0).status_code == 204
    return UUID(url.split("/")[-3])


def kept(org: Organisation, upload_id: UUID) -> Upload:
    with acting(SERVICE), in_schema_of(org):
        return Upload.objects.get(pk=upload_id)


def page(client: Client, org: Organisation, upload_id: UUID, **query: str) -> str:
    return client.get(f"/o/{org.slug}/files/{upload_id}/", query).content.decode()


def start(client: Client, org: Organisation, upload_id: UUID, format_name: str = "ndjson", **options: str) -> Any:
    return client.post(f"/o/{org.slug}/files/{upload_id}/import/", {"format": format_name, **options})


def imported(client: Client, org: Organisation, body: bytes, name: str = "events.ndjson", **options: str) -> UUID:
    upload_id = upload(client, org, body, name)
    start(client, org, upload_id, kept(org, upload_id).format, **options)
    running.run_import(org, upload_id)
    return upload_id


def records_of(org: Organisation) -> int:
    with acting(SERVICE):
        return LogRecord.objects.filter(org=org).count()


# -- Bytes


def test_bytes_arrive_in_pieces_and_go_on_where_they_stopped(org: Organisation, admin: Client) -> None:
    body = lines(1, 2, 3)
    created = create(admin, org, len(body))
    assert created.status_code == 201
    url = created["Location"]
    assert patch(admin, url, body[:100], 0)["Upload-Offset"] == "100"
    told = admin.head(url, **TUS)
    assert (told["Upload-Offset"], told["Upload-Length"]) == ("100", str(len(body)))
    assert told["Cache-Control"] == "no-store"
    assert patch(admin, url, body[100:], 100)["Upload-Offset"] == str(len(body))
    upload_id = UUID(url.split("/")[-3])
    found = kept(org, upload_id)
    assert (found.state, found.format, found.lines, found.lines_exact) == ("ready", "ndjson", 3, True)
    assert storage.path_of(org.pk, upload_id).read_bytes() == body


def test_a_wrong_offset_is_a_conflict_and_changes_nothing(org: Organisation, admin: Client) -> None:
    body = lines(1)
    url = create(admin, org, len(body))["Location"]
    patch(admin, url, body[:10], 0)
    assert patch(admin, url, body[20:], 20).status_code == 409
    assert patch(admin, url, body[:10], 0).status_code == 409
    assert admin.head(url, **TUS)["Upload-Offset"] == "10"
    assert patch(admin, url, body[10:], 10).status_code == 204
    assert patch(admin, url, b"more", len(body)).status_code == 409


def test_what_was_written_but_never_told_is_written_again(org: Organisation, admin: Client) -> None:
    body = lines(1)
    url = create(admin, org, len(body))["Location"]
    patch(admin, url, body[:10], 0)
    path = storage.path_of(org.pk, UUID(url.split("/")[-3]))
    path.write_bytes(body[:10] + b"left by a request that was cut off")
    assert patch(admin, url, body[10:], 10).status_code == 204
    assert path.read_bytes() == body


def test_bytes_that_the_disk_lost_are_asked_for_again(org: Organisation, admin: Client) -> None:
    body = lines(1)
    url = create(admin, org, len(body))["Location"]
    patch(admin, url, body[:50], 0)
    storage.path_of(org.pk, UUID(url.split("/")[-3])).write_bytes(body[:20])
    assert admin.head(url, **TUS)["Upload-Offset"] == "20"
    assert patch(admin, url, body[20:], 20).status_code == 204


def test_of_two_who_send_the_same_bytes_at_once_one_wins(org: Organisation, admin: Client) -> None:
    body = lines(1, 2, 3)
    upload_id = UUID(create(admin, org, len(body))["Location"].split("/")[-3])
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def send() -> None:
        together.wait()
        try:
            with acting(SERVICE), in_schema_of(org):
                sender = Anyone()
                receive_bytes(actor=sender, org=org, upload_id=upload_id, offset=0, body=BytesIO(body[:200]))  # type: ignore[arg-type]
            outcomes.append("kept")
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "wrong_offset"]
    assert kept(org, upload_id).received == 200


class Anyone:
    """An actor who may do everything."""

    user_id = None
    audit_name = "test"

    def may(self, permission: object, org_id: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("size", "headers", "status", "says"),
    [
        (100_000_001, {}, 413, "at most 100 MB are taken"),
        (0, {}, 400, "The file is empty"),
        ("", {}, 400, "Upload-Length must be a number"),
        ("-1", {}, 400, "Upload-Length must be a number"),
        ("٣", {}, 400, "Upload-Length must be a number"),
        (10, {"HTTP_TUS_RESUMABLE": "0.2"}, 412, "Tus-Resumable: 1.0.0"),
        (10, {"HTTP_UPLOAD_METADATA": "filename ***"}, 400, "base64"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_before_a_byte_is_sent(
    size: int | str, headers: dict[str, str], status: int, says: str, org: Organisation, admin: Client
) -> None:
    answer = create(admin, org, size, **headers)
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")


def test_pieces_that_are_none_are_refused(org: Organisation, admin: Client) -> None:
    url = create(admin, org, 10)["Location"]
    assert patch(admin, url, b"12345", 0, kind="text/csv").status_code == 415
    assert admin.generic("PATCH", url, b"12345", content_type="", HTTP_UPLOAD_OFFSET="0", **TUS).status_code == 415
    assert patch(admin, url, b"12345", "").status_code == 400
    assert patch(admin, url, b"12345678901", 0).status_code == 413
    assert admin.head(url, **TUS)["Upload-Offset"] == "0"


def test_an_upload_may_be_given_up(org: Organisation, admin: Client) -> None:
    url = create(admin, org, 10)["Location"]
    patch(admin, url, b"12345", 0)
    path = storage.path_of(org.pk, UUID(url.split("/")[-3]))
    assert path.exists()
    assert admin.delete(url, **TUS).status_code == 204
    assert not path.exists()
    assert admin.head(url, **TUS).status_code == 404


def test_the_protocol_tells_what_it_can(org: Organisation, admin: Client) -> None:
    told = admin.options(f"/o/{org.slug}/files/new/")
    assert (told["Tus-Version"], told["Tus-Extension"]) == ("1.0.0", "creation,termination")
    assert told["Tus-Max-Size"] == str(django_settings.UPLOAD_MOST_BYTES)


def test_a_request_of_another_site_is_refused(org: Organisation) -> None:
    client = Client(enforce_csrf_checks=True)
    user = User.objects.get(email=f"{org.slug}@first.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert create(client, org, 10).status_code == 403


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\reports\\november.csv", "november.csv"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\x1b[31m\u202egnp.csv", "ab[31mgnp.csv"),
        ("x" * 300 + ".csv", "x" * 251 + ".csv"),
        ("Bericht Köln 📈.csv", "Bericht Köln 📈.csv"),
    ],
)
def test_names_are_shown_and_never_used(told: str, shown: str) -> None:
    assert clean_name(told) == shown


def test_a_plain_form_uploads_in_one_go(org: Organisation, admin: Client) -> None:
    body = lines(1, 2)
    sent = {"file": SimpleUploadedFile("plain.ndjson", body)}
    answer = admin.post(f"/o/{org.slug}/files/send/", sent, follow=True)
    assert "plain.ndjson" in answer.content.decode()
    assert "Import 2 lines" in answer.content.decode()
    assert admin.post(f"/o/{org.slug}/files/send/").status_code == 400
    empty = admin.post(f"/o/{org.slug}/files/send/", {"file": SimpleUploadedFile("none.csv", b"")})
    assert (empty.status_code, "The file is empty" in empty.content.decode()) == (400, True)


# -- The look


def test_the_preview_shows_events_without_personal_data(org: Organisation, admin: Client) -> None:
    body = lines(1, properties={"email": "someone@mail.example", "ip": "203.0.113.9"}) + lines(2, event_type="clack")
    shown = page(admin, org, upload(admin, org, body))
    assert "Recognised as: canonical events" in shown
    assert "someone@mail.example" not in shown
    assert "203.0.113.9" not in shown
    assert '<td class="wrong">clack</td>' in shown
    assert "1 of them breaks a rule" in shown


def test_old_events_are_taken_once_it_is_said_that_they_are_history(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1, timestamp="2024-01-01T00:00:00Z"))
    assert "Older than 90 days" in page(admin, org, upload_id)
    shown = page(admin, org, upload_id, format="ndjson", history="1")
    assert "Nothing is wrong with them" in shown
    assert '<input type="hidden" name="history" value="1">' in shown


def test_another_format_may_be_chosen_and_says_why_it_does_not_fit(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    shown = page(admin, org, upload_id, format="beeswax-win")
    assert "This is not a Beeswax win log file" in shown
    assert "Import " not in shown
    assert admin.get(f"/o/{org.slug}/files/{upload_id}/?format=x").status_code == 400


def test_a_file_of_no_known_format_shows_how_it_begins(org: Organisation, admin: Client) -> None:
    shown = page(admin, org, upload(admin, org, b"hello someone@mail.example\x1f<b>", "note.txt"))
    assert "No format was recognised" in shown
    assert "hello" in shown
    assert "someone@mail.example" not in shown


def test_a_damaged_file_is_said_to_be_damaged(org: Organisation, admin: Client) -> None:
    cut = gzip.compress(lines(*range(2000)))[:-20]
    upload_id = upload(admin, org, cut, "cut.ndjson.gz")
    assert kept(org, upload_id).lines is None
    start(admin, org, upload_id)
    running.run_import(org, upload_id)
    shown = page(admin, org, upload_id)
    assert "Nothing was imported" in shown
    assert "cut.ndjson.gz is cut off or damaged" in shown
    assert "Try again" in shown


def test_the_list_says_what_waits_for_somebody(org: Organisation, admin: Client) -> None:
    upload(admin, org, b"hello", "note.txt")
    create(admin, org, 1_000, "half.ndjson")
    shown = admin.get(f"/o/{org.slug}/files/").content.decode()
    assert "Not recognised" in shown
    assert "Uploading 0 %" in shown
    assert "Choose the same file again" not in shown
    with acting(SERVICE), in_schema_of(org):
        Upload.objects.filter(name="half.ndjson").update(changed_at=timezone.now() - timedelta(minutes=1))
    later = admin.get(f"/o/{org.slug}/files/").content.decode()
    assert "Interrupted at 0 %" in later
    assert "Choose the same file again" in later


def test_only_a_fragment_comes_for_htmx(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    url = f"/o/{org.slug}/files/{upload_id}/?format=ndjson"
    shown = admin.get(url, headers={"HX-Request": "true", "HX-Target": "file-preview"}).content.decode()
    assert shown.startswith('<section class="card" id="file-preview"')


# -- The import


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


def cancel_elsewhere(client: Client, org: Organisation, upload_id: UUID) -> None:
    """As another person's request does, on a connection of its own."""
    assert client.post(f"/o/{org.slug}/files/{upload_id}/cancel/").status_code == 302
    connection.close()


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


def test_a_line_without_end_is_refused_before_it_fills_memory(org: Organisation, admin: Client) -> None:
    body = b"path;total_conversions;total_conversion_value;total_null\n" + b"a" * 1_100_000
    shown = page(admin, org, upload(admin, org, gzip.compress(body), "paths.csv.gz"))
    assert "A line is longer than 1,000,000 characters" in shown


# -- Who, and how long


def test_another_organisations_files_are_out_of_reach(org: Organisation, admin: Client, world: Any) -> None:
    upload_id = upload(admin, org, lines(1))
    other = made_org()
    stranger = signed_in(other)
    for slug in (org.slug, other.slug):
        base = f"/o/{slug}/files/{upload_id}"
        assert stranger.get(f"{base}/").status_code == 404
        assert stranger.head(f"{base}/bytes/", **TUS).status_code == 404
        assert patch(stranger, f"{base}/bytes/", b"x", 0).status_code == 404
        assert stranger.delete(f"{base}/bytes/", **TUS).status_code == 404
        for verb in ("import", "cancel", "remove"):
            assert stranger.post(f"{base}/{verb}/", {"format": "ndjson"}).status_code == 404
    assert kept(org, upload_id).state == UploadState.READY


def test_files_of_the_command_line_stand_in_the_list(world: Any, as_persona: Any) -> None:
    client = as_persona("org_admin")
    shown = client.get(f"/o/{world.slug('buyer')}/files/").content.decode()
    assert "events.ndjson" in shown
    with acting(SERVICE), in_schema_of(world.orgs["buyer"]):
        run = FileImport.objects.first()
    assert run is not None
    assert "Accepted" in client.get(f"/o/{world.slug('buyer')}/files/{run.pk}/").content.decode()
    assert client.get(f"/o/{world.slug('buyer')}/files/?before=yesterday").status_code == 400


def test_an_empty_list_says_what_will_stand_there() -> None:
    other = made_org()
    client = signed_in(other)
    assert "No file yet" in client.get(f"/o/{other.slug}/files/").content.decode()


def test_old_bytes_are_removed(org: Organisation, admin: Client) -> None:
    ids = {name: upload(admin, org, lines(1), name) for name in ("ready", "fresh")}
    url = create(admin, org, 10, "unfinished")["Location"]
    patch(admin, url, b"12345", 0)
    ids["unfinished"] = UUID(url.split("/")[-3])
    ids["imported"] = imported(admin, org, lines(1), "imported")
    with acting(SERVICE), in_schema_of(org):
        old = Upload.objects.exclude(name="fresh").filter(pk__in=ids.values())
        old.update(changed_at=timezone.now() - timedelta(days=8))
    for name in ("ready", "unfinished", "imported"):
        age(storage.path_of(org.pk, ids[name]), days=8)
    assert tasks.purge_uploads() == 3
    assert [name for name in ids if storage.path_of(org.pk, ids[name]).exists()] == ["fresh"]
    with acting(SERVICE), in_schema_of(org):
        assert not Upload.objects.filter(pk=ids["unfinished"]).exists()
    assert start(admin, org, ids["ready"]).status_code == 409


def age(path: Path, *, days: int) -> None:
    import os

    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))


def test_events_of_an_upload_reach_the_warehouse(org: Organisation, admin: Client) -> None:
    imported(admin, org, gzip.compress(lines(1, 2, 3, session_id="of-the-upload")))
    drain()
    sql = "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID} AND session_id = 'of-the-upload'"
    assert execute(org.pk, "test.upload", sql) == [{"n": 3}]


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    yield
    assert not transaction.get_connection().in_atomic_block
