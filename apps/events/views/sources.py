"""Sources and quality: what arrives through which door, what was turned away and why, and its replay."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.figures import format_age
from apps.events.actions import replay_quarantined
from apps.events.sources import SHOWN_DAYS, Source, list_reasons, list_sources, waiting_lines
from apps.orgs.public import OrgRequest, Permission, requires


@require_GET
@requires(Permission.IMPORT_EVENTS)
def sources(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "days": SHOWN_DAYS,
        "sources": [_row(source, (now - source.last_received).total_seconds()) for source in list_sources(now)],
        "reasons": list_reasons(),
        "waiting": waiting_lines(request.org),
    }
    return render(request, "events/sources.html", context)


@require_POST
@requires(Permission.IMPORT_EVENTS)
def replay(request: OrgRequest) -> HttpResponse:
    count = replay_quarantined(
        actor=request.actor,
        org=request.org,
        code=request.POST.get("code", ""),
        history=request.POST.get("history") == "1",
    )
    lines = "1 line goes" if count == 1 else f"{count:,} lines go"
    messages.success(request, f"{lines} through ingest once more. What still breaks a rule comes back here.")
    return redirect("org:sources", org=request.org.slug)


def _row(source: Source, age: float) -> dict[str, Any]:
    door, _, name = source.name.partition("/")
    return {
        "name": name or door,
        "door": door if name else "",
        "accepted": source.accepted,
        "duplicate": source.duplicate,
        "rejected": source.rejected,
        "rejected_share": source.rejected_share,
        "last_received": format_age(age),
    }
