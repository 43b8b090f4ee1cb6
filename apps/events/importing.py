"""Files into the ingest log. A file goes in whole or not at all: its records commit together, after its last byte."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from django.db import OperationalError
from django.utils import timezone

from apps.common.errors import InvalidInput, Unavailable
from apps.events.formats.base import Format, ReadOptions
from apps.events.log import store
from apps.events.log.store import Appender, Portion
from apps.events.models import FileImport
from apps.events.privacy import scrub
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of, record

GZIP = b"\x1f\x8b"
DISK_FULL = "53100"
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Imported:
    """One file in the log: its import's id, when it began, and the lines read from it."""

    import_id: UUID
    started_at: datetime
    read: int


def import_file(
    *, org: Organisation, path: Path, file_format: Format, history: bool, end: datetime | None, progress: Progress
) -> Imported:
    """Write the file's events to the log. `progress` is called with the bytes of the file consumed so far."""
    check_path(path)
    with open_file(path) as raw:
        return import_stream(
            org=org, raw=raw, name=path.name, file_format=file_format, history=history, end=end, progress=progress
        )


def import_stream(
    *, org: Organisation, raw: BinaryIO, name: str, file_format: Format, history: bool, end: datetime | None = None,
    progress: Progress = lambda consumed: None, source: str = "", may_be_empty: bool = False,
) -> Imported:  # fmt: skip
    """Write the events of an opened stream, gzipped or not, to the log under the door `source`: whole or not at all.

    Within a transaction of the caller's it commits with that. An hourly delivery `may_be_empty`: nothing happened.
    """
    options = ReadOptions(end=end or start_of_today())
    try:
        with acting(SERVICE), in_schema_of(org), store.whole() as log:
            stream = unpacked(raw, progress)
            door = source or f"file/{file_format.name}"
            run = FileImport.objects.create(name=name[-255:], format=file_format.name, door=door)
            lines = file_format.read(stream, options) if _has_bytes(stream) else iter(())
            read = _append_all(log, org, run, lines, source=door, history=history)
            _close(run, read, may_be_empty=may_be_empty)
            record(org=org, actor=SERVICE, action="events.imported", file=name, format=file_format.name, read=read)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(
            f"{name} is cut off or damaged: its gzip stream does not end as it should. Nothing of it was imported; "
            "fetch the file again."
        ) from error
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == DISK_FULL:
            raise Unavailable(f"The disk is full; nothing of {name} was imported. Free space and repeat.") from error
        raise
    return Imported(run.pk, run.started_at, read)


def check_path(path: Path) -> None:
    if path.is_dir():
        raise InvalidInput(f"{path} is a directory; name the files in it, for example {path}/*.csv.gz.")
    if not path.exists():
        raise InvalidInput(f"There is no file {path}.")
    if not path.is_file():
        raise InvalidInput(f"{path} is not a regular file.")
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path} is empty; there is nothing to import.")


def open_file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except PermissionError as error:
        raise InvalidInput(f"{path} cannot be read: permission denied.") from error


def unpacked(raw: BinaryIO, progress: Progress) -> io.BufferedReader:
    """The bytes of an opened file, gzipped or not; `progress` is told of those as they stand in the file."""
    counted: io.BufferedReader = io.BufferedReader(_Counted(raw, progress), 1 << 20)
    if counted.peek(2)[:2] == GZIP:
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=counted)), 1 << 20)
    return counted


def _has_bytes(stream: io.BufferedReader) -> bool:
    return bool(stream.peek(1))


def start_of_today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _append_all(
    log: Appender, org: Organisation, run: FileImport, lines: Iterator[bytes], *, source: str, history: bool
) -> int:
    key = bytes(org.identity_key)
    batch: list[bytes] = []
    size = read = 0
    for line in lines:
        batch.append(scrub(line, key))
        size += len(line)
        if len(batch) == store.LINES_PER_RECORD or size >= store.BYTES_PER_RECORD:
            log.append(Portion(org.pk, source, batch), import_id=run.pk, first_position=read + 1, history=history)
            read += len(batch)
            batch, size = [], 0
    if batch:
        log.append(Portion(org.pk, source, batch), import_id=run.pk, first_position=read + 1, history=history)
        read += len(batch)
    return read


def _close(run: FileImport, read: int, *, may_be_empty: bool) -> None:
    """Keep what was read; an import without lines is finished, for no record of it will say so."""
    if not read and not may_be_empty:
        raise InvalidInput("The file has no events: there is a header at most.")
    FileImport.objects.filter(pk=run.pk).update(read=read, finished_at=None if read else timezone.now())


class _Counted(io.RawIOBase):
    """Passes a stream's bytes on and says how many have gone. Closing it leaves the stream to who opened it."""

    def __init__(self, raw: BinaryIO, progress: Progress) -> None:
        self._raw, self._progress, self._count = raw, progress, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        count = self._raw.readinto(buffer)  # type: ignore[attr-defined]
        self._count += count
        self._progress(self._count)
        return int(count)
