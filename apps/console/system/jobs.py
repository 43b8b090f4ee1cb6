"""What runs by the clock, and when it last did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.console.system.runs import Run


@dataclass(frozen=True)
class Job:
    name: str
    task: str
    every: float
    last: Run | None
    is_late: bool


def list_jobs(runs: Mapping[str, Run], now: datetime) -> list[Job]:
    """The most frequent first. Late: twice its interval, and a minute, have passed."""
    jobs = []
    schedule: Mapping[str, Any] = settings.CELERY_BEAT_SCHEDULE
    for name, entry in schedule.items():
        every, last = float(entry["schedule"]), runs.get(entry["task"])
        late = last is not None and (now - last.ended_at).total_seconds() > 2 * every + 60
        jobs.append(Job(name.replace("-", " "), entry["task"], every, last, late))
    return sorted(jobs, key=lambda job: (job.every, job.name))
