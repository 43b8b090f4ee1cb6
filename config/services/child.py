"""One supervised process: started with a bounded log, stopped politely, gone when the launcher is gone.

Children are started by the main thread only: the kernel ties "parent died" to the thread that forked.
"""

import logging
import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Thread

from config.services.orphans import MARK
from config.services.screen import note
from config.services.signals import end_with_parent, pause

LOG_BYTES = 5 * 2**20
TAIL_LINES = 15


@dataclass(frozen=True)
class Command:
    """What to start and how it wants to be treated."""

    name: str
    args: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    feed: bytes | None = None  # given on standard input: what must not be seen in the process list
    user: int | None = None  # system user to become; only root can
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0  # seconds to stop in
    echo: re.Pattern[str] | None = None  # lines worth showing on the terminal


class Child:
    def __init__(self, command: Command, *, log: Path, root: Path) -> None:
        self.command = command
        self.log = log
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        parent = os.getpid()
        self._process = subprocess.Popen(
            list(command.args),
            env={**command.env, MARK: str(root)},
            cwd=command.folder,
            stdin=subprocess.DEVNULL if command.feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=command.user,
            group=command.user,
            extra_groups=None if command.user is None else [],
            preexec_fn=lambda: end_with_parent(command.stop_signal, parent),
        )
        self._pump = Thread(target=self._read, name=f"log-{command.name}", daemon=True)
        self._pump.start()
        self._hand_over()

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def pid(self) -> int:
        return self._process.pid

    def status(self) -> int | None:
        """None while it runs, else the exit status (negative: the signal that ended it)."""
        return self._process.poll()

    def finish(self) -> int:
        """Waits for a process that ends by itself, and for the last line of its log."""
        while (status := self.status()) is None:
            pause(0.03)
        self._pump.join(timeout=2)
        return status

    def ask_to_stop(self) -> None:
        if self.status() is None:
            self._process.send_signal(self.command.stop_signal)

    def make_sure(self, deadline: float) -> None:
        """Waits until the deadline (monotonic), then kills whatever is left of its process group."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            note(self.name, "does not stop, killing it")
        self._kill_group()
        self._process.wait()
        self._pump.join(timeout=1)

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _hand_over(self) -> None:
        if self._process.stdin is None or self.command.feed is None:
            return
        try:
            self._process.stdin.write(self.command.feed)
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def _read(self) -> None:
        book = _Book(self.log)
        for raw in self._process.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self.tail.append(line)
            book.emit(logging.makeLogRecord({"msg": line}))
            if self.command.echo and self.command.echo.search(line):
                note(self.name, line)
        book.close()


def stop_all(children: Sequence[Child]) -> None:
    """Stops them side by side, each within its own patience."""
    begin = time.monotonic()
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.make_sure(begin + child.command.patience)


class _Book(RotatingFileHandler):
    """A log file that never grows beyond twice its bound, and whose failure (a full disk) stops nobody."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        pass
