"""The data owner's first page: the events that carried their signals, by campaign."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.pages import freshness, preset_links, read_sort, respond, sortable
from apps.common.period import Period, read_period
from apps.earnings.overview import COLUMNS, breakdown, cells, figures, table_row, total
from apps.earnings.queries import signal_usage
from apps.orgs.public import OrgRequest, Permission, buyer_names, record, requires

PAGE = "earnings/overview.html"
FRAGMENTS = {
    "overview": "earnings/partials/_overview.html",
    "figures": "omg/partials/_figures.html",
    "breakdown": "earnings/partials/_breakdown.html",
}


@require_GET
@requires(Permission.VIEW_EARNINGS)
def overview(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    rows = _rows(request, period)
    current = [row for row in rows if row.day >= period.start]
    newest = max((row.last_received for row in rows), default=None)
    context = {
        "period": period,
        "presets": preset_links(request, period),
        "freshness": freshness(newest, now=now, time_zone=period.time_zone),
        "figures": figures(current, [row for row in rows if row.day < period.start], period),
        "breakdown": _breakdown(request, current),
        "contributor_id": request.org.contributor_id,
        "is_empty": not rows,
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _rows(request: OrgRequest, period: Period) -> list[signal_usage.Row]:
    if not request.org.contributor_id:
        return []
    params = signal_usage.Params(request.org.contributor_id, period.previous.since, period.until, request.org.time_zone)

    def audit(action: str, detail: Mapping[str, Any]) -> None:
        record(org=request.org, actor=request.actor, action=action, **detail)

    return signal_usage.fetch(params, audit=audit)


def _breakdown(request: OrgRequest, rows: list[signal_usage.Row]) -> dict[str, Any]:
    sort = read_sort(request, "-events")
    groups = breakdown(rows, sort=sort[0], descending=sort[1])
    most = max((usage.events for _, usage in groups), default=0)
    buyers = buyer_names(row.buyer_id for row in rows)
    return {
        "title": "By campaign",
        "columns": [sortable(request, "name", "Campaign", sort, numeric=False)]
        + [sortable(request, one.key, one.label, sort, definition=one.definition) for one in COLUMNS],
        "rows": [table_row(name, usage, buyers, most) for name, usage in groups],
        "total": {"name": "All", "kind": "", "cells": cells(total(rows))},
        "empty": not groups,
    }
