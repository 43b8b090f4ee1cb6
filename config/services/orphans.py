"""Processes that a killed launcher left behind: found by a mark in their environment, stopped before a new start.

Whoever calls must hold the lock of the state folder: then nothing that bears its mark can have a living launcher.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from config.services.screen import note

MARK = "PRECISE_SUPERVISED"
PATIENCE = 15.0
DATABASES = {"postgres", "redis-server"}


def stop_orphans(root: Path) -> None:
    """Stops every process that bears the mark of this state folder, whoever started it."""
    orphans = set(find(root))
    if not orphans:
        return
    note("clean-up", f"stopping {len(orphans)} processes that an earlier run left behind")
    for pid in orphans:
        _send(pid, _polite_signal(pid))
    deadline = time.monotonic() + PATIENCE
    while (left := set(find(root))) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        _send(pid, signal.SIGKILL)
    while any(True for _ in find(root)):
        time.sleep(0.05)


def find(root: Path) -> Iterator[int]:
    """Process numbers, without ourselves and those we descend from."""
    spared = set(_own_line())
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) not in spared and _belongs(folder, root):
            yield int(folder.name)


def _belongs(process: Path, root: Path) -> bool:
    """Databases write their title over their environment, so they are known by where they work."""
    try:
        if f"{MARK}={root}".encode() in (process / "environ").read_bytes().split(b"\0"):
            return True
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        return name in DATABASES and (process / "cwd").readlink().is_relative_to(root)
    except OSError:
        return False


def _own_line() -> Iterator[int]:
    """This process and its ancestors."""
    pid = os.getpid()
    while pid > 1:
        yield pid
        # the name in brackets may hold spaces; the parent is the second field after it
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1])


def _polite_signal(pid: int) -> signal.Signals:
    """SIGTERM, but PostgreSQL would wait for its clients to leave; SIGINT makes it stop now, cleanly."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        name = ""
    return signal.SIGINT if name == "postgres" else signal.SIGTERM


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
