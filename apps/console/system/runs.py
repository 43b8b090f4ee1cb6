"""What tasks did: when each last ran and how it ended (in Redis, which may forget), and those that failed (in
PostgreSQL, until somebody has seen to them)."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from time import time
from typing import Any
from uuid import UUID

import structlog
from celery import current_app, signals
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from apps.common.errors import Conflict, NotFound
from apps.console.models import FailedTask
from apps.orgs.public import Actor, record

log = structlog.get_logger()
HASH = "precise:tasks"
KEEP = timedelta(days=30)
LONGEST_TRACE = 8_000


@dataclass(frozen=True)
class Run:
    """The last one of a task."""

    ended_at: datetime
    seconds: float
    failed: bool


def listen() -> None:
    signals.task_prerun.connect(_begin, dispatch_uid="console.begin", weak=False)
    signals.task_postrun.connect(_end, dispatch_uid="console.end", weak=False)
    signals.task_failure.connect(_keep_failure, dispatch_uid="console.failure", weak=False)


@cache
def redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def last_runs() -> Mapping[str, Run]:
    """By the task's name; empty while Redis is away."""
    try:
        found: dict[bytes, bytes] = redis().hgetall(HASH)  # type: ignore[assignment]
    except RedisError:
        return {}
    return {name.decode(): _run(json.loads(text)) for name, text in found.items()}


def list_failed() -> list[FailedTask]:
    return list(FailedTask.objects.filter(retried_at=None).order_by("-failed_at")[:100])


def retry(*, actor: Actor, task_id: UUID) -> FailedTask:
    """Ask for it once more, as it was asked for; of two who press at once, one does."""
    with transaction.atomic():
        found = _claim(task_id)
        if found.name not in current_app.tasks:
            raise Conflict(f"There is no task {found.name} any more; it cannot run again.")
        record(org=None, actor=actor, action="task.retried", target=f"task/{found.pk}", name=found.name)
        transaction.on_commit(lambda: current_app.tasks[found.name].apply_async(found.args, found.kwargs))
    return found


def dismiss(*, actor: Actor, task_id: UUID) -> FailedTask:
    with transaction.atomic():
        found = _claim(task_id)
        record(org=None, actor=actor, action="task.dismissed", target=f"task/{found.pk}", name=found.name)
    return found


def purge_failed() -> int:
    """Forget those of a month ago; answers how many."""
    removed, _ = FailedTask.objects.filter(failed_at__lt=timezone.now() - KEEP).delete()
    return removed


def _claim(task_id: UUID) -> FailedTask:
    claimed = FailedTask.objects.filter(pk=task_id, retried_at=None).update(retried_at=timezone.now())
    found = FailedTask.objects.filter(pk=task_id).first()
    if not claimed or found is None:
        raise NotFound("Somebody saw to this task already, or it is forgotten.")
    return found


def _begin(*, task: Any, **_: Any) -> None:
    task.request.precise_began = time()


def _end(*, task: Any, state: str | None = None, **_: Any) -> None:
    """Whether it is kept matters less than the task."""
    seconds = time() - getattr(task.request, "precise_began", time())
    text = json.dumps({"at": time(), "seconds": round(seconds, 3), "failed": state == "FAILURE"})
    try:
        redis().hset(HASH, task.name, text)
    except RedisError as error:
        log.warning("console.run_not_kept", task=task.name, error=str(error))


def _keep_failure(
    *, sender: Any, task_id: str, exception: BaseException, args: Any = None, kwargs: Any = None, **_: Any
) -> None:
    """A failure that cannot be kept is in the worker's log all the same."""
    trace = "".join(traceback.format_exception(exception))[-LONGEST_TRACE:]
    values = {
        "name": sender.name,
        "args": _plain(args or []),
        "kwargs": _plain(kwargs or {}),
        "error": _text(f"{type(exception).__name__}: {exception}")[:400],
        "trace": _text(trace),
        "retried_at": None,
    }
    try:
        with transaction.atomic():
            FailedTask.objects.update_or_create(pk=UUID(task_id), defaults=values)
    except (DatabaseError, ValueError) as error:
        log.error("console.failure_not_kept", task=sender.name, error=str(error))


def _plain(value: Any) -> Any:
    return json.loads(_text(json.dumps(value, default=str)))


def _text(text: str) -> str:
    return text.replace("\x00", "").replace("\\u0000", "")


def _run(said: Mapping[str, Any]) -> Run:
    return Run(datetime.fromtimestamp(said["at"], UTC), said["seconds"], said["failed"])
