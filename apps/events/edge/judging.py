"""What becomes of each item of a request: taken, a repeat, or turned away with a code, the field and the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec

from apps.events import quality
from apps.events.canonical import LONGEST_LINE, Rejection, decode
from apps.events.edge.http import Problem
from apps.events.plain_words import not_an_array
from apps.events.preparing import SEPARATOR
from apps.events.privacy import blot, scrub
from apps.events.quality import Window

MOST_ITEMS = 10_000
# Blank lines included; and commas, of which an event of the usual size has ten. Counting is cheap, and no list of
# millions is made before somebody looks at its length.
MOST_LINES = 2 * MOST_ITEMS
MOST_COMMAS = 1_000_000
ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Verdict:
    """One item: its line as it goes to the log, and what the sender is told."""

    line: bytes
    event_id: str
    why: Rejection | None = None
    repeats: bool = False

    @property
    def status(self) -> str:
        return "rejected" if self.why else "duplicate" if self.repeats else "accepted"

    def told(self, place: int) -> dict[str, Any]:
        if self.why is None:
            return {"event_id": self.event_id, "status": self.status}
        why = {"code": self.why.code, "pointer": pointer(place, self.why.field), "message": self.why.message}
        return {"status": self.status, **why}


def judge(line: bytes, identity_key: bytes, window: Window) -> Verdict:
    """By the same rules as the ingestor, personal data taken out before anything else."""
    clean = scrub(line, identity_key)
    if SEPARATOR in clean:
        clean = _one_line(clean)
    found = decode(clean)
    if isinstance(found, Rejection):
        return Verdict(_kept(clean, found), "", found)
    event, properties = found
    event_id = sha256(clean).hexdigest() if event.event_id is None else str(event.event_id)
    return Verdict(clean, event_id, quality.check(event, properties, window))


def judge_all(lines: Iterable[bytes], identity_key: bytes) -> Iterator[Verdict]:
    """One after the other; of items with one id the first counts."""
    window, seen = Window.at(datetime.now(UTC), history=False), set[str]()
    for line in lines:
        verdict = judge(line, identity_key, window)
        if verdict.why is None:
            if verdict.event_id in seen:
                verdict = Verdict(verdict.line, verdict.event_id, repeats=True)
            seen.add(verdict.event_id)
        yield verdict


def items_of(body: bytes, most: int = MOST_ITEMS) -> list[bytes]:
    """A JSON array's members, or the lines of NDJSON."""
    start = body.lstrip()[:1]
    if not start:
        raise Problem(HTTPStatus.BAD_REQUEST, "empty_body", "Send a JSON array of events, or NDJSON.")
    items = _members(body) if start == b"[" else [line for line in body.split(b"\n", MOST_LINES) if line.strip()]
    if not items:
        raise Problem(HTTPStatus.BAD_REQUEST, "empty_body", "The batch has no events.")
    if len(items) > most:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_many_events",
            f"A batch has at most {most:,} events here; this one has {len(items):,}.",
        )
    return items


def pointer(place: int | None, field: str) -> str:
    """RFC 6901, from the decoder's `source.platform` or `items[2].id`."""
    steps = [] if place is None else [str(place)]
    steps += [step for step in field.replace("[", ".").replace("]", "").split(".") if step]
    return "".join(f"/{step}" for step in steps)


def _members(body: bytes) -> list[bytes]:
    if body.count(b",") > MOST_COMMAS:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_many_events",
            f"A batch has at most {MOST_ITEMS:,} events, and {MOST_COMMAS:,} commas in all.",
        )
    try:
        return [bytes(item) for item in ITEMS.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed_json", not_an_array(str(error))) from error


def _kept(line: bytes, why: Rejection) -> bytes:
    """Of a line that was turned away: of one that is too long as much as shows that it is."""
    if why.code == "malformed_json":
        return blot(line)[:LONGEST_LINE]
    return line[: LONGEST_LINE + 1]


def _one_line(text: bytes) -> bytes:
    """Records of the log are lines. What is not JSON keeps its words, and will be turned away by its own fault."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text.replace(SEPARATOR, b" ")
