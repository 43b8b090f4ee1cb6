"""A record of the log as one message of Kafka: lines as zstd, what is known of them in headers, organisation as key.

So all of an organisation's events are in one partition, in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import zstandard
from confluent_kafka import Message

from apps.events.log.interface import Portion
from apps.events.preparing import SEPARATOR

# A broker's usual limit for a message. Nobody has to raise it: of a message's lines there are at most so many bytes
# before compression, or one line of the longest kind.
LARGEST = 1_048_588
MOST_BYTES = 1_000_000
VERSION = b"1"


@dataclass(frozen=True)
class Envelope:
    """What a message says of its lines."""

    org_id: UUID
    source: str
    import_id: UUID | None
    history: bool
    first_position: int
    line_count: int
    byte_count: int


@dataclass(frozen=True)
class Outgoing:
    envelope: Envelope
    payload: bytes

    @property
    def arguments(self) -> dict[str, Any]:
        """For `Producer.produce`."""
        one = self.envelope
        headers: list[tuple[str, bytes]] = [
            ("v", VERSION),
            ("org", str(one.org_id).encode()),
            ("source", one.source.encode()),
            ("import", str(one.import_id or "").encode()),
            ("history", b"1" if one.history else b"0"),
            ("first", b"%d" % one.first_position),
            ("lines", b"%d" % one.line_count),
            ("bytes", b"%d" % one.byte_count),
        ]
        return {"key": one.org_id.bytes, "value": self.payload, "headers": headers}


def messages_of(
    portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False
) -> Iterator[Outgoing]:
    """A portion as messages of a fair size, each with the place of its first line."""
    for lines in _runs(portion.lines):
        joined = SEPARATOR.join(lines)
        envelope = Envelope(portion.org_id, portion.source, import_id, history, first_position, len(lines), len(joined))
        yield Outgoing(envelope, zstandard.compress(joined, 1))
        first_position += len(lines)


def _runs(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    run: list[bytes] = []
    size = 0
    for line in lines:
        if run and size + len(line) >= MOST_BYTES:
            yield run
            run, size = [], 0
        run.append(line)
        size += len(line) + 1
    if run:
        yield run


@dataclass(frozen=True)
class Incoming:
    partition: int
    offset: int
    arrived_at: datetime
    envelope: Envelope
    payload: bytes


def read(message: Message) -> Incoming | None:
    """What arrived, or nothing when it is not one of ours."""
    headers = {one[0]: one[1] for one in message.headers() or [] if isinstance(one[1], bytes)}
    try:
        if headers["v"] != VERSION:
            return None
        envelope = Envelope(
            org_id=UUID(headers["org"].decode()),
            source=headers["source"].decode(),
            import_id=UUID(headers["import"].decode()) if headers["import"] else None,
            history=headers["history"] == b"1",
            first_position=int(headers["first"]),
            line_count=int(headers["lines"]),
            byte_count=int(headers["bytes"]),
        )
    except (KeyError, ValueError):
        return None
    partition, offset, payload = message.partition(), message.offset(), message.value()
    if partition is None or offset is None or payload is None:
        return None
    _, milliseconds = message.timestamp()
    arrived_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return Incoming(partition, offset, arrived_at, envelope, bytes(payload))
