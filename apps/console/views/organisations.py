"""All organisations, for super admins: who is here, what arrives, the way in."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_age
from apps.common.pages import url_with
from apps.common.paging import read_page
from apps.common.texts import search_text
from apps.console.queries import activity, signal_activity
from apps.orgs.public import (
    ActorRequest,
    Kind,
    Organisation,
    Permission,
    Status,
    count_by_status,
    record,
    requires_platform,
    search_organisations,
)


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def index(request: ActorRequest) -> HttpResponse:
    query = search_text(request.GET.get("q", ""), name="The name")
    status, kind = _one_of(request, "status", Status.values), _one_of(request, "kind", Kind.values)

    def audit(action: str, detail: Mapping[str, Any]) -> None:
        record(org=None, actor=request.actor, action=action, **detail)

    page = read_page(request, search_organisations(query, status=status, kind=kind))
    own, carried = activity.fetch(audit=audit), signal_activity.fetch(audit=audit)
    context = {
        "organisations": [
            _row(org, carried.get(org.contributor_id or "") if org.sells_data else own.get(org.pk)) for org in page.rows
        ],
        "page": page,
        "query": query,
        "kind": kind,
        "kinds": Kind.choices,
        "is_filtered": bool(query or status or kind),
        "statuses": _statuses(request, status),
        "status": status,
    }
    return render(request, "console/organisations.html", context)


def _one_of(request: ActorRequest, name: str, known: list[str]) -> str:
    text = request.GET.get(name, "")
    if text and text not in known:
        raise InvalidInput(f"There is no {name} {text[:40]!r}; there are: {', '.join(known)}.")
    return text


def _statuses(request: ActorRequest, current: str) -> list[dict[str, Any]]:
    """How many there are of each, and the way to them."""
    counts = count_by_status()
    every = [("", "All", sum(counts.values())), *((one.value, one.label, counts.get(one, 0)) for one in Status)]
    return [
        {
            "label": label,
            "count": count,
            "url": url_with(request, status=value or None, page=None),
            "current": value == current,
        }
        for value, label, count in every
    ]


def _row(org: Organisation, seen: activity.Row | signal_activity.Row | None) -> dict[str, Any]:
    """An owner of data sends no events: its activity is that of the events that carry its signals."""
    age = (timezone.now() - seen.last_received).total_seconds() if seen else None
    return {
        "name": org.name,
        "slug": org.slug,
        "kind_label": org.get_kind_display(),
        "status_label": org.get_status_display(),
        "active": org.status == Status.ACTIVE,
        "archived": org.status == Status.ARCHIVED,
        "members": org.members,
        "events": seen.events if seen else 0,
        "carries_signals": org.sells_data,
        "last_received": "–" if age is None else format_age(age),
    }
