"""`stop`: ends a launcher and whatever an earlier one left behind in a state folder."""

import os
import signal
import time

from config.services.layout import Layout
from config.services.lock import Lock, holder
from config.services.orphans import stop_orphans
from config.services.refusal import Refusal
from config.services.screen import note
from config.services.signals import pause

PATIENCE = 60.0


def stop(layout: Layout) -> None:
    """Returns when nothing of that folder runs any more."""
    if not layout.run.exists():
        return
    with Lock(layout) as lock:
        if not lock.held:
            _end_holder(layout, lock)
        stop_orphans(layout.root)


def _end_holder(layout: Layout, lock: Lock) -> None:
    pid = holder(layout.run / "lock")
    if pid is None:
        raise Refusal(f"Somebody holds {layout.run / 'lock'}, but does not say who. Stop that process yourself.")
    note("stop", f"stopping the run of process {pid}")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while not lock.take():
        if time.monotonic() > deadline:
            raise Refusal(f"Process {pid} does not stop. kill -9 {pid}, then try again.")
        pause(0.1)
