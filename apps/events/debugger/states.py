"""What became of received lines: they wait, are stored, are repeats, or were turned away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.events.debugger.received import Received
from apps.events.queries import stored_events


class State(StrEnum):
    WAITING = "waiting"
    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    FAILED = "failed"
    # Its event is not there: the row was removed, or the warehouse was lost and not filled again.
    GONE = "gone"


MEANING: Mapping[State, str] = {
    State.WAITING: "In the log, not yet processed.",
    State.STORED: "Processed, and there to be queried.",
    State.DUPLICATE: "An event with this id had arrived before; this one changes nothing.",
    State.REJECTED: "It breaks a rule and is in quarantine, unless it was replayed.",
    State.FAILED: "Its record could not be processed and was passed over; an operator has to look.",
    State.GONE: "It was processed, but its event is not stored any more.",
}


@dataclass(frozen=True)
class Line:
    received: Received
    state: State

    @property
    def meaning(self) -> str:
        return MEANING[self.state]


def tell_states(org_id: UUID, lines: Sequence[Received]) -> list[Line]:
    """In the order given; `org_id` is that of the data shown."""
    asked = [(one.event_id, one.happened_at) for one in lines if one.is_done and not one.why and one.happened_at]
    known = stored_events.fetch(org_id, asked)
    return [Line(one, state) for one, state in zip(lines, _states(lines, known), strict=True)]


def _states(lines: Sequence[Received], known: Mapping[str, stored_events.Row]) -> list[State]:
    """Of several lines with one id in one batch it is the first that was stored, hence oldest first."""
    stored: set[str] = set()
    states: dict[int, State] = {}
    for number in sorted(range(len(lines)), key=lambda place: (lines[place].record_id, lines[place].place)):
        one = lines[number]
        states[number] = state = state_of(one, None if one.event_id in stored else known.get(one.event_id), known)
        if state is State.STORED:
            stored.add(one.event_id)
    return [states[number] for number in range(len(lines))]


def state_of(one: Received, row: stored_events.Row | None, known: Mapping[str, stored_events.Row]) -> State:
    if one.why:
        return State.REJECTED
    if one.failure:
        return State.FAILED
    if not one.is_done:
        return State.WAITING
    if row is not None and row.content_hash == one.digest.hex() and is_same_moment(row.received_at, one.received_at):
        return State.STORED
    return State.DUPLICATE if one.event_id in known else State.GONE


def is_same_moment(stored: datetime, received: datetime) -> bool:
    """The warehouse keeps milliseconds, cut off."""
    return stored == received.replace(microsecond=received.microsecond // 1000 * 1000)
