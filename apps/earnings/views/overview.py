"""The data owner's first page: the events that carried their signals, by campaign."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.comparison import Extent, compare
from apps.common.pages import freshness, nothing_here, range_context, read_sort, respond, sortable
from apps.common.period import Period, read_period
from apps.earnings.overview import COLUMNS, breakdown, cells, check_sort, figures, table_row, total
from apps.earnings.queries import extent as extents
from apps.earnings.queries import signal_usage
from apps.events.public import sample_progress
from apps.orgs.public import OrgRequest, Permission, buyer_names, data_contributor_id, record, requires

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
    # All that can be refused is refused first: a refused request keeps no audit entry of what it read.
    sort = read_sort(request, "-events")
    check_sort(sort[0])
    rows, extent = _read(request, period)
    compared = compare(rows, period, extent)
    context = {
        "period": period,
        "range": range_context(request, period, extent),
        "freshness": freshness(extent, now=now, time_zone=period.time_zone),
        "not_compared": compared.note,
        "figures": figures(compared),
        "breakdown": _breakdown(request, compared.current, sort),
        "contributor_id": request.org.contributor_id,
        "is_empty": extent is None,
        "may_choose_data": request.actor.may(Permission.CHOOSE_DATA, request.org.pk),
        "sample": sample_progress(request.org) if extent is None else None,
        "nothing_here": nothing_here(request, rows, period, extent),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _read(request: OrgRequest, period: Period) -> tuple[list[signal_usage.Row], Extent | None]:
    contributor = data_contributor_id(request.org)
    if not contributor:
        return [], None

    def audit(action: str, detail: Mapping[str, Any]) -> None:
        record(org=request.org, actor=request.actor, action=action, **detail)

    extent = extents.fetch(contributor, time_zone=period.time_zone, audit=audit)
    return (signal_usage.fetch(contributor, period, audit=audit) if extent else []), extent


def _breakdown(request: OrgRequest, rows: Sequence[signal_usage.Row], sort: tuple[str, bool]) -> dict[str, Any]:
    groups = breakdown(rows, sort=sort[0], descending=sort[1])
    most = max((usage.events for _, usage in groups), default=0)
    buyers = buyer_names(row.buyer_id for row in rows)
    return {
        "title": "By campaign and platform",
        "columns": [sortable(request, "name", "Campaign", sort, numeric=False)]
        + [sortable(request, one.key, one.label, sort, definition=one.definition) for one in COLUMNS],
        "rows": [table_row(name, usage, buyers, most) for name, usage in groups],
        "total": {"name": "All", "kind": "", "cells": cells(total(rows))},
    }
