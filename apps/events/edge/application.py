"""The ingest edge: a bare ASGI callable beside Django, since a Django request costs several times what the work does.

202 means: in the log, on disk. Everything else says what to do, as a problem document. What is rejected is kept too, in
quarantine, so that it can be looked at and replayed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from apps.events.edge import gauges, pixel, schema
from apps.events.edge.committing import GroupCommit
from apps.events.edge.conversion import as_conversion
from apps.events.edge.desk import Desk
from apps.events.edge.http import (
    JSON,
    AnswerBroken,
    Bodies,
    Bound,
    ClientGone,
    Problem,
    Receive,
    Scope,
    Send,
    answer,
)  # fmt: skip
from apps.events.edge.judging import Verdict, items_of, judge, judge_all, pointer
from apps.events.edge.keys import Keys
from apps.events.edge.limits import Limits
from apps.events.edge.pressure import Pressure
from apps.events.quality import Window
from apps.events.unknown_fields import unknown_fields
from apps.orgs.public import KeyHolder
from apps.orgs.public import Scope as May

log = structlog.get_logger()
Door = Callable[[Scope, Receive, Send], Awaitable[int]]
# The event loop does other things after so many bytes of a batch, where an item counts as `LEAST` bytes more.
BYTES_AT_A_TIME, LEAST = 100_000, 300
# Bodies and answers of this size are taken apart and put together in a thread, between whose steps the loop goes on.
LARGE, MANY = 200_000, 1_000
# The pixel's key stands in pages for everybody to read, so that its door is narrow: what `sendBeacon` takes.
PIXEL, PIXEL_ITEMS = Bound(65_536, 65_536), 50
MOST_WARNINGS = 1_000
ALLOWED: Mapping[str, tuple[bytes, ...]] = {
    "/api/v1/events": (b"POST",),
    "/api/v1/events/batch": (b"POST",),
    "/api/v1/conversions": (b"POST",),
    "/api/v1/schema/event.json": (b"GET", b"HEAD"),
    "/p.gif": (b"GET", b"POST"),
    "/tag.js": (b"GET", b"HEAD"),
    "/metrics": (b"GET",),
}


UNFORESEEN = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "unforeseen",
    "Something failed here and is noted; this may not be kept.",
)


class Edge:
    def __init__(self) -> None:
        self._keys = Keys(Desk("keys"))
        self._log = GroupCommit()
        self._pressure = Pressure(Desk("pressure"))
        self._limits = Limits()
        self._bodies = Bodies()
        self._doors: Mapping[str, Door] = {
            "/api/v1/events": self._one,
            "/api/v1/events/batch": self._batch,
            "/api/v1/conversions": self._conversion,
            "/api/v1/schema/event.json": self._schema,
            "/p.gif": self._pixel,
            "/tag.js": self._tag,
            "/metrics": self._metrics,
        }

    def has(self, path: str) -> bool:
        return path in self._doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        try:
            status = await self._answer(path, scope, receive, send)
        except ClientGone:
            return
        except AnswerBroken as error:
            log.warning("edge.answer_broken", path=path, error=repr(error.__cause__))
            return
        finally:
            self._bodies.release()
        gauges.count(path, status)

    async def _answer(self, path: str, scope: Scope, receive: Receive, send: Send) -> int:
        try:
            if scope["method"].encode() not in ALLOWED[path]:
                raise _wrong_method(path)
            return await self._doors[path](scope, receive, send)
        except Problem as problem:
            return await answer(send, problem.status, problem.body, problem.headers)
        except (ClientGone, AnswerBroken):
            raise
        except Exception:
            log.exception("edge.failed", path=path)
            return await answer(send, UNFORESEEN.status, UNFORESEEN.body, UNFORESEEN.headers)

    async def _one(self, scope: Scope, receive: Receive, send: Send) -> int:
        return await self._take_one(scope, receive, send, lambda body: body)

    async def _conversion(self, scope: Scope, receive: Receive, send: Send) -> int:
        return await self._take_one(scope, receive, send, as_conversion)

    async def _take_one(self, scope: Scope, receive: Receive, send: Send, shape: Callable[[bytes], bytes]) -> int:
        holder = await self._keys.holder(scope, May.WRITE_EVENTS)
        body = await self._bodies.read(scope, receive)
        bucket = self._limits.take(holder.org_id, holder.events_per_second, 1, len(body))
        verdict = judge(shape(body), holder.identity_key, Window.at(datetime.now(UTC), history=False))
        asks = only_asks(scope)
        if not asks:
            self._pressure.check()
            await self._log.keep(holder.org_id, source_of(holder), [verdict.line])
        if verdict.why:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                verdict.why.code,
                verdict.why.message,
                pointer=pointer(None, verdict.why.field),
            )
        told = b'{"event_id":%b,"status":"accepted"}' % msgspec.json.encode(verdict.event_id)
        if asks:
            told = msgspec.json.encode({**verdict.told(0), "warnings": warnings_of(verdict)})
        return await answer(send, success(asks), told, [JSON, *bucket.headers])

    async def _batch(self, scope: Scope, receive: Receive, send: Send) -> int:
        holder = await self._keys.holder(scope, May.WRITE_EVENTS)
        body = await self._bodies.read(scope, receive)
        items = await _items_calmly(body)
        bucket = self._limits.take(holder.org_id, holder.events_per_second, len(items), len(body))
        self._pressure.check()
        verdicts = await _judge_calmly(items, holder.identity_key)
        asks = only_asks(scope)
        if not asks:
            await self._log.keep(holder.org_id, source_of(holder), [verdict.line for verdict in verdicts])
        told = summary(verdicts, asks) if len(verdicts) < MANY else await asyncio.to_thread(summary, verdicts, asks)
        return await answer(send, success(asks), told, [JSON, *bucket.headers])

    async def _pixel(self, scope: Scope, receive: Receive, send: Send) -> int:
        """GET: one event in the URL, answered by a picture. POST: a batch, as the tag's `sendBeacon` sends it."""
        holder = await self._keys.holder(scope, May.PIXEL, in_url=True)
        if scope["method"] == "GET":
            body = pixel.event_of(scope["query_string"].decode("latin-1"))
            items = [body]
        else:
            body = await self._bodies.read(scope, receive, PIXEL)
            items = items_of(body, PIXEL_ITEMS)
        self._limits.take(holder.org_id, holder.events_per_second, len(items), len(body))
        self._pressure.check()
        verdicts = await _judge_calmly(items, holder.identity_key)
        await self._log.keep(holder.org_id, f"pixel/{holder.name}"[:80], [verdict.line for verdict in verdicts])
        if scope["method"] == "GET":
            return await answer(send, HTTPStatus.OK, pixel.GIF, pixel.IMAGE)
        return await answer(send, HTTPStatus.NO_CONTENT, b"", pixel.OPEN)

    async def _tag(self, scope: Scope, receive: Receive, send: Send) -> int:
        return await answer(send, HTTPStatus.OK, pixel.tag(), pixel.SCRIPT, only_head=scope["method"] == "HEAD")

    async def _metrics(self, scope: Scope, receive: Receive, send: Send) -> int:
        return await answer(send, HTTPStatus.OK, gauges.render(scope), gauges.HEADERS)

    async def _schema(self, scope: Scope, receive: Receive, send: Send) -> int:
        kind = [(b"content-type", b"application/schema+json")]
        return await answer(send, HTTPStatus.OK, schema.document(), kind, only_head=scope["method"] == "HEAD")


