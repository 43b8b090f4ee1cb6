"""How often API keys are used, by day in UTC. The general API counts in Redis, which a task brings here every minute;
the edge, whose requests are many, adds what it counted every few seconds. Either may lose some at a crash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from apps.orgs.models import ApiKey, ApiKeyUse

log = structlog.get_logger()
KEPT_SECONDS = 3 * 86_400
SHOWN_DAYS = 30
UPSERT = """
INSERT INTO public.orgs_apikeyuse (key_id, org_id, day, requests, deliveries)
SELECT k.id, k.org_id, %s, %s, %s FROM public.orgs_apikey AS k WHERE k.id = %s
ON CONFLICT (key_id, day) DO UPDATE SET
    requests = greatest(orgs_apikeyuse.requests, excluded.requests),
    deliveries = orgs_apikeyuse.deliveries + excluded.deliveries
"""


@dataclass(frozen=True)
class Day:
    """One day of a key: requests of the general API, deliveries at the doors for events."""

    day: date
    requests: int = 0
    deliveries: int = 0

    @property
    def total(self) -> int:
        return self.requests + self.deliveries


def count_request(key_id: UUID) -> None:
    """One request of the general API."""
    name = _name_of(timezone.now().date())
    try:
        with _redis().pipeline(transaction=False) as pipe:
            pipe.hincrby(name, str(key_id), 1)
            pipe.expire(name, KEPT_SECONDS)
            pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("api_keys.use_not_counted", error=type(error).__name__)


def add_deliveries(counts: Mapping[UUID, int]) -> None:
    """To be done as the platform: what a process of the edge counted since it last told."""
    today = timezone.now().date()
    _write([(today, 0, count, key_id) for key_id, count in counts.items()])


def bring_requests() -> int:
    """To be done as the platform: what Redis counted today and yesterday. Said again, it changes nothing."""
    today = timezone.now().date()
    rows = []
    for day in (today - timedelta(days=1), today):
        counted = cast("dict[bytes, bytes]", _redis().hgetall(_name_of(day)))
        rows += [(day, int(count), 0, UUID(key_id.decode())) for key_id, count in counted.items()]
    _write(rows)
    return len(rows)


def list_uses(key: ApiKey) -> list[Day]:
    """The last 30 days, today last; days without use among them."""
    today = timezone.now().date()
    first = today - timedelta(days=SHOWN_DAYS - 1)
    found = {one.day: one for one in ApiKeyUse.objects.filter(key=key, day__gte=first)}
    days = [first + timedelta(days=number) for number in range(SHOWN_DAYS)]
    return [Day(day, found[day].requests, found[day].deliveries) if day in found else Day(day) for day in days]


def _write(rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        # In one order, so that two who write the same keys do not wait for each other in a circle.
        for row in sorted(rows, key=lambda row: (row[0], str(row[3]))):
            cursor.execute(UPSERT, row)


def _name_of(day: date) -> str:
    return f"api:uses:{day.isoformat()}"


@cache
def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
