"""Whether the ingestor keeps up: when too much waits, senders are told to come back rather than trusted to luck.

Files do not count: they take turns with what arrives here, and nobody who sends can help it.
"""

import asyncio
import time
from functools import partial
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import Error

from apps.common.errors import Unavailable
from apps.events.edge import gauges
from apps.events.edge.desk import Desk
from apps.events.edge.http import Problem
from apps.events.log import partitions, store

log = structlog.get_logger()
LOOK_EVERY = 1.0
# The state of the log's partitions changes by the hour.
LOOK_AROUND_EVERY = 60.0
# Without a question for this long, nobody needs the answer.
REST_AFTER = 30.0


class Pressure:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting = 0
        self._most = int(settings.EVENTS_MOST_WAITING)
        self._asked = 0.0
        self._looked_around = float("-inf")
        self._worker: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise `Problem` when more lines wait than the settings allow."""
        self._asked = time.monotonic()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._look())
        if self._waiting > self._most:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "ingest_behind",
                f"{self._waiting:,} events wait to be processed; nothing of this was kept. Send it again later.",
                retry_after=10,
            )

    async def _look(self) -> None:
        while time.monotonic() - self._asked < REST_AFTER:
            try:
                self._waiting = await self._desk.ask(partial(store.waiting_lines, live=True))
                gauges.WAITING.set(self._waiting)
                await self._look_around()
            except (Error, Unavailable) as error:
                log.warning("edge.pressure_unknown", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def _look_around(self) -> None:
        if time.monotonic() - self._looked_around < LOOK_AROUND_EVERY:
            return
        self._looked_around = time.monotonic()
        found = await self._desk.ask(partitions.condition)
        gauges.FAILED_RECORDS.set(found.failed_records)
        gauges.KEPT_PARTITIONS.set(found.kept)
        gauges.HOURS_AHEAD.set(found.hours_ahead)
