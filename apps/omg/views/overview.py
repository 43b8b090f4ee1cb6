"""The buyer's overview: what every morning begins with."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_value, plain
from apps.common.pages import Link, freshness, preset_links, read_sort, respond, sortable, url_with
from apps.common.period import Period, read_period
from apps.omg import chart
from apps.omg.metrics import METRICS, total
from apps.omg.overview import (
    DEFAULT_SORT,
    Data,
    breakdown,
    display_name,
    figures,
    highest_values,
    split_rows,
    table_row,
    trend,
)
from apps.omg.queries import performance
from apps.omg.queries.performance import Dimension
from apps.orgs.public import Organisation, OrgRequest, Permission, requires

PAGE = "omg/overview.html"
FRAGMENTS = {
    "overview": "omg/partials/_overview.html",
    "figures": "omg/partials/_figures.html",
    "trend": "omg/partials/_trend.html",
    "breakdown": "omg/partials/_breakdown.html",
}


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def overview(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    dimension = _dimension(request)
    rows = _rows(request.org, period, dimension)
    data, foreign = split_rows(rows, period, request.org.currency)
    if request.GET.get("format") == "csv":
        return _csv(request, data, dimension)
    newest = max((row.last_received for row in rows), default=None)
    context = {
        "period": period,
        "presets": preset_links(request, period),
        "freshness": freshness(newest, now=now, time_zone=period.time_zone),
        "figures": figures(data),
        "trend": _trend(request, data),
        "breakdown": _breakdown(request, data, dimension),
        "currency_note": _currency_note(foreign, request.org.currency),
        "is_empty": not rows,
        "may_import": request.actor.may(Permission.IMPORT_EVENTS, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _rows(org: Organisation, period: Period, dimension: Dimension) -> list[performance.Row]:
    span = performance.Params(period.previous.since, period.until, period.time_zone, dimension)
    return performance.fetch(org.pk, span)


def _dimension(request: OrgRequest) -> Dimension:
    text = request.GET.get("by", Dimension.PLATFORM)
    try:
        return Dimension(text)
    except ValueError as error:
        raise InvalidInput(f"There is no table by {text!r}; use one of {', '.join(Dimension)}.") from error


def _trend(request: OrgRequest, data: Data) -> dict[str, Any]:
    metric, days, values = trend(data, request.GET.get("metric", "revenue"))
    unit = data.currency if metric.unit == "money" else {"percent": "percent", "count": "events"}.get(metric.unit, "")
    rows = [
        [f"{day:%a} {day.day} {day:%b}", format_value(value, metric.unit, data.currency)]
        for day, value in zip(days, values, strict=True)
    ]
    return {
        "title": f"{metric.name} by day",
        "subtitle": ", ".join(filter(None, (unit, f"days of {data.period.timezone}"))),
        "json": chart.by_day(metric, days, values, data.currency),
        "metric_links": [
            Link(one.key, one.name, url_with(request, metric=one.key), one.key == metric.key) for one in METRICS
        ],
        "table": {"headers": ["Day", metric.name], "rows": rows},
        "csv_url": url_with(request, format="csv", table="trend"),
    }


def _breakdown(request: OrgRequest, data: Data, dimension: Dimension) -> dict[str, Any]:
    sort = read_sort(request, DEFAULT_SORT)
    rows = breakdown(data, sort=sort[0], descending=sort[1])
    highest = highest_values(rows)
    return {
        "title": f"By {dimension.value}",
        "by": dimension.value,
        "by_links": [
            Link(one.value, one.value.capitalize(), url_with(request, by=one.value), one is dimension)
            for one in Dimension
        ],
        "columns": [sortable(request, "name", dimension.value.capitalize(), sort, numeric=False)]
        + [sortable(request, metric.key, metric.name, sort, definition=metric.definition) for metric in METRICS],
        "rows": [table_row(name, sums, highest, data, dimension) for name, sums in rows],
        "total": table_row("All", total(data.now), {}, data, Dimension.CAMPAIGN),
        "empty": not rows,
        "csv_url": url_with(request, format="csv", table="breakdown"),
    }


def _currency_note(foreign: dict[str, int], currency: str) -> str:
    if not foreign:
        return ""
    parts = ", ".join(f"{count:,} in {code}" for code, count in sorted(foreign.items()))
    return f"Amounts are those in {currency}. Events that carry money in other currencies are left out: {parts}."


def _csv(request: OrgRequest, data: Data, dimension: Dimension) -> HttpResponse:
    """The figures behind the chart or the table, unrounded."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    part = "trend" if request.GET.get("table") == "trend" else dimension.value
    name = f"{request.org.slug}-{part}-{data.period.start}-{data.period.end}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    write = csv.writer(response).writerow
    for line in _trend_lines(request, data) if part == "trend" else _breakdown_lines(request, data, dimension):
        write(line)
    return response


def _trend_lines(request: OrgRequest, data: Data) -> list[Sequence[object]]:
    metric, days, values = trend(data, request.GET.get("metric", "revenue"))
    return [["day", metric.key], *([day.isoformat(), _plain(value)] for day, value in zip(days, values, strict=True))]


def _breakdown_lines(request: OrgRequest, data: Data, dimension: Dimension) -> list[Sequence[object]]:
    sort = read_sort(request, DEFAULT_SORT)
    rows = breakdown(data, sort=sort[0], descending=sort[1])
    lines = [[_cell(display_name(name, dimension)), *(_plain(m.value(sums)) for m in METRICS)] for name, sums in rows]
    return [[dimension.value, *(metric.key for metric in METRICS)], *lines]


def _cell(text: str) -> str:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{plain(value):f}"
