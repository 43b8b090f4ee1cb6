"""Bytes in pieces by the tus protocol, or in one go by a plain form."""

import threading
from io import BytesIO
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from apps.accounts.public import User
from apps.common.errors import Conflict
from apps.events.uploads import storage
from apps.events.uploads.actions import clean_name, receive_bytes
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from tests.support.uploads import (
    TUS,
    create,
    kept,
    lines,
    patch,
)

pytestmark = pytest.mark.usefixtures("committed", "no_queue")


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
