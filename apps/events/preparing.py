"""The part of ingest that needs neither database nor engine: from a record's payload to columns, keys and rejections.

Imports no Django, so that processes of a pool start in a moment and share the work on several cores.
"""

import gc
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.abc import MetaPathFinder
from threading import Thread
from uuid import UUID

import numpy as np
import pyarrow as pa
import zstandard
from msgspec import Struct

from apps.events import columns, quality
from apps.events.canonical import Rejection, decode
from apps.events.columns import Accepted
from apps.events.quality import Window

SEPARATOR = b"\n"
# So many events at a time: their objects stay in the processor's cache and reuse each other's memory (a third faster
# than 50,000 at once).
PART = 4096


class Job(Struct, frozen=True):
    """One record of the log, as a process needs it."""

    org_id: UUID
    batch_id: UUID
    payload: bytes
    received_at: datetime
    history: bool
    currency: str


class Rejected(Struct, frozen=True):
    """A line that broke a rule: its place in the record, and why."""

    place: int
    why: Rejection
    line: bytes


class Sorted(Struct, frozen=True):
    """Lines after the rules: what keeps them, and what is turned away."""

    accepted: list[Accepted]
    rejected: list[Rejected]


class Prepared(Struct, frozen=True):
    """A record as ClickHouse takes it. `keys` has a row an event: two halves of 128 bits of its id's SHA-256."""

    table: pa.Table
    keys: np.ndarray
    rejected: list[Rejected]


def begin_process() -> None:
    """For each process of a pool: it ends with the one that made it, also when that is killed, and has no pandas."""
    Thread(target=_end_with_parent, daemon=True).start()
    # pyarrow would import pandas (a second), only to ask whether a list is one of its series.
    sys.meta_path.insert(0, _NoPandas())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ImportError("pandas is not wanted here")


def prepare(job: Job) -> Prepared:
    """Decode, check and lay out one record."""
    collecting = gc.isenabled()
    gc.disable()  # a batch makes half a million objects and no cycles: looking for some costs a third of the time
    try:
        lines = zstandard.decompress(job.payload).split(SEPARATOR)
        return _join([_prepare_part(job, part) for part in sort(lines, now=job.received_at, history=job.history)])
    finally:
        if collecting:
            gc.enable()


def sort(lines: Sequence[bytes], *, now: datetime, history: bool) -> Iterator[Sorted]:
    """Decode and check each line. A part at a time: see `PART`."""
    window = Window.at(now, history=history)
    for start in range(0, len(lines), PART):
        yield _sort_part(lines[start : start + PART], start, window)


def _sort_part(lines: Sequence[bytes], start: int, window: Window) -> Sorted:
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    for place, line in enumerate(lines, start):
        found = decode(line)
        if found.__class__ is Rejection:
            rejected.append(Rejected(place, found, line))
            continue
        event, properties = found  # type: ignore[misc]
        if broken := quality.check(event, properties, window):
            rejected.append(Rejected(place, broken, line))
            continue
        digest = sha256(line).digest()
        event_id = digest.hex() if event.event_id is None else str(event.event_id)
        accepted.append(Accepted(event, properties, event_id, digest))
    return Sorted(accepted, rejected)


def _prepare_part(job: Job, part: Sorted) -> Prepared:
    table = columns.table(job.org_id, job.batch_id, part.accepted, received_at=job.received_at, currency=job.currency)
    return Prepared(table, keys_of([row.event_id for row in part.accepted]), part.rejected)


def _join(parts: Sequence[Prepared]) -> Prepared:
    return Prepared(
        pa.concat_tables([part.table for part in parts]).unify_dictionaries().combine_chunks(),
        np.concatenate([part.keys for part in parts]),
        [one for part in parts for one in part.rejected],
    )


def keys_of(event_ids: Sequence[str]) -> np.ndarray:
    """The ids as `event_keys` has them: little-endian halves of the first 128 bits of SHA-256; shape (n, 2)."""
    digests = b"".join([sha256(event_id.encode()).digest() for event_id in event_ids])
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 4)[:, :2].copy()
