"""Starts the launcher as a user would, in a state folder of its own, and looks at it from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from config.services.orphans import find

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = ("DATABASE_URL", "DATABASE_ADMIN_URL", "CLICKHOUSE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL")
WAIT = "import sys; print('waiting', flush=True); sys.stdin.read()"
NO_CLICKHOUSE = {"CLICKHOUSE_URL": "http://127.0.0.1:1/none"}  # most tests are about PostgreSQL; its start is quicker


def eventually(question: Callable[[], object], what: str, patience: float = 60) -> None:
    """Asks until the answer is true."""
    deadline = time.monotonic() + patience
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Launcher:
    """One start of `python -m config.services`, with what it prints in a file."""

    def __init__(self, root: Path, *args: str, **env: str) -> None:
        self.root = root
        self._page = root.with_name(f"output-{time.monotonic_ns()}.txt")
        inherited = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        with self._page.open("wb") as page:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.services", *args],
                env={**inherited, "PRECISE_VAR": str(root), **env},
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=page,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._page.read_text(encoding="utf-8")

    def wait_for(self, text: str, patience: float = 180) -> None:
        eventually(lambda: text in self.output or self.process.poll() is not None, f"no {text!r}", patience)
        assert text in self.output, self.output

    def end(self, number: signal.Signals | None = None) -> int:
        """Sends a signal, or the end of input, and waits for the exit status."""
        if number is not None:
            self.process.send_signal(number)
        elif self.process.stdin:
            self.process.stdin.close()
        return self.process.wait(timeout=60)

    def kill_everything(self) -> None:
        for pid in (self.process.pid, *find(self.root)):
            kill(pid)
        self.process.wait(timeout=60)


def waiting(root: Path, **env: str) -> Launcher:
    """Services with a command on top that does nothing until its input ends."""
    launcher = Launcher(root, "exec", "--data", str(root), "--", sys.executable, "-c", WAIT, **{**NO_CLICKHOUSE, **env})
    launcher.wait_for("waiting")
    return launcher


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def nothing_left(root: Path) -> None:
    eventually(lambda: not list(find(root)), f"still running: {list(find(root))}")


def running(root: Path, words: str) -> list[int]:
    """The processes of a site whose command has these words, those that they started left out."""
    found = [pid for pid in find(root) if words in _command(pid)]
    return [pid for pid in found if _parent(pid) not in found]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def postmaster(root: Path) -> int:
    return int((root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def published(root: Path) -> dict[str, str]:
    lines = (root / "run" / "services.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def store(root: Path, value: str) -> None:
    with psycopg.connect(published(root)["DATABASE_ADMIN_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def stored(root: Path) -> list[str]:
    with psycopg.connect(published(root)["DATABASE_ADMIN_URL"]) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]
