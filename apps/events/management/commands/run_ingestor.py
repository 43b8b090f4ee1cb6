"""`manage.py run_ingestor`: the process that empties the ingest log."""

import os
import signal
import threading
from types import FrameType
from typing import Any

import structlog
from django.db import connections

from apps.common.commands import Command as BaseCommand
from apps.events.ingestor import IDLE, Ingestor, only_ingestor

log = structlog.get_logger()
POLITE = 5
# What it waits at most before it tries again what failed, in seconds.
LONGEST_PAUSE = 60.0


class Command(BaseCommand):
    help = "Bring what is in the ingest log to ClickHouse, for ever. One works at a time; a second one waits its turn."

    def run(self, **options: Any) -> None:
        # Where it shares a machine with the web process, people and senders come first.
        os.nice(POLITE)
        stopped = threading.Event()
        working: list[Ingestor] = []

        def stop(number: int, frame: FrameType | None) -> None:
            stopped.set()
            for ingestor in working:
                ingestor.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        pause = IDLE
        while not stopped.wait(pause):
            pause = self.work(working, pause)

    def work(self, working: list[Ingestor], pause: float) -> float:
        """Until it is told to stop or something fails; answers how long to wait then. What failed is tried again,
        since an ingestor that passed over what it cannot write would walk through the whole log."""
        try:
            with only_ingestor(patient=True) as ingestor:
                if ingestor:
                    working[:] = [ingestor]
                    ingestor.run()
        except Exception:
            log.exception("events.ingestor_failed", again_after=pause)
            connections.close_all()
            return min(2 * pause, LONGEST_PAUSE)
        return IDLE
