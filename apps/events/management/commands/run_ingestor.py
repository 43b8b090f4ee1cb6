"""`manage.py run_ingestor`: the process that empties the ingest log."""

import os
import signal
import threading
from types import FrameType
from typing import Any

from apps.common.commands import Command as BaseCommand
from apps.events.ingestor import IDLE, Ingestor, only_ingestor

POLITE = 5


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
        while not stopped.is_set():
            with only_ingestor(patient=True) as ingestor:
                if ingestor:
                    working.append(ingestor)
                    ingestor.run()
            stopped.wait(IDLE)
