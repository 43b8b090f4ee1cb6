"""The bytes of uploads on disk: `UPLOAD_DIR/<organisation>/<upload>`. Names are ids only, never what a sender wrote."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

from apps.common.errors import Unavailable

PIECE = 1 << 20


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(org_id: UUID, upload_id: UUID) -> Path:
    return Path(settings.UPLOAD_DIR) / str(org_id) / str(upload_id)


def size_of(org_id: UUID, upload_id: UUID) -> int:
    try:
        return path_of(org_id, upload_id).stat().st_size
    except FileNotFoundError:
        return 0


def write_at(org_id: UUID, upload_id: UUID, offset: int, body: Readable, most: int) -> int:
    """Put what `body` has at `offset`, at most `most` bytes; answers how many once they are on disk.

    Whatever stood behind `offset` came from a request that was never finished, and goes.
    """
    path = path_of(org_id, upload_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _write(path, offset, body, most)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable("The platform's disk is full. What arrived is kept; go on later.") from error
        raise


def remove(org_id: UUID, upload_id: UUID) -> None:
    path_of(org_id, upload_id).unlink(missing_ok=True)


def org_ids() -> Iterator[UUID]:
    """Organisations that have files here."""
    root = Path(settings.UPLOAD_DIR)
    for folder in root.iterdir() if root.is_dir() else ():
        with suppress(ValueError):
            yield UUID(folder.name)


def stored(org_id: UUID, *, older_than: float) -> Iterator[UUID]:
    """Uploads of an organisation that have bytes here, unchanged for so many seconds."""
    before = time.time() - older_than
    for path in (Path(settings.UPLOAD_DIR) / str(org_id)).iterdir():
        with suppress(ValueError, FileNotFoundError):
            if path.stat().st_mtime < before:
                yield UUID(path.name)


def _write(path: Path, offset: int, body: Readable, most: int) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.truncate(offset)
        file.seek(offset)
        written = 0
        while written < most and (piece := body.read(min(PIECE, most - written))):
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
            written += len(piece)
        os.fsync(file.fileno())
    return written
