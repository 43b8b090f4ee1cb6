"""How the platform is: services, what waits, what failed, what runs by the clock, flags, storage. Storage is a fragment
of its own, since it looks at every table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import InvalidInput
from apps.common.figures import format_age
from apps.common.pages import respond
from apps.common.texts import search_text
from apps.console.system.jobs import Job, list_jobs
from apps.console.system.runs import dismiss, last_runs, list_failed, retry
from apps.console.system.services import count_queues, look_at_services
from apps.console.system.storage import read_storage
from apps.events.public import format_length, read_ingest
from apps.orgs.public import (
    ActorRequest,
    Permission,
    find_by_slug,
    flag_organisation,
    list_flags,
    record,
    requires_platform,
    set_flag,
)

PAGE = "console/system.html"
STORAGE = "storage-card"
FRAGMENTS = {STORAGE: "console/partials/_storage.html"}
MOST_STORED = 50


@require_GET
@requires_platform(Permission.RUN_PLATFORM)
def index(request: ActorRequest) -> HttpResponse:
    wants_storage = request.htmx.target == STORAGE if request.htmx else request.GET.get("show") == "storage"
    context = {"storage": _storage(request)} if wants_storage else {}
    if not (request.htmx and wants_storage):
        context |= _state(timezone.now())
    return respond(request, PAGE, FRAGMENTS, context)


@require_POST
@requires_platform(Permission.RUN_PLATFORM)
def see_to_task(request: ActorRequest, task_id: UUID) -> HttpResponse:
    """Run it again, or be done with it."""
    if request.POST.get("what") == "dismiss":
        found, said = dismiss(actor=request.actor, task_id=task_id), "is dismissed"
    else:
        found, said = retry(actor=request.actor, task_id=task_id), "is asked for once more"
    messages.success(request, f"{found.name} {said}.")
    return redirect("console:system")


@require_POST
@requires_platform(Permission.RUN_PLATFORM)
def change_flag(request: ActorRequest, name: str) -> HttpResponse:
    """For everybody, nobody, the chosen; or for one organisation more or fewer."""
    what = request.POST.get("what", "")
    if what in {"on", "off"}:
        org = find_by_slug(search_text(request.POST.get("slug", ""), name="The short name"))
        flag_organisation(actor=request.actor, name=name, org=org, on=what == "on")
        said = f"{name} is {what} for {org.name}."
    elif what == "for":
        set_flag(actor=request.actor, name=name, whom=request.POST.get("for", ""))
        said = f"{name} is for {request.POST['for']} now."
    else:
        raise InvalidInput("Say what is to change: on or off for an organisation, or for whom it is.")
    messages.success(request, said)
    return redirect("console:system")


def _state(now: datetime) -> dict[str, Any]:
    runs, ingest = last_runs(), read_ingest(now)
    behind = (now - ingest.oldest_waiting).total_seconds() if ingest.oldest_waiting else None
    return {
        "services": look_at_services(ingest, runs, now),
        "queues": count_queues(),
        "ingest": ingest,
        "behind": format_length(behind) if behind is not None else "",
        "wait": format_length(ingest.lag.wait_half),
        "wait_most": format_length(ingest.lag.wait_most),
        "failed": list_failed(),
        "flags": [{"flag": flag, "for": _whom(flag.everyone), "count": count} for flag, count in list_flags()],
        "jobs": [_job(job, now) for job in list_jobs(runs, now)],
    }


def _whom(everyone: bool | None) -> str:
    return {True: "everyone", False: "nobody", None: "chosen"}[everyone]


def _job(job: Job, now: datetime) -> dict[str, Any]:
    return {
        "job": job,
        "every": format_length(job.every),
        "last": format_age((now - job.last.ended_at).total_seconds()) if job.last else "not seen yet",
        "took": format_length(job.last.seconds) if job.last else "–",
    }


def _storage(request: ActorRequest) -> dict[str, Any]:
    def audit(action: str, detail: Mapping[str, Any]) -> None:
        record(org=None, actor=request.actor, action=action, **detail)

    found = read_storage(audit=audit)
    most = max((row.size for row in found.rows), default=0) or 1
    return {
        "rows": [{"kept": row, "share": round(row.size / most, 4)} for row in found.rows[:MOST_STORED]],
        "others": max(0, len(found.rows) - MOST_STORED),
        "schema_size": sum(row.schema_size for row in found.rows),
        "events": sum(row.events for row in found.rows),
        "events_size": sum(row.events_size for row in found.rows),
        "counted": format_age((timezone.now() - found.counted_at).total_seconds()),
    }
