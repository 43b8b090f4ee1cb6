"""Writes to uploads: bytes that arrive, what becomes of them, and the way back. In the organisation's schema."""

import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.common.figures import format_size
from apps.events.formats.registry import get_format
from apps.events.models import Upload, UploadState
from apps.events.uploads import queue, storage
from apps.events.uploads.lock import worked_on
from apps.events.uploads.looking import look_at
from apps.events.uploads.reports import PERFORMANCE
from apps.events.uploads.storage import Readable
from apps.orgs.public import Actor, Organisation, Permission, check, record

MOST_UNFINISHED = 200
# Waits for a decision or did not become an import: may be imported, or removed.
AT_REST = (UploadState.READY, UploadState.FAILED, UploadState.CANCELLED)


class TooLarge(InvalidInput):
    code = "too_large"
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def begin_upload(*, actor: Actor, org: Organisation, name: str, size: int) -> Upload:
    """Announce a file; its bytes follow."""
    check(actor, Permission.IMPORT_EVENTS, org)
    check_size(size)
    if Upload.objects.filter(state=UploadState.RECEIVING).count() >= MOST_UNFINISHED:
        raise Conflict(f"{MOST_UNFINISHED} uploads are unfinished. Finish or remove some of them first.")
    return Upload.objects.create(name=clean_name(name), size=size, created_by=actor.user_id)


def receive_bytes(*, actor: Actor, org: Organisation, upload_id: UUID, offset: int, body: Readable) -> Upload:
    """Keep the bytes that follow those that are there. Of two who send the same ones, the second is told so."""
    check(actor, Permission.IMPORT_EVENTS, org)
    upload = lock_upload(upload_id)
    if upload.state != UploadState.RECEIVING:
        raise Conflict("All bytes of this file have arrived already.")
    upload.received = offset_of(org, upload)
    if offset != upload.received:
        raise Conflict(f"The next byte is {upload.received}, not {offset}.", code="wrong_offset")
    upload.received += storage.write_at(org.pk, upload.pk, offset, body, upload.size - offset)
    if body.read(1):
        raise TooLarge(f"More bytes came than the {upload.size:,} that were announced.")
    if upload.received == upload.size:
        _complete(actor, org, upload)
    upload.save()
    return upload


def receive_file(*, actor: Actor, org: Organisation, name: str, size: int, body: Readable) -> Upload:
    """A whole file at once, as a plain form sends it."""
    upload = begin_upload(actor=actor, org=org, name=name, size=size)
    return receive_bytes(actor=actor, org=org, upload_id=upload.pk, offset=0, body=body)


def start_import(
    *, actor: Actor, org: Organisation, upload_id: UUID, format_name: str, options: Mapping[str, Any]
) -> Upload:
    """Put the file in the worker's queue; also once more, after a failure or a worker's end."""
    check(actor, Permission.IMPORT_EVENTS, org)
    upload = lock_upload(upload_id)
    if format_name != PERFORMANCE:
        get_format(format_name)
    if upload.bytes_removed_at or not storage.path_of(org.pk, upload.pk).exists():
        raise Conflict("The file's bytes were removed. Upload it once more.")
    if upload.state not in AT_REST and not is_left_alone(upload):
        raise Conflict("This file is being imported, or was imported already.")
    upload.state, upload.format, upload.options = UploadState.QUEUED, format_name, dict(options)
    upload.error, upload.cancelling, upload.tries = "", False, 0
    upload.save()
    transaction.on_commit(lambda: queue.send_import(org.pk, upload.pk), robust=True)
    record(org=org, actor=actor, action="events.file_import_started", upload=str(upload.pk), format=format_name)
    return upload


def cancel_import(*, actor: Actor, org: Organisation, upload_id: UUID) -> Upload:
    """Stop a waiting or running import; nothing of it is kept. One that is in the log already cannot be stopped."""
    check(actor, Permission.IMPORT_EVENTS, org)
    get_upload(upload_id)
    # One statement: it waits for a worker that is just ending, and then sees what that has written.
    open_states = (UploadState.QUEUED, UploadState.IMPORTING)
    asked = Upload.objects.filter(pk=upload_id, state__in=open_states).update(
        cancelling=True, changed_at=timezone.now()
    )
    upload = lock_upload(upload_id)
    if not asked:
        raise Conflict("There is nothing to cancel: this file's import is over.")
    if is_left_alone(upload):
        upload.state, upload.cancelling = UploadState.CANCELLED, False
        upload.save()
    record(org=org, actor=actor, action="events.file_import_cancelled", upload=str(upload.pk))
    return upload


def remove_upload(*, actor: Actor, org: Organisation, upload_id: UUID) -> None:
    """Take the file away, bytes and all. What was imported stays, and so does the record of it."""
    check(actor, Permission.IMPORT_EVENTS, org)
    upload = lock_upload(upload_id)
    if upload.state not in {*AT_REST, UploadState.RECEIVING} and not is_left_alone(upload):
        raise Conflict("A file that is being imported or was imported stays in the list.")
    upload.delete()
    transaction.on_commit(lambda: storage.remove(org.pk, upload_id))
    record(org=org, actor=actor, action="events.file_removed", upload=str(upload_id), name=upload.name)


def check_size(size: int) -> None:
    if size <= 0:
        raise InvalidInput("The file is empty; there is nothing to import.")
    if size > settings.UPLOAD_MOST_BYTES:
        most = format_size(settings.UPLOAD_MOST_BYTES)
        raise TooLarge(
            f"The file has {format_size(size)}; at most {most} are taken. Compress it with gzip, or send it in parts."
        )


def clean_name(text: str) -> str:
    """The last part of whatever a sender calls the file, without characters that nobody sees."""
    last = unicodedata.normalize("NFC", text).replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()
    return seen[-255:] if seen.strip(".") else "file"


def get_upload(upload_id: UUID) -> Upload:
    found = Upload.objects.filter(pk=upload_id).first()
    if found is None:
        raise NotFound("There is no such file here.")
    return found


def offset_of(org: Organisation, upload: Upload) -> int:
    """Where its bytes go on: as written down, but no further than the disk has them."""
    if upload.state != UploadState.RECEIVING:
        return upload.size
    return min(upload.received, storage.size_of(org.pk, upload.pk))


def lock_upload(upload_id: UUID) -> Upload:
    found = Upload.objects.select_for_update().filter(pk=upload_id).first()
    if found is None:
        raise NotFound("There is no such file here.")
    return found


def is_left_alone(upload: Upload) -> bool:
    """Whether its import waits or runs by the books, but no living worker has it in hand."""
    is_open = upload.state in {UploadState.QUEUED, UploadState.IMPORTING}
    return is_open and upload.pk not in worked_on([upload.pk])


def _complete(actor: Actor, org: Organisation, upload: Upload) -> None:
    look = look_at(storage.path_of(org.pk, upload.pk))
    upload.state = UploadState.READY
    upload.format, upload.lines, upload.lines_exact = look.format, look.lines, look.exact
    record(org=org, actor=actor, action="events.file_uploaded", upload=str(upload.pk), bytes=upload.size)
