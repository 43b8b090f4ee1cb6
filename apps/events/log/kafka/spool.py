"""Messages that wait for the end of what they belong to: in memory while few, then in a file.

So a transaction of Kafka lasts as long as sending does, not as long as reading a file: while one is open, nothing
behind it is handed out.
"""

import struct
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from uuid import UUID

import msgspec

from apps.events.log.interface import Portion
from apps.events.log.kafka.messages import Outgoing, messages_of

IN_MEMORY = 16_000_000
LENGTH = struct.Struct("<I")


class Spool:
    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self.lines: dict[tuple[UUID, UUID], int] = {}
        self.is_empty = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def append(
        self, portion: Portion, *, import_id: UUID | None = None, first_position: int = 1, history: bool = False
    ) -> None:
        self.is_empty = False
        if import_id is not None:
            key = (import_id, portion.org_id)
            self.lines[key] = self.lines.get(key, 0) + len(portion.lines)
        for message in messages_of(portion, import_id=import_id, first_position=first_position, history=history):
            packed = msgspec.msgpack.encode(message)
            self._file.write(LENGTH.pack(len(packed)) + packed)

    def messages(self) -> Iterator[Outgoing]:
        self._file.seek(0)
        while length := self._file.read(LENGTH.size):
            yield msgspec.msgpack.decode(self._file.read(*LENGTH.unpack(length)), type=Outgoing)
