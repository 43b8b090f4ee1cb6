"""All organisations, for super admins: who is here, what arrives, the way in."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.figures import format_age
from apps.common.texts import search_text
from apps.console.queries import activity, signal_activity
from apps.orgs.public import ActorRequest, Organisation, Permission, record, requires_platform, search_organisations


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def index(request: ActorRequest) -> HttpResponse:
    query = search_text(request.GET.get("q", ""), name="The name")

    def audit(action: str, detail: Mapping[str, Any]) -> None:
        record(org=None, actor=request.actor, action=action, **detail)

    own, carried = activity.fetch(audit=audit), signal_activity.fetch(audit=audit)
    rows = [
        _row(org, carried.get(org.contributor_id or "") if org.sells_data else own.get(org.pk))
        for org in search_organisations(query)
    ]
    return render(request, "console/organisations.html", {"organisations": rows, "query": query})


def _row(org: Organisation, seen: activity.Row | signal_activity.Row | None) -> dict[str, Any]:
    """An owner of data sends no events: its activity is that of the events that carry its signals."""
    age = (timezone.now() - seen.last_received).total_seconds() if seen else None
    return {
        "name": org.name,
        "slug": org.slug,
        "kind_label": org.get_kind_display(),
        "status_label": org.get_status_display(),
        "active": org.status == "active",
        "members": org.members,
        "events": seen.events if seen else 0,
        "carries_signals": org.sells_data,
        "last_received": "–" if age is None else format_age(age),
    }
