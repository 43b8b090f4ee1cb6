"""The buyer's overview: what every morning begins with."""

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.comparison import Extent
from apps.common.errors import InvalidInput
from apps.common.figures import format_value, money_places, plain, shorten
from apps.common.pages import (
    Link,
    freshness,
    nothing_here,
    range_context,
    read_sort,
    respond,
    sortable,
    url_with,
)
from apps.common.period import Period, read_period
from apps.common.spreadsheets import safe_cell
from apps.events.public import sample_progress
from apps.omg import chart
from apps.omg.dimensions import Dimension, display_name
from apps.omg.filters import Filters, read_filters
from apps.omg.metrics import METRICS, Metric
from apps.omg.overview import (
    DEFAULT_SORT,
    Data,
    breakdown,
    figures,
    split_rows,
    table,
    trend,
)
from apps.omg.queries import extent as extents
from apps.omg.queries import performance, reach
from apps.omg.queries.performance import Row
from apps.omg.queries.reach import Reach
from apps.omg.views.filter_bar import filter_bar, url_of
from apps.omg.views.links import page_of
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/overview.html"
FRAGMENTS = {
    "overview": "omg/partials/_overview.html",
    "figures": "omg/partials/_figures.html",
    "trend": "omg/partials/_trend.html",
    "breakdown": "omg/partials/_breakdown.html",
    "filters": "omg/partials/_filters.html",
}
DEFAULT_METRIC = "revenue"


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def overview(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    dimension, filters = _dimension(request), read_filters(request.GET)
    extent, rows, persons = _ask(request, period, dimension, filters)
    data, foreign = split_rows(rows, period, request.org.currency, extent, persons)
    if request.GET.get("format") == "csv":
        return _csv(request, data, dimension)
    context = {
        "period": period,
        "range": range_context(request, period, extent),
        "freshness": freshness(extent, now=now, time_zone=period.time_zone),
        "not_compared": data.rows.note,
        "figures": figures(data),
        "trend": _trend(request, data),
        "breakdown": _breakdown(request, data, dimension, filters),
        "filters": filter_bar(request, filters, period),
        "reach_note": _reach_note(data, dimension, filters),
        "currency_note": _currency_note(foreign, request.org.currency),
        "is_empty": extent is None,
        "nothing_here": nothing_here(request, rows, period, extent),
        "may_choose_data": request.actor.may(Permission.CHOOSE_DATA, request.org.pk),
        "sample": sample_progress(request.org) if extent is None else None,
        "may_import": request.actor.may(Permission.IMPORT_EVENTS, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _dimension(request: OrgRequest) -> Dimension:
    text = request.GET.get("by", Dimension.PLATFORM)
    try:
        return Dimension(text)
    except ValueError as error:
        raise InvalidInput(f"There is no table by {text!r}; use one of {', '.join(Dimension)}.") from error


def _ask(
    request: OrgRequest, period: Period, dimension: Dimension, filters: Filters
) -> tuple[Extent | None, Sequence[Row], Reach]:
    """The page's questions, at the same time: the engine has more cores than one question needs."""
    org_id = data_org_id(request.org)
    with ThreadPoolExecutor(3, thread_name_prefix="overview") as together:
        extent = together.submit(extents.fetch, org_id, time_zone=period.time_zone)
        rows = together.submit(performance.fetch, org_id, period, dimension, filters)
        by_day = request.GET.get("metric") in {"reach", "frequency"}
        persons = together.submit(_reach, org_id, period, dimension, filters, by_day=by_day)
        return extent.result(), rows.result(), persons.result()


def _reach(org_id: UUID, period: Period, dimension: Dimension, filters: Filters, *, by_day: bool) -> Reach:
    """By day only where the chart shows it: days of most time zones are joined from quarters of an hour."""
    found = reach.fetch(org_id, period, dimension, filters)
    return replace(found, by_day=reach.fetch_by_day(org_id, period, filters)) if by_day else found


def _reach_note(data: Data, dimension: Dimension, filters: Filters) -> str:
    """Why a reach is not told, where it is not."""
    kept = "Persons are kept by platform, channel and campaign"
    if not filters.is_narrow:
        return f"{kept}, so reach and frequency are not known under these filters."
    return (
        "" if data.reach.by_name is not None else f"{kept}, so reach and frequency by {dimension.words} are not known."
    )


def _trend(request: OrgRequest, data: Data) -> dict[str, Any]:
    metric, values = trend(data, request.GET.get("metric", DEFAULT_METRIC))
    places = money_places(values, data.currency)
    words = [format_value(value, metric.unit, data.currency, places=places) for value in values]
    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    return {
        "title": f"{metric.name} by day",
        "subtitle": _trend_subtitle(metric, data),
        "picture": f"{name}: {metric.name} by day, {data.period.label}",
        "file": _file_name(request, metric.key, data.period),
        "json": chart.by_day(metric, data.period, values, words, data.currency),
        "metric_links": [
            Link(one.key, one.name, url_with(request, metric=one.key), one.key == metric.key) for one in METRICS
        ],
        "table": {
            "headers": ["Day", metric.name],
            "rows": [
                (chart.day_label(day, data.period), text) for day, text in zip(data.period.dates, words, strict=True)
            ],
        },
        "csv_url": url_with(request, format="csv", table="trend"),
    }


def _trend_subtitle(metric: Metric, data: Data) -> str:
    unit = (
        data.currency if metric.unit == "money" else {"percent": "percent", "count": metric.counts}.get(metric.unit, "")
    )
    mark = f"{'hatched' if metric.adds_up else 'dotted'}: today so far" if data.period.today else ""
    return ", ".join(filter(None, (unit, f"days in {data.period.zone_label}", mark)))


def _breakdown(request: OrgRequest, data: Data, dimension: Dimension, filters: Filters) -> dict[str, Any]:
    sort = read_sort(request, DEFAULT_SORT)
    made = table(breakdown(data, sort=sort[0], descending=sort[1]), data, dimension)
    for row in made["rows"]:
        row["url"] = url_of(request, filters.only(dimension, row["value"]))
        row["page"] = page_of(request, dimension, row["value"])
    return {
        **made,
        "title": f"By {dimension.words}",
        "by": dimension.value,
        "by_links": [
            Link(one.value, one.label, url_with(request, by=one.value), one is dimension) for one in Dimension
        ],
        "columns": [sortable(request, "name", dimension.label, sort, numeric=False)]
        + [sortable(request, metric.key, metric.name, sort, definition=metric.definition) for metric in METRICS],
        "csv_url": url_with(request, format="csv", table="breakdown"),
    }


def _currency_note(foreign: dict[str, int], currency: str) -> str:
    if not foreign:
        return ""
    parts = ", ".join(f"{count:,} in {code}" for code, count in sorted(foreign.items()))
    left_out = f"Events that carry money in other currencies are left out: {parts}."
    return f"Amounts are those in {currency}. {left_out} Reach counts the persons of all."


def _csv(request: OrgRequest, data: Data, dimension: Dimension) -> HttpResponse:
    """The figures behind the chart or the table."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    part = "trend" if request.GET.get("table") == "trend" else dimension.value
    response["Content-Disposition"] = f'attachment; filename="{_file_name(request, part, data.period)}.csv"'
    write = csv.writer(response).writerow
    for line in _trend_lines(request, data) if part == "trend" else _breakdown_lines(request, data, dimension):
        write(line)
    return response


def _file_name(request: OrgRequest, part: str, period: Period) -> str:
    return f"{request.org.slug}-{part}-{period.start}-{period.end}{data_mark(request.org)}"


def _trend_lines(request: OrgRequest, data: Data) -> list[Sequence[object]]:
    metric, values = trend(data, request.GET.get("metric", DEFAULT_METRIC))
    days = (day.isoformat() for day in data.period.dates)
    return [["day", metric.key], *([day, _plain(metric, value)] for day, value in zip(days, values, strict=True))]


def _breakdown_lines(request: OrgRequest, data: Data, dimension: Dimension) -> list[Sequence[object]]:
    sort = read_sort(request, DEFAULT_SORT)
    rows = breakdown(data, sort=sort[0], descending=sort[1])
    lines = [
        [safe_cell(display_name(name, dimension)), *(_plain(metric, metric.told(sums)) for metric in METRICS)]
        for name, sums in rows
    ]
    return [[dimension.value, *(metric.key for metric in METRICS)], *lines]


def _plain(metric: Metric, value: Decimal | None) -> str:
    """Sums to the last digit, ratios to six decimals."""
    if value is None:
        return ""
    return f"{plain(value) if metric.adds_up else shorten(value):f}"
