"""How often an organisation may ask the general API: so many requests in an hour, by its tier, counted in Redis.

The hour begins with the first request. When Redis is away, requests go on uncounted and the metrics say so.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, cast

import structlog
from django.conf import settings
from prometheus_client import Gauge
from redis import Redis
from redis.exceptions import RedisError

from apps.common.errors import AppError
from apps.common.metrics import REGISTRY
from apps.orgs.models import Organisation, Tier

log = structlog.get_logger()
WINDOW = 3600
REQUESTS: Mapping[str, int] = {Tier.STANDARD: 1_000, Tier.ENTERPRISE: 10_000}
# Redis is not asked again for so long after it failed: nobody waits for it twice.
REST = 5.0
COUNTED = Gauge("precise_api_limits_counted", "1 while Redis counts requests of the API.", registry=REGISTRY)
COUNTED.set(1)
# Counts one request, unless there are as many as allowed already; answers the count and the seconds left.
SCRIPT = """
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('TTL', KEYS[1])
if left < 0 then
    count, left = 0, tonumber(ARGV[2])
end
if count <= tonumber(ARGV[1]) then
    count = count + 1
    redis.call('SET', KEYS[1], count, 'EX', left > 0 and left or 1)
end
return {count, left}
"""


class RateLimited(AppError):
    """Too many requests; `retry_after` says when to come back."""

    code = "rate_limited"
    http_status = HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True)
class Limit:
    """What is left to an organisation; not `known` while nothing counts."""

    most: int
    used: int
    reset: int
    known: bool = True

    @property
    def remaining(self) -> int:
        return max(0, self.most - self.used)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }

    def check(self) -> None:
        if self.used > self.most:
            raise RateLimited(
                f"This organisation may ask {self.most:,} times an hour; come back in {self.reset:,} s.",
                data={"retry_after": self.reset},
            )


class _Counter:
    def __init__(self) -> None:
        redis = Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._script = redis.register_script(SCRIPT)
        self._away_until = 0.0

    def take(self, org: Organisation) -> Limit:
        most = REQUESTS[org.tier]
        if time.monotonic() < self._away_until:
            return Limit(most, 0, WINDOW, known=False)
        try:
            answer: Any = self._script(keys=[f"api:requests:{org.pk}"], args=[most, WINDOW])
            used, reset = cast("tuple[int, int]", answer)
        except (RedisError, OSError) as error:
            log.warning("api.limits_not_counted", error=type(error).__name__)
            COUNTED.set(0)
            self._away_until = time.monotonic() + REST
            return Limit(most, 0, WINDOW, known=False)
        COUNTED.set(1)
        return Limit(most, used, max(1, reset))


@cache
def _counter() -> _Counter:
    return _Counter()


def take(org: Organisation) -> Limit:
    """Count one request of the organisation's."""
    return _counter().take(org)
