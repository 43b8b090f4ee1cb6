"""Bodies as they come in pieces: what all of them together may take, and answers that break off."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import zstandard

from apps.events.edge import http
from apps.events.edge.application import Edge
from apps.events.edge.http import Bodies, Bound, Problem, unpack
from apps.events.edge.limits import BYTES_PER_EVENT, Limits
from tests.support import loop

PLAIN: dict[str, Any] = {"headers": []}


def sent(
    *pieces: bytes, wait: Callable[[], Awaitable[object]] | None = None
) -> Callable[[], Awaitable[dict[str, Any]]]:
    """What a server hands over; before the last piece it waits."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        if wait and len(left) == 1:
            await wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def test_bodies_that_are_too_much_together_are_refused_until_others_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_HELD", 100_000)

    async def go_through() -> None:
        bodies, is_refused = Bodies(), asyncio.Event()

        async def first() -> bytes:
            try:
                return await bodies.read(PLAIN, sent(b"a" * 60_000, b"a", wait=is_refused.wait))
            finally:
                bodies.release()

        async def second() -> bytes:
            try:
                return await bodies.read(PLAIN, sent(b"b" * 30_000, b"b" * 30_000, b"b"))
            finally:
                bodies.release()

        under_way = asyncio.create_task(first())
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await second()
        assert (refused.value.status, refused.value.code) == (503, "too_much_at_once")
        is_refused.set()
        assert len(await under_way) == 60_001
        assert bodies.held == 0
        assert len(await second()) == 60_001

    loop.run(go_through())


def test_what_a_packed_body_becomes_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_HELD", 100_000)

    async def read() -> bytes:
        bodies = Bodies()
        try:
            scope = {"headers": [(b"content-encoding", b"gzip")]}
            return await bodies.read(scope, sent(packed("gzip", b" " * 150_000)))
        finally:
            bodies.release()
            assert bodies.held == 0

    with pytest.raises(Problem, match="than there is memory for"):
        loop.run(read())


def test_a_small_body_is_not_counted() -> None:
    async def read() -> tuple[bytes, int]:
        bodies = Bodies()
        return await bodies.read(PLAIN, sent(b"{}")), bodies.held

    assert loop.run(read()) == (b"{}", 0)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bytes_beyond_the_bound_are_never_unpacked_whole(encoding: str) -> None:
    body = b"".join(packed(encoding, b" " * 1_000_000) for _ in range(3))
    assert len(unpack(body, encoding, Bound(unpacked=3_000_000))) == 3_000_000
    with pytest.raises(Problem, match="2,999,999 unpacked"):
        unpack(body, encoding, Bound(unpacked=2_999_999))


def packed(encoding: str, body: bytes) -> bytes:
    return gzip.compress(body) if encoding == "gzip" else zstandard.compress(body)


def test_large_events_count_as_several() -> None:
    async def take() -> float:
        return Limits().take(uuid4(), 100, 1, 20 * BYTES_PER_EVENT).level

    assert loop.run(take()) == pytest.approx(80, abs=5)


def test_no_second_answer_is_begun_after_a_first() -> None:
    said: list[str] = []

    async def send(message: Any) -> None:
        said.append(message["type"])
        if message["type"] == "http.response.body":
            raise ConnectionError("gone")

    async def ask() -> None:
        scope = {"path": "/tag.js", "method": "GET", "headers": [], "query_string": b""}
        await Edge()(scope, sent(b""), send)

    loop.run(ask())
    assert said == ["http.response.start", "http.response.body"]
