"""The import of an upload, as the worker runs it: whole or not at all, with progress, and stopped when asked.

Progress is told through the cache and may be lost. Whether somebody asked to stop stands in PostgreSQL.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from redis import RedisError

from apps.common.errors import AppError, InvalidInput, Unavailable
from apps.events.formats.base import Format, ReadOptions
from apps.events.formats.registry import get_format
from apps.events.importing import import_stream, open_file
from apps.events.models import Upload, UploadState
from apps.events.reported.keeping import import_performance
from apps.events.uploads import storage
from apps.events.uploads.lock import import_lock
from apps.events.uploads.reports import PERFORMANCE, read_stored
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of

log = structlog.get_logger()
# Unpacked, so many times the largest file: more is taken for a bomb.
MOST_UNPACKED = 50
TELL_EVERY = 0.4
KEEP_PROGRESS = 3600
# The warehouse may have taken figures in whose import was then not written down.
KEPT_OF_REPORT = "Figures of the report may count already; imported again, they are replaced and not doubled."


class Cancelled(Exception):
    """Somebody asked for the import to stop."""


@dataclass(frozen=True)
class Progress:
    """Bytes of the file that were read, and events found in them."""

    done: int
    lines: int


def run_import(org: Organisation, upload_id: UUID) -> None:
    """Import the upload if it still waits for it; says nothing where another worker has it."""
    with import_lock(upload_id) as is_ours:
        if is_ours and (upload := _claim(org, upload_id)):
            _run(org, upload)


def progress_of(upload_id: UUID) -> Progress | None:
    with suppress(RedisError):
        return cast(Progress | None, cache.get(_key(upload_id)))
    return None


def _claim(org: Organisation, upload_id: UUID) -> Upload | None:
    with acting(SERVICE), in_schema_of(org):
        waiting = Upload.objects.filter(pk=upload_id, state=UploadState.QUEUED)
        if not waiting.update(state=UploadState.IMPORTING, changed_at=timezone.now()):
            return None
        return Upload.objects.get(pk=upload_id)


def _run(org: Organisation, upload: Upload) -> None:
    try:
        with acting(SERVICE), in_schema_of(org):
            if upload.format == PERFORMANCE:
                _import_report(org, upload)
            else:
                _keep(upload, _import(org, upload))
    except Cancelled:
        _end(org, upload, UploadState.CANCELLED)
    except Unavailable as error:
        _wait(org, upload, error.message)
    except OperationalError:
        log.warning("events.upload_waits", org=str(org.pk), upload=str(upload.pk), exc_info=True)
        _wait(org, upload, "The database did not answer.")
    except AppError as error:
        _end(org, upload, UploadState.FAILED, error.message)
    except Exception:
        log.exception("events.upload_failed", org=str(org.pk), upload=str(upload.pk))
        kept = KEPT_OF_REPORT if upload.format == PERFORMANCE else "Nothing was kept."
        _end(org, upload, UploadState.FAILED, f"Something failed on our side. {kept} Try again.")


def _import_report(org: Organisation, upload: Upload) -> None:
    source, mapping = read_stored(upload.options)
    path, watch = storage.path_of(org.pk, upload.pk), Watch(upload.pk)
    import_performance(
        actor=SERVICE, org=org, path=path, name=upload.name, source=source, mapping=mapping, progress=watch.read,
        before_it_counts=lambda import_id: _keep(upload, import_id),
    )  # fmt: skip


def _import(org: Organisation, upload: Upload) -> UUID:
    watch = Watch(upload.pk)
    try:
        with open_file(storage.path_of(org.pk, upload.pk)) as raw:
            return import_stream(
                org=org,
                raw=raw,
                name=upload.name,
                file_format=watched(get_format(upload.format), watch),
                history=bool(upload.options.get("history")),
                progress=watch.read,
            ).import_id
    except FileNotFoundError as error:
        raise InvalidInput("The file's bytes are gone. Upload it once more.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not in UTF-8. Save it as UTF-8 and upload it once more.") from error


def _keep(upload: Upload, import_id: UUID) -> None:
    """In the transaction of the import. A wish to stop that came before is granted; one that comes now waits for the
    end of it, and is told that the import is over."""
    kept = Upload.objects.filter(pk=upload.pk, cancelling=False).update(
        state=UploadState.IMPORTED, import_id=import_id, error="", changed_at=timezone.now()
    )
    if not kept:
        raise Cancelled


def _wait(org: Organisation, upload: Upload, error: str) -> None:
    """Nothing is wrong with the file: it is taken up again, sooner at first and then ever later."""
    with acting(SERVICE), in_schema_of(org):
        found = Upload.objects.filter(pk=upload.pk)
        found.filter(cancelling=False).update(
            state=UploadState.QUEUED, error=error, tries=F("tries") + 1, changed_at=timezone.now()
        )
        found.filter(cancelling=True).update(
            state=UploadState.CANCELLED, error="", cancelling=False, changed_at=timezone.now()
        )


def _end(org: Organisation, upload: Upload, state: UploadState, error: str = "") -> None:
    with acting(SERVICE), in_schema_of(org):
        Upload.objects.filter(pk=upload.pk).update(
            state=state, error=error, cancelling=False, changed_at=timezone.now()
        )


class Watch:
    """Counts what goes by, tells it now and then, and looks whether to go on."""

    def __init__(self, upload_id: UUID) -> None:
        self._upload_id, self._done, self._lines, self._next = upload_id, 0, 0, 0.0

    def read(self, done: int) -> None:
        self._done = done
        self._look()

    def count(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        for number, line in enumerate(lines, start=1):
            if not number % 5_000:
                self._lines = number
                self._look()
            yield line

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + TELL_EVERY
        with suppress(RedisError):
            cache.set(_key(self._upload_id), Progress(self._done, self._lines), KEEP_PROGRESS)
        if Upload.objects.filter(pk=self._upload_id, cancelling=True).exists():
            raise Cancelled


def watched(file_format: Format, watch: Watch) -> Format:
    """The same format, counted, and with an end to what a small file may unpack to."""
    most = MOST_UNPACKED * settings.UPLOAD_MOST_BYTES

    def read(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
        limited = io.BufferedReader(_Limited(stream.readinto, most), 1 << 20)  # type: ignore[attr-defined]
        return watch.count(file_format.read(cast(BinaryIO, limited), options))

    return replace(file_format, read=read)


class _Limited(io.RawIOBase):
    def __init__(self, source: Callable[[Any], int], most: int) -> None:
        self._source, self._left = source, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        count = self._source(buffer)
        self._left -= count
        if self._left < 0:
            raise InvalidInput("The file unpacks to far more than files may hold; nothing of it was imported.")
        return count


def _key(upload_id: UUID) -> str:
    return f"upload-progress:{upload_id}"
