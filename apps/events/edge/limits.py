"""How much an organisation may send: a token bucket in this process, evened out with Redis ten times a second.

Workers on several hosts share the bucket in Redis; between two exchanges one of them may let through what another has
taken already. When Redis is away, the process goes on with its own count.
"""

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from apps.events.edge import gauges
from apps.events.edge.http import Problem

log = structlog.get_logger()
EXCHANGE_EVERY = 0.1
# What may be sent at once after a pause, in seconds' worth; one batch of any size is let through and paid off after.
BURST = 1.0
# Bytes count beside events: one larger than this is as many events as it has such parts.
BYTES_PER_EVENT = 10_000
FORGET_AFTER = 60
# Takes tokens from the shared bucket; answers how many are left, which may be less than none.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = math.min(burst, (tonumber(state[1]) or burst) + (now - (tonumber(state[2]) or now)) * rate) - taken
redis.call('HSET', KEYS[1], 'level', level, 'at', now)
redis.call('EXPIRE', KEYS[1], 3600)
return tostring(level)
"""


@dataclass
class Bucket:
    rate: float
    level: float
    at: float = field(default_factory=time.monotonic)
    unsaid: float = 0.0  # taken here, and not yet from the shared bucket

    def take(self, count: int) -> None:
        """Take `count` tokens if there is any; raise `Problem` with the time to wait if not."""
        if not self.rate:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "This organisation may send no events.")
        now = time.monotonic()
        self.level = min(self.rate * BURST, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level <= 0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rate_limited",
                f"This organisation may send {self.rate:,.0f} events a second, of {BYTES_PER_EVENT:,} bytes each.",
                retry_after=-self.level / self.rate,
                headers=self.headers,
            )
        self.level -= count
        self.unsaid += count

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        left = max(0, int(self.level))
        reset = max(0, int(-self.level / self.rate) + 1) if self.level <= 0 else 1
        return [
            (b"ratelimit-limit", b"%d" % self.rate),
            (b"ratelimit-remaining", b"%d" % left),
            (b"ratelimit-reset", b"%d" % reset),
        ]


class Limits:
    def __init__(self) -> None:
        self._buckets: dict[UUID, Bucket] = {}
        self._redis = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        self._script = self._redis.register_script(SCRIPT)
        self._worker: asyncio.Task[None] | None = None
        self.is_shared = True

    def take(self, org_id: UUID, rate: int, count: int, size: int) -> Bucket:
        """Note that the organisation sends `count` events of `size` bytes in all; refused when it has none left."""
        bucket = self._buckets.get(org_id)
        if bucket is None:
            bucket = self._buckets[org_id] = Bucket(rate, rate * BURST)
        bucket.rate = rate
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._exchange())
        bucket.take(max(count, size // BYTES_PER_EVENT))
        return bucket

    async def _exchange(self) -> None:
        while self._buckets:
            await asyncio.sleep(EXCHANGE_EVERY)
            try:
                await self._exchange_once()
            except (RedisError, OSError) as error:
                if self.is_shared:
                    log.warning("edge.limits_not_shared", error=type(error).__name__)
                self.is_shared = False
            else:
                self.is_shared = True
            gauges.SHARED.set(self.is_shared)

    async def _exchange_once(self) -> None:
        old = time.monotonic() - FORGET_AFTER
        for org_id, bucket in list(self._buckets.items()):
            if bucket.unsaid:
                said, bucket.unsaid = bucket.unsaid, 0.0
                args = [bucket.rate, bucket.rate * BURST, said]
                try:
                    left = await self._script(keys=[f"edge:bucket:{org_id}"], args=args)
                except BaseException:
                    bucket.unsaid += said
                    raise
                bucket.level, bucket.at = float(left) - bucket.unsaid, time.monotonic()
            elif bucket.at < old:
                del self._buckets[org_id]
