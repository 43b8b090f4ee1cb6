"""An event loop of one's own: where the browser tests have left theirs running, none can be started beside it."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def run(work: Coroutine[object, object, Answer]) -> Answer:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
