"""The part of ingest that needs neither database nor engine: from a record's payload to columns, keys and rejections.

Imports no Django, so that processes of a pool start in a moment and share the work on several cores.
"""

import gc
import multiprocessing
import os
import signal
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


class Arrived(Struct, frozen=True):
    """One record of the log, as a process needs it."""

    payload: bytes
    received_at: datetime
    history: bool


class Job(Struct, frozen=True):
    """Records of one organisation that are decoded together: small ones by the hundred, a large one alone."""

    org_id: UUID
    batch_id: UUID
    currency: str
    kept_days: int
    records: Sequence[Arrived]


class Rejected(Struct, frozen=True):
    """A line that broke a rule: its place in the record, and why."""

    place: int
    why: Rejection
    line: bytes


class Sorted(Struct, frozen=True):
    """Lines after the rules: what keeps them, and what is turned away."""

    accepted: list[Accepted]
    rejected: list[Rejected]


class Outcome(Struct):
    """What became of one record: how many rows it has in the job's table, and what was turned away."""

    rows: int = 0
    rejected: list[Rejected] = []


class Prepared(Struct, frozen=True):
    """A job as ClickHouse takes it: rows in the records' order.

    `keys` has a row an event: two halves of 128 bits of its id's SHA-256. `persons` has such a row for each person, and
    `person_places` says for each event which of them, or -1 where there is none. `outcomes` has one for each record.
    """

    table: pa.Table
    keys: np.ndarray
    persons: np.ndarray
    person_places: np.ndarray
    outcomes: list[Outcome]


def begin_process() -> None:
    """For each process of a pool: it ends with the one that made it, also when that is killed, and has no pandas."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; its parent says when to stop
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
    """Decode, check and lay out the records of one job."""
    collecting = gc.isenabled()
    gc.disable()  # a batch makes half a million objects and no cycles: looking for some costs a third of the time
    try:
        return _prepare(job)
    finally:
        if collecting:
            gc.enable()


def _prepare(job: Job) -> Prepared:
    outcomes: list[Outcome] = []
    tables: list[pa.Table] = []
    keys: list[np.ndarray] = []
    rows: list[Accepted] = []

    def lay_out() -> None:
        tables.append(columns.table(job.org_id, job.batch_id, rows, currency=job.currency, kept_days=job.kept_days))
        keys.append(keys_of([row.event_id for row in rows]))
        rows.clear()

    for record in job.records:
        outcomes.append(outcome := Outcome())
        lines = zstandard.decompress(record.payload).split(SEPARATOR)
        for part in sort(lines, now=record.received_at, history=record.history):
            rows += part.accepted
            outcome.rows += len(part.accepted)
            outcome.rejected += part.rejected
            if len(rows) >= PART:
                lay_out()
    lay_out()
    table = _join(tables)
    return Prepared(table, np.concatenate(keys), *_persons(table), outcomes)


def _persons(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The keys of all persons, each once, and the place among them of each row's."""
    encoded = table.column("person_id").combine_chunks().dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return keys_of(encoded.dictionary.to_pylist()), places


def sort(lines: Sequence[bytes], *, now: datetime, history: bool) -> Iterator[Sorted]:
    """Decode and check each line. A part at a time: see `PART`."""
    window = Window.at(now, history=history)
    for start in range(0, len(lines), PART):
        yield _sort_part(lines[start : start + PART], start, window, now)


def _sort_part(lines: Sequence[bytes], start: int, window: Window, received_at: datetime) -> Sorted:
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
        accepted.append(Accepted(event, properties, event_id, digest, received_at))
    return Sorted(accepted, rejected)


def _join(tables: Sequence[pa.Table]) -> pa.Table:
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def keys_of(event_ids: Sequence[str]) -> np.ndarray:
    """The ids as `event_keys` has them: little-endian halves of the first 128 bits of SHA-256; shape (n, 2)."""
    digests = b"".join([sha256(event_id.encode()).digest() for event_id in event_ids])
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 4)[:, :2].copy()
