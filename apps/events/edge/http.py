"""The little of HTTP that the edge needs: bodies within bounds, answers as JSON, problems by RFC 9457."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

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
# A whole body has to arrive within this time, in seconds.
PATIENCE = 20
JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", MEDIA_TYPE.encode())


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


class Bodies:
    """Reads whole bodies. Who takes too long is stopped by one sweep a second: a timer each would cost too much."""

    def __init__(self) -> None:
        self._since: dict[asyncio.Task[Any], float] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, unpacked if it came packed."""
        if self._loop is None:  # looked up once: each look-up is a system call
            self._loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[Any]", asyncio.current_task(self._loop))
        self._since[task] = self._loop.time()
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())
        try:
            body = await _whole(receive)
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
        return unpack(body, name) if len(body) < SMALL else await asyncio.to_thread(unpack, body, name)

    async def _sweep(self) -> None:
        while self._since:
            await asyncio.sleep(1)
            oldest = asyncio.get_running_loop().time() - PATIENCE
            for task, since in list(self._since.items()):
                if since < oldest:
                    del self._since[task]
                    task.cancel()


async def _whole(receive: Receive) -> bytes:
    """Of a body that is too large the rest is read and dropped, within bounds: else the sender never sees why."""
    pieces, size, more = [], 0, True
    while more and size <= MOST_DROPPED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        if piece and size <= MOST_BYTES:
            pieces.append(piece)
        more = message.get("more_body", False)
    if size > MOST_BYTES:
        raise _too_large()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def unpack(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in {"gzip", "zstd"}:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unknown_encoding",
            f"Content-Encoding {encoding[:40]!r} is not one of gzip, zstd.",
        )
    try:
        unpacked, whole = _gunzip(body) if encoding == "gzip" else _unzstd(body)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_body", f"The body is not {encoding}: {error}.") from error
    if len(unpacked) > MOST_UNPACKED:
        raise _too_large()
    if not whole:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_body", f"The {encoding} body is cut off.")
    return unpacked


def _gunzip(body: bytes) -> tuple[bytes, bool]:
    unpacker = zlib.decompressobj(31)
    return unpacker.decompress(body, MOST_UNPACKED + 1), unpacker.eof


def _unzstd(body: bytes) -> tuple[bytes, bool]:
    with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=False) as reader:
        unpacked = reader.read(MOST_UNPACKED + 1)
    size = zstandard.frame_content_size(body)
    return unpacked, size in {-1, len(unpacked)}


def header(scope: Scope, name: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return dict(headers).get(name)


async def answer(send: Send, status: int, body: bytes, headers: Headers, *, only_head: bool = False) -> int:
    """Answers the status, for whoever counts. To HEAD the length is told, and the body not sent."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if only_head else body})
    return status


def _too_large() -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body_too_large",
        f"A body has at most {MOST_BYTES // 1_000_000} MB, and {MOST_UNPACKED // 1_000_000} MB unpacked.",
    )
