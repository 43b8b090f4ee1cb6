"""Whether each service answers, how fast, and what it is: asked anew for each look, with short patience."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from time import perf_counter

import django
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis.exceptions import RedisError

from apps.common.errors import AppError
from apps.common.figures import format_age, format_size
from apps.console.queries import engine
from apps.console.system.runs import Run, redis
from apps.events.public import Ingest

# A job that runs every ten seconds: where it was last seen, worker and beat live.
PULSE = "apps.orgs.tasks.seal_audit"
LATE = timedelta(minutes=2)
FAILURES = (DatabaseError, RedisError, AppError, OSError)


@dataclass(frozen=True)
class Service:
    name: str
    is_up: bool
    version: str
    detail: str
    milliseconds: float | None = None


def look_at_services(ingest: Ingest, runs: Mapping[str, Run], now: datetime) -> list[Service]:
    return [
        _asked("PostgreSQL", _postgres),
        _asked("ClickHouse", _clickhouse),
        _asked("Redis", _redis),
        Service("Web", True, f"Python {platform.python_version()}, Django {django.get_version()}", "answers you"),
        Service(
            "Ingestor", ingest.is_ingesting, "", "writes events" if ingest.is_ingesting else "no process holds its lock"
        ),
        _worker(runs, now),
    ]


def count_queues() -> list[tuple[str, int | None]]:
    """Tasks that wait, by queue; None while Redis is away."""
    names = sorted(settings.CELERY_TASK_QUEUES)
    try:
        return [(name, int(redis().llen(name))) for name in names]
    except RedisError:
        return [(name, None) for name in names]


def _asked(name: str, ask: Callable[[], tuple[str, str]]) -> Service:
    began = perf_counter()
    try:
        found, detail = ask()
    except FAILURES as error:
        return Service(name, False, "", str(error).strip().partition("\n")[0][:160])
    return Service(name, True, found, detail, (perf_counter() - began) * 1000)


def _postgres() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),"
            " current_setting('max_connections')"
        )
        found, size, used, most = cursor.fetchone()
    return found.partition(" ")[0], f"{format_size(size)}, {used} of {most} connections"


def _clickhouse() -> tuple[str, str]:
    found = engine.fetch()
    return found.version, f"{format_size(found.size)} in {found.parts:,} parts, {found.rows:,} rows"


def _redis() -> tuple[str, str]:
    found = redis().info()
    clients, used = found["connected_clients"], found["used_memory"]
    return str(found["redis_version"]), f"{format_size(used)}, {clients} connections"


def _worker(runs: Mapping[str, Run], now: datetime) -> Service:
    """Beat asks for the pulse and a worker runs it: where it stopped, one of them is away."""
    name, known = "Worker and beat", version("celery")
    last = runs.get(PULSE)
    if last is None:
        return Service(name, False, f"Celery {known}", "no job was seen yet")
    age = format_age((now - last.ended_at).total_seconds())
    if now - last.ended_at > LATE:
        return Service(name, False, f"Celery {known}", f"the last job ran {age}")
    return Service(name, True, f"Celery {known}", f"the last job ran {age}")
