"""Who sends: the holder of the request's API key, remembered for some seconds so that revoking one works soon."""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.db import Error

from apps.common.addresses import client_address, is_within
from apps.events.edge.desk import Desk
from apps.events.edge.http import Problem, Scope
from apps.orgs.public import API_KEY, API_KEY_IN_WORDS, KeyHolder, add_deliveries, find_key_holder

# A revoked key is refused after five seconds at the latest; the look-up itself takes some of them.
REMEMBERED = 4.0
MOST_UNKNOWN = 10_000
MOST_ASKED = 200
# How often a process tells the database how much each key was used.
TOLD_EVERY = 5.0
log = structlog.get_logger()


class Keys:
    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._clock = desk, clock
        self._known: dict[str, tuple[KeyHolder, float]] = {}
        self._unknown: dict[str, float] = {}
        self._asked: dict[str, asyncio.Task[KeyHolder | None]] = {}
        self._uses: dict[UUID, int] = {}
        self._telling: asyncio.Task[None] | None = None

    async def holder(self, scope: Scope, needed: str, *, in_url: bool = False) -> KeyHolder:
        """Whoever holds the key that the request bears, if it may do what is `needed`."""
        key = key_of_url(scope) if in_url else key_of(scope)
        found, until = self._known.get(key, (None, 0.0))
        if self._clock() > until:
            found = await self._ask(key)
        if found is None:
            raise _unauthorized("unknown_key", "This API key is unknown, revoked or expired.")
        if found.networks and not is_within(_address_of(scope), found.networks):
            raise Problem(HTTPStatus.FORBIDDEN, "address_not_allowed", "This API key works from other addresses only.")
        self._count(found.key_id)
        if needed not in found.scopes:
            raise Problem(HTTPStatus.FORBIDDEN, "scope_missing", f"This API key lacks the scope {needed}.")
        return found

    def _count(self, key_id: UUID) -> None:
        """Told to the database some seconds later, by one task for all that was counted meanwhile."""
        self._uses[key_id] = self._uses.get(key_id, 0) + 1
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        await asyncio.sleep(TOLD_EVERY)
        told, self._uses = self._uses, {}
        try:
            await self._desk.ask(partial(add_deliveries, told))
        except Error as error:
            log.warning("edge.uses_not_counted", error=type(error).__name__)

    async def _ask(self, key: str) -> KeyHolder | None:
        """One question for all requests that wait for its answer, and not many questions at once."""
        if self._clock() < self._unknown.get(key, 0.0):
            return None
        if key not in self._asked:
            if len(self._asked) >= MOST_ASKED:
                raise _unavailable()
            self._asked[key] = asyncio.create_task(self._look_up(key))
        try:
            return await asyncio.shield(self._asked[key])
        except Error as error:
            # Whether the key was revoked meanwhile cannot be known, so that a remembered one does not count either.
            raise _unavailable() from error

    async def _look_up(self, key: str) -> KeyHolder | None:
        try:
            found = await self._desk.ask(partial(find_key_holder, sha256(key.encode()).digest()))
            until = self._clock() + REMEMBERED
            if found is not None:
                self._known[key] = (found, until)
                return found
            self._known.pop(key, None)
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[key] = until
            return None
        finally:
            del self._asked[key]


def _unauthorized(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, code, detail, headers=[(b"www-authenticate", b"Bearer")])


def _unavailable() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "keys_unavailable",
        "API keys cannot be checked now; nothing of this was kept. Send it again.",
        retry_after=1,
    )


def _address_of(scope: Scope) -> Any:
    forwarded: bytes = dict(scope["headers"]).get(b"x-forwarded-for", b"")
    return client_address((scope.get("client") or ("",))[0], forwarded.decode("latin-1"))


def key_of(scope: Scope) -> str:
    """From `Authorization: Bearer …` or `X-API-Key: …`."""
    headers = dict(scope["headers"])
    return _key_in(headers.get(b"authorization", b""), headers.get(b"x-api-key", b""))


@lru_cache(1024)
def _key_in(authorization: bytes, own_header: bytes) -> str:
    kind, _, value = authorization.partition(b" ")
    found = value if kind.lower() == b"bearer" else own_header
    return _checked(found.strip().decode("latin-1"))


def key_of_url(scope: Scope) -> str:
    """From `?k=…`, where a page cannot set headers; such keys may write pixels only."""
    return _checked(parse_qs(scope["query_string"].decode("latin-1")).get("k", [""])[0])


def _checked(key: str) -> str:
    if not key:
        raise _unauthorized("key_missing", "Send an API key as `Authorization: Bearer …` or `X-API-Key: …`.")
    if not API_KEY.fullmatch(key):
        raise _unauthorized("unknown_key", API_KEY_IN_WORDS)
    return key
