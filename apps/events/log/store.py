"""The chosen log for those who append a record now and then or ask how far it is."""

from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from apps.events.log.chosen import event_log
from apps.events.log.interface import BYTES_PER_RECORD, LINES_PER_RECORD, Appender, Portion, Progress

__all__ = [
    "BYTES_PER_RECORD",
    "LINES_PER_RECORD",
    "Appender",
    "Portion",
    "append",
    "oldest_waiting",
    "progress",
    "release",
    "waiting_lines",
    "whole",
]


def whole() -> AbstractContextManager[Appender]:
    """For a block whose appends are kept together with the caller's transaction, or not at all."""
    return event_log().whole()


def append(portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False) -> None:
    """Write one record. It is kept once the caller's transaction commits."""
    with whole() as log:
        log.append(portion, import_id=import_id, first_position=first_position, history=history)


def waiting_lines(org_id: UUID | None = None, *, live: bool = False) -> int:
    """How far the ingestor is behind, with all or with one organisation's lines; `live` leaves out files."""
    return event_log().waiting_lines(org_id, live=live)


def oldest_waiting() -> datetime | None:
    """When the record arrived that has waited longest; unknown where only reading the log would tell."""
    return event_log().oldest_waiting()


def release() -> None:
    """Take claimed batches apart: their records are claimed anew under other ids. What had arrived of them counts as
    duplicate then, where a replay would rely on a token that the warehouse may have forgotten."""
    event_log().release()


def progress(import_id: UUID, since: datetime | None = None) -> Progress:
    """How far an import is. `since`, when it began, saves looking through all of the log."""
    return event_log().progress(import_id, since)
