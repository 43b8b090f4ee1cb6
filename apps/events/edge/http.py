"""The little of HTTP that the edge needs: bodies within bounds, answers as JSON, problems by RFC 9457."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, cast

import msgspec
import zstandard

from apps.common.problems import MEDIA_TYPE, problem_document

Scope = Mapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

MOST_BYTES = 16_000_000
MOST_DROPPED = 100_000_000
# What a compressed body may unpack to: JSON shrinks tenfold, bombs a thousandfold.
MOST_UNPACKED = 64_000_000
# A packed body of so many bytes unpacks to a few megabytes at most: a thread would take longer.
SMALL = 4_000
# Packed bytes that are unpacked in one step: of zstd they may become 32 MB, which is all that is ever too much.
STEP = 1_000
# More members of gzip or frames of zstd have no purpose, and each costs an unpacker.
MOST_MEMBERS = 10_000
# All bodies together may take so much memory while they are read, unpacked and worked on. A small one that arrives in
# one piece is not counted: connections bound these.
MOST_HELD = 256_000_000
UNCOUNTED = 16_000
# So many large packed bodies are unpacked at once; the others wait for their turn.
UNPACKINGS = 4
# A whole body has to arrive within this time, in seconds.
PATIENCE = 20
JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", MEDIA_TYPE.encode())


NOT_JSON = (
    b"text/csv", b"text/tab-separated-values", b"text/html", b"text/xml", b"application/xml", b"multipart/",
    b"application/vnd.ms-excel", b"application/vnd.openxmlformats",
)  # fmt: skip


class Problem(Exception):
    """An answer other than success: a stable code, a sentence that says what would be right, where it went wrong."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        retry_after: float | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.pointer, self.retry_after = status, code, detail, pointer, retry_after
        self._more = headers

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(problem_document(self.status, self.code, self.detail, pointer=self.pointer))

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        wait = [] if self.retry_after is None else [(b"retry-after", b"%d" % max(1, round(self.retry_after + 0.5)))]
        return [PROBLEM, *wait, *self._more]


class ClientGone(Exception):
    """Nobody is there to be answered."""


class AnswerBroken(Exception):
    """An answer had begun when it failed, so that no other can follow."""


@dataclass(frozen=True)
class Bound:
    """The most bytes of a body, as it comes and unpacked."""

    packed: int = MOST_BYTES
    unpacked: int = MOST_UNPACKED


ANY = Bound()