def _wrong_method(path: str) -> Problem:
    allowed = b", ".join(ALLOWED[path])
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        f"Use {allowed.decode()}.",
        headers=[(b"allow", allowed)],
    )


async def _items_calmly(body: bytes) -> list[bytes]:
    return items_of(body) if len(body) < LARGE else await asyncio.to_thread(items_of, body)


async def _judge_calmly(items: list[bytes], identity_key: bytes) -> list[Verdict]:
    verdicts: list[Verdict] = []
    waiting = 0
    for item, verdict in zip(items, judge_all(items, identity_key), strict=True):
        verdicts.append(verdict)
        waiting += len(item) + LEAST
        if waiting > BYTES_AT_A_TIME:
            waiting = 0
            await asyncio.sleep(0)
    return verdicts


def summary(verdicts: list[Verdict], asks: bool) -> bytes:
    """Whoever only asks is told of ignored members too."""
    told = [verdict.told(place) for place, verdict in enumerate(verdicts)]
    if asks:
        told = list(with_warnings(told, verdicts))
    counts = {name: sum(one["status"] == name for one in told) for name in ("accepted", "duplicate", "rejected")}
    return msgspec.json.encode({**counts, "items": told})


def with_warnings(told: list[dict[str, Any]], verdicts: list[Verdict]) -> Iterator[dict[str, Any]]:
    """The first of a batch: whoever gets so many has seen enough."""
    left = MOST_WARNINGS
    for one, verdict in zip(told, verdicts, strict=True):
        warnings = warnings_of(verdict)[:left] if left else []
        left -= len(warnings)
        yield {**one, "warnings": warnings}


def warnings_of(verdict: Verdict) -> list[dict[str, str]]:
    return [{"pointer": one.pointer, "message": one.message} for one in unknown_fields(verdict.line)]


def only_asks(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    return bool(query) and parse_qs(query.decode("latin-1")).get("validate_only") in (["1"], ["true"])


def success(asks: bool) -> int:
    return HTTPStatus.OK if asks else HTTPStatus.ACCEPTED


def source_of(holder: KeyHolder) -> str:
    return f"api/{holder.name}"[:80]
