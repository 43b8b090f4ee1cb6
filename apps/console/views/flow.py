"""The flow of events of all organisations, as it happens, for super admins. Looking at it is noted once per visit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.figures import format_age
from apps.common.pages import once, respond
from apps.events.public import WHOLE_MINUTES, Flow, Series, format_length, platform_name, read_flow, stacked
from apps.orgs.public import ActorRequest, Permission, record, requires_platform, search_organisations

PAGE = "console/flow.html"
FRAGMENTS = {"flow-now": "console/partials/_flow_now.html", "flow-chart-card": "console/partials/_flow_chart.html"}
MINUTE = timedelta(minutes=1)
# So many platforms have a colour of their own.
MOST_PLATFORMS = 5


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def flow(request: ActorRequest) -> HttpResponse:
    if not request.htmx:
        record(org=None, actor=request.actor, action="flow.viewed")
    found = read_flow(timezone.now())
    context = {
        "flow": found,
        "rates": once(lambda: _rates(found)),
        "organisations": once(lambda: _organisations(found)),
        "chart": once(lambda: _chart(found)),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _rates(found: Flow) -> dict[str, Any]:
    """How fast it flows, and how long it takes to be in the figures."""
    behind = (found.now - found.oldest_waiting).total_seconds() if found.oldest_waiting else None
    return {
        "per_minute": sum(one.accepted for one in found.by_minute[WHOLE_MINUTES]) / 5,
        "hour": {
            name: sum(getattr(one, name) for one in found.by_minute) for name in ("accepted", "duplicate", "rejected")
        },
        "behind": "" if behind is None else format_length(behind),
        "wait": format_length(found.lag.wait_half),
        "wait_most": format_length(found.lag.wait_most),
    }


def _organisations(found: Flow) -> list[dict[str, Any]]:
    names = {org.pk: org for org in search_organisations("")}
    return [
        {
            "name": names[one.org_id].name,
            "slug": names[one.org_id].slug,
            "counts": one.counts,
            "per_minute": one.last_minutes.accepted / 5,
            "last_received": format_age((found.now - one.last_received).total_seconds()),
        }
        for one in found.organisations
        if one.org_id in names
    ]


def _chart(found: Flow) -> dict[str, Any]:
    series = _series(found)
    return {
        "title": "Accepted events per minute, by platform",
        "subtitle": "all organisations, the last 60 minutes, times in UTC",
        "picture": "All organisations: accepted events per minute, by platform",
        "file": "events-per-minute-by-platform",
        "json": stacked(found.minutes, MINUTE, series, "UTC"),
        "series": [(one.name, one.colour.removeprefix("--")) for one in series],
        "rows": [
            (f"{minute:%H:%M}", [one.values[place] for one in series])
            for place, minute in reversed(list(enumerate(found.minutes)))
            if any(one.values[place] for one in series)
        ],
    }


def _series(found: Flow) -> list[Series]:
    """The largest platforms, and the others together."""
    platforms = list(found.by_platform.items())
    shown = [
        Series(platform_name(platform), f"--series-{number}", values)
        for number, (platform, values) in zip((1, 2, 3, 4, 6), platforms[:MOST_PLATFORMS], strict=False)
    ]
    rest: Sequence[Sequence[int]] = [values for _, values in platforms[MOST_PLATFORMS:]]
    return (
        [*shown, Series("Others", "--series-5", [sum(column) for column in zip(*rest, strict=True)])] if rest else shown
    )