class Bodies:
    """Reads whole bodies. Who takes too long is stopped by one sweep a second: a timer each would cost too much.

    What a request's body takes counts until `release`: see `MOST_HELD`.
    """

    def __init__(self) -> None:
        self._since: dict[asyncio.Task[Any], float] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unpacking = asyncio.Semaphore(UNPACKINGS)
        self._held: dict[asyncio.Task[Any], int] = {}
        self.held = 0

    async def read(self, scope: Scope, receive: Receive, bound: Bound = ANY) -> bytes:
        """The whole body, unpacked if it came packed."""
        check_kind(header(scope, b"content-type"))
        if self._loop is None:  # looked up once: each look-up is a system call
            self._loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[Any]", asyncio.current_task(self._loop))
        self._since[task] = self._loop.time()
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())
        try:
            body = await self._whole(receive, task, bound)
        except asyncio.CancelledError as error:
            if task in self._since:
                raise
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", f"The body did not arrive within {PATIENCE} s."
            ) from error
        finally:
            self._since.pop(task, None)
        encoding = header(scope, b"content-encoding")
        if encoding is None:
            return body
        name = encoding.decode("latin-1").strip().lower()
        if len(body) < SMALL:
            unpacked = unpack(body, name, bound)
        else:
            async with self._unpacking:
                unpacked = await asyncio.to_thread(unpack, body, name, bound)
        if len(unpacked) > UNCOUNTED and not self._hold(task, len(unpacked)):
            raise _full()
        return unpacked

    def release(self) -> None:
        """The current request needs its body no more."""
        if self._held:
            self._forget(cast("asyncio.Task[Any]", asyncio.current_task(self._loop)))

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self.held -= self._held.pop(task, 0)

    def _hold(self, task: "asyncio.Task[Any]", size: int) -> bool:
        """Whether there is room for so many more bytes; they count then."""
        if self.held + size > MOST_HELD:
            return False
        self.held += size
        self._held[task] = self._held.get(task, 0) + size
        return True

    async def _whole(self, receive: Receive, task: "asyncio.Task[Any]", bound: Bound) -> bytes:
        """Of a body that is too large the rest is read and dropped, within bounds: else the sender never sees why."""
        pieces: list[bytes] = []
        size, most, more, is_full = 0, bound.packed, True, False
        while more and size <= MOST_DROPPED:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            piece = message.get("body", b"")
            size += len(piece)
            more = message.get("more_body", False)
            if not more and size == len(piece) <= min(UNCOUNTED, most):
                return cast(bytes, piece)
            if is_full or size > most:
                pieces.clear()
            elif self._hold(task, len(piece)):
                pieces.append(piece)
            else:
                is_full = True
                self._forget(task)
        if size > most:
            raise _too_large(bound)
        if is_full:
            raise _full()
        return b"".join(pieces)

    async def _sweep(self) -> None:
        while self._since:
            await asyncio.sleep(1)
            oldest = asyncio.get_running_loop().time() - PATIENCE
            for task, since in list(self._since.items()):
                if since < oldest:
                    del self._since[task]
                    task.cancel()


class Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /) -> bytes: ...


UNPACKERS: Mapping[str, Callable[[], Unpacker]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


def unpack(body: bytes, encoding: str, bound: Bound = ANY) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in UNPACKERS:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unknown_encoding",
            f"Content-Encoding {encoding[:40]!r} is not one of gzip, zstd.",
        )
    try:
        pieces = _unpacked(body, encoding, bound)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_body", f"The body is not {encoding}: {error}.") from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _unpacked(body: bytes, encoding: str, bound: Bound) -> list[bytes]:
    """What all members or frames of the body hold; several in a row are one body."""
    pieces: list[bytes] = []
    size, members, unpacker = 0, 0, None
    for start in range(0, len(body), STEP):
        data = body[start : start + STEP]
        while data:
            if unpacker is None:
                unpacker, members = UNPACKERS[encoding](), members + 1
            pieces.append(unpacker.decompress(data))
            size += len(pieces[-1])
            if size > bound.unpacked or members > MOST_MEMBERS:
                raise _too_large(bound)
            data = (unpacker.unused_data or b"") if unpacker.eof else b""
            unpacker = None if unpacker.eof else unpacker
    if unpacker is not None or not members:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_body", f"The {encoding} body is cut off.")
    return pieces


def check_kind(kind: bytes | None) -> None:
    """Senders name JSON by many names, or not at all; these are not JSON by any."""
    if kind is not None and kind.lower().startswith(NOT_JSON):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unknown_content_type",
            f"Content-Type {kind.decode('latin-1')[:40]!r} is not JSON; send application/json or application/x-ndjson. "
            "Files are taken by the page Files and by `manage.py import_events`.",
        )


def header(scope: Scope, name: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return dict(headers).get(name)


async def answer(send: Send, status: int, body: bytes, headers: Headers, *, only_head: bool = False) -> int:
    """Answers the status, for whoever counts. To HEAD the length is told, and the body not sent."""
    length = (b"content-length", b"%d" % len(body))
    try:
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": b"" if only_head else body})
    except Exception as error:
        raise AnswerBroken(status) from error
    return status


def _too_large(bound: Bound) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body_too_large",
        f"A body has at most {bound.packed:,} bytes here, and {bound.unpacked:,} unpacked.",
    )


def _full() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too_much_at_once",
        "More arrives at once than there is memory for; nothing of this was kept. Send it again.",
        retry_after=1,
    )
