"""One launcher per state folder: an advisory lock that the kernel drops with its holder, however it ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from config.services.layout import Layout


class Lock:
    """`held` says whether we got it; the file names the process that has it."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.run / "lock"
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        self.held = False

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def take(self) -> bool:
        """Tries once, without waiting."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.held = True
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return True


def holder(path: Path) -> int | None:
    """The process that last took the lock, as far as the file tells."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
