"""What the ingest log promises, wherever it is kept: see `chosen.py` for which one it is.

An append is kept once it says so. A claimed batch stays the same records for ever, so that a replay after a crash is
recognised. Everything but the edge's writer runs in a transaction of PostgreSQL under the actor `SERVICE`, and what it
says of a batch's end holds when that commits.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict
from uuid import UUID

from apps.orgs.public import Organisation

# What an append makes one record of at most, and a batch: one insert. Large ones save the engine most of its merging;
# more than this, and memory is the limit.
LINES_PER_RECORD = 50_000
BYTES_PER_RECORD = 32_000_000
LINES_PER_BATCH = 150_000
BYTES_PER_BATCH = 96_000_000
RECORDS_PER_BATCH = 1_000


@dataclass(frozen=True)
class Portion:
    """Lines of one organisation that came through one door."""

    org_id: UUID
    source: str
    lines: Sequence[bytes]


class Record(Protocol):
    """What arrived together. `pk` is its own for ever; the counts are set by the ingestor."""

    @property
    def pk(self) -> int: ...
    @property
    def org(self) -> Organisation: ...

    @property
    def batch_id(self) -> UUID | None: ...

    source: str
    import_id: UUID | None
    history: bool
    first_position: int
    line_count: int
    payload: bytes
    created_at: datetime
    accepted: int
    duplicate: int
    rejected: int


class Progress(TypedDict):
    """Lines of one import, of which `done` so far, and the outcome of these; `failed` counts records."""

    line_count: int
    done: int
    accepted: int
    duplicate: int
    rejected: int
    failed: int


class Appender(Protocol):
    """Takes what is kept together or not at all."""

    def append(
        self, portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False
    ) -> None: ...


class EdgeWriter(Protocol):
    """The edge's own way in, on the event loop. Not for several tasks at once."""

    async def append(self, portions: Sequence[Portion]) -> None:
        """Return when all of it is kept; raise `NotKept` when none of it is, or nobody knows."""

    async def close(self) -> None: ...


class NotKept(Exception):
    """The log did not take it. `is_refused`: it answered, and will not take it as it is; repeating it does not help."""

    def __init__(self, why: str, *, is_refused: bool = False) -> None:
        super().__init__(why)
        self.is_refused = is_refused


class LockLost(RuntimeError):
    """The ingestor's lock went with its session; another process may be writing already."""


class EventLog(Protocol):
    def whole(self) -> AbstractContextManager[Appender]:
        """For a block whose appends are kept together with the caller's transaction, or not at all."""

    def edge_writer(self) -> EdgeWriter: ...

    def waiting_lines(self, org_id: UUID | None = None, *, live: bool = False) -> int:
        """How far the ingestor is behind, with all or with one organisation's lines; `live` leaves out files."""

    def oldest_waiting(self) -> datetime | None:
        """When the record arrived that has waited longest; unknown where only reading the log would tell."""

    def unfinished(self) -> list[UUID]:
        """Batches that were claimed and not brought to their end, oldest first."""

    def claim(self) -> UUID | None:
        """Make a batch of the oldest waiting records of one organisation, if there are any; `LockLost` when another
        claimed them first. Where it can be, files and what arrived live take turns, so that neither waits for all of
        the other."""

    def records_of(self, batch_id: UUID) -> Sequence[Record]:
        """A batch's open records in order, with their organisation."""

    def lock(self, records: Sequence[Record]) -> bool:
        """Hold these, of one batch, until the transaction ends; whether they are all still to be done."""

    def finish(self, records: Sequence[Record]) -> None:
        """Keep the records' counts; their work is done."""

    def fail(self, records: Sequence[Record], why: str) -> None:
        """Pass these over until somebody clears `error` of their rows in PostgreSQL."""

    def release(self) -> None:
        """Take claimed batches apart: their records are claimed anew under other ids."""

    def progress(self, import_id: UUID, since: datetime | None = None) -> Progress:
        """How far an import is that began at `since`; without it, all of the log is looked through."""

    def close(self) -> None: ...
