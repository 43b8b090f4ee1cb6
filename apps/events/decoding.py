"""Where records are decoded: in a thread while little waits, in a pool of processes once much does."""

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from apps.events.preparing import Job, Prepared, begin_process, prepare

log = structlog.get_logger()
Decoded = Callable[[], Prepared]
MOST_PROCESSES = 4
# A pool that had nothing to do for so many seconds gives its memory back.
REST_AFTER = 300


class Decoders:
    """Decodes ahead of the writer. The pool starts when first wanted, since its start takes a second, and then stays.

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest-decode")
        self._pool: ProcessPoolExecutor | None = None
        self._last_used = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()
        self._close_pool()

    def submit(self, job: Job, *, much_waits: bool) -> Decoded:
        """Decoding under way, as a function that waits for it.

        A pool that lost a process is not this job's fault, or perhaps it is: the job is tried once more in a process of
        its own, which it may take down alone.
        """
        where = self._start_pool() if much_waits else self._pool or self._thread
        self._last_used = time.monotonic()
        try:
            future = where.submit(prepare, job)
        except BrokenExecutor:
            self._close_pool()
            return partial(prepare_apart, job)

        def wait() -> Prepared:
            try:
                return future.result()
            except BrokenExecutor:
                log.warning("events.decoder_lost", batch=str(job.batch_id))
                return prepare_apart(job)

        return wait

    def rest(self) -> None:
        """Say that nothing waits."""
        if self._pool is not None and time.monotonic() - self._last_used > REST_AFTER:
            self._close_pool()

    def _start_pool(self) -> Executor:
        if (cores := os.cpu_count() or 1) == 1:
            return self._thread
        if self._pool is None:
            self._pool = _processes(min(cores, MOST_PROCESSES))
        return self._pool

    def _close_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def prepare_apart(job: Job) -> Prepared:
    """In a process of its own, which may die without harm."""
    with _processes(1) as alone:
        return alone.submit(prepare, job).result()


def _processes(count: int) -> ProcessPoolExecutor:
    """Not forked: this process has threads and connections."""
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=begin_process)
