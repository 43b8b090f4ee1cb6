"""Work for PostgreSQL that the event loop hands to one thread with a connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import Error, connections

from apps.orgs.public import SERVICE, acting

Answer = TypeVar("Answer")


class Desk:
    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"edge-{name}")

    async def ask(self, work: Callable[[], Answer]) -> Answer:
        """Do `work` in one transaction of the platform's own; a connection that failed is not used again."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _in_transaction, work)


def _in_transaction(work: Callable[[], Answer]) -> Answer:
    try:
        with acting(SERVICE):
            return work()
    except Error:
        connections.close_all()
        raise
