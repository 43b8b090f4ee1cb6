"""The page of one campaign or line item: its figures, its days, what it is made of and where it was seen."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_value, money_places, plain, shorten
from apps.common.pages import Link, freshness, nothing_here, range_context, read_sort, respond, sortable, url_with
from apps.common.period import read_period
from apps.common.spreadsheets import safe_cell
from apps.events.public import PLATFORM_KINDS
from apps.omg import chart
from apps.omg.answers import Asker
from apps.omg.dimensions import Dimension, display_name
from apps.omg.filters import COMMON_PARAMETERS, read_filters
from apps.omg.geography import map_of_states
from apps.omg.metrics import BY_KEY, METRICS, Metric, Totals
from apps.omg.places import STATES
from apps.omg.question import Order, known
from apps.omg.subject import Asked, Found, ask
from apps.omg.tiles import Was, note_of, tiles
from apps.omg.views.downloads import csv_of
from apps.omg.views.filter_bar import filter_bar, url_of
from apps.omg.views.links import kept_query, page_of
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/subject.html"
FRAGMENTS = {
    "overview": "omg/partials/_subject.html",
    "trend": "omg/partials/_trend.html",
    "breakdown": "omg/partials/_breakdown.html",
    "filters": "omg/partials/_filters.html",
}
PARAMETERS = COMMON_PARAMETERS | {"metric", "by", "sort"}
MOST_STATES = 8
DEFAULT_METRIC, DEFAULT_SORT, DEFAULT_BY = "impressions", "-spend", Dimension.CREATIVE


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def campaign(request: OrgRequest, campaign: str) -> HttpResponse:
    return _page(request, Dimension.CAMPAIGN, campaign)


def _page(request: OrgRequest, subject: Dimension, value: str) -> HttpResponse:
    now = timezone.now()
    asked = _read(request, subject, value)
    period = asked.period
    found = ask(asked, Asker(data_org_id(request.org)))
    if request.GET.get("format") == "csv":
        parts = {"breakdown": lambda: _lines(asked, found), "trend": lambda: _day_lines(asked, found)}
        return csv_of(request, parts, subject.value, f"{period.start}-{period.end}")
    whole = found.whole.whole
    note = note_of(whole, period, found.extent)
    over = [found.days.get(day, Totals()) for day in period.dates if not period.today or day < period.today]
    context = {
        "subject": {"name": value, "words": subject.words, "plural": f"{subject.label}s", "by": subject.value},
        "period": period,
        "range": range_context(request, period, found.extent),
        "freshness": freshness(found.extent, now=now, time_zone=period.time_zone),
        "not_compared": note,
        "filters": _filters(request, asked),
        "figures": tiles(whole, over, period, asked.currency, note),
        "trend": _trend(request, asked, found),
        "breakdown": _breakdown(request, asked, found),
        "map": _map(request, asked, found),
        "reach_note": found.whole.note or found.parts.note,
        "currency_note": _currency_note(found, asked.currency),
        "nothing_here": nothing_here(request, [Was(period.start)] if whole.now.events else [], period, found.extent),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _read(request: OrgRequest, subject: Dimension, value: str) -> Asked:
    filters = read_filters(request.GET, PARAMETERS)
    if subject in filters.chosen:
        raise InvalidInput(f"This page is of one {subject.words}; use one of the other filters.")
    parts = [one.value for one in Dimension if one is not subject]
    by = Dimension(known(request.GET.get("by", DEFAULT_BY), parts, "table by"))
    column, descending = read_sort(request, DEFAULT_SORT)
    ordered = by if column == "name" else BY_KEY[known(column, ["name", *BY_KEY], "column to sort by")]
    period = read_period(request.GET, time_zone=request.org.time_zone, now=timezone.now())
    metric = BY_KEY[known(request.GET.get("metric", DEFAULT_METRIC), BY_KEY, "metric")]
    return Asked(subject, value, period, filters, metric, by, Order(ordered, descending), request.org.currency)


def _filters(request: OrgRequest, asked: Asked) -> dict[str, Any]:
    bar = filter_bar(request, asked.filters, asked.period)
    return {**bar, "groups": [group for group in bar["groups"] if group["key"] != asked.subject.value]}


def _trend(request: OrgRequest, asked: Asked, found: Found) -> dict[str, Any]:
    metric, period = asked.metric, asked.period
    values = found.by_day(asked)
    places = money_places(values, asked.currency)
    words = [format_value(value, metric.unit, asked.currency, places=places) for value in values]
    unit = {"money": asked.currency, "percent": "percent", "count": metric.counts}.get(metric.unit, "")
    mark = f"{'hatched' if metric.adds_up else 'dotted'}: today so far" if period.today else ""
    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    return {
        "title": f"{metric.name} by day",
        "subtitle": ", ".join(filter(None, (unit, f"days in {period.zone_label}", mark))),
        "picture": f"{name}, {asked.value}: {metric.name} by day, {period.label}",
        "file": f"{request.org.slug}-{metric.key}-{period.start}-{period.end}{data_mark(request.org)}",
        "json": chart.by_day(metric, period, values, words, asked.currency),
        "metric_links": [
            Link(one.key, one.name, url_with(request, metric=one.key), one.key == metric.key) for one in METRICS
        ],
        "table": {
            "headers": ["Day", metric.name],
            "rows": [(chart.day_label(day, period), text) for day, text in zip(period.dates, words, strict=True)],
        },
        "csv_url": url_with(request, format="csv", table="trend"),
    }


def _breakdown(request: OrgRequest, asked: Asked, found: Found) -> dict[str, Any]:
    sort = read_sort(request, DEFAULT_SORT)
    lines = [(str(line.keys[0]), line.now) for line in found.parts.lines]
    columns = [_column(metric, [sums for _, sums in lines], found, asked.currency) for metric in METRICS]
    rows = [
        {**_row(request, asked, name), "cells": [column[place] for column in columns]}
        for place, (name, _) in enumerate(lines)
    ]
    links = [one for one in Dimension if one is not asked.subject]
    return {
        "title": f"By {asked.by.words}",
        "by": asked.by.value,
        "by_links": [Link(one.value, one.label, url_with(request, by=one.value), one is asked.by) for one in links],
        "columns": [sortable(request, "name", asked.by.label, sort, numeric=False)]
        + [sortable(request, one.key, one.name, sort, definition=one.definition) for one in METRICS],
        "rows": rows,
        "total": {"name": "All", "cells": [column[-1] for column in columns]},
        "more": found.parts.count - len(lines),
        "csv_url": url_with(request, format="csv", table="breakdown"),
    }


def _row(request: OrgRequest, asked: Asked, name: str) -> dict[str, Any]:
    """Pressed, it is what the page is filtered by."""
    return {
        "name": display_name(name, asked.by),
        "kind": PLATFORM_KINDS.get(name, "") if asked.by is Dimension.PLATFORM else "",
        "url": url_of(request, asked.filters.only(asked.by, name)),
        "page": page_of(request, asked.by, name),
    }


def _column(metric: Metric, parts: list[Totals], found: Found, currency: str) -> list[dict[str, Any]]:
    """One metric's cells, the total's last; bars of sums have one scale."""
    values = [metric.value(sums) for sums in (*parts, found.parts.whole.now)]
    most = max((value or Decimal(0) for value in values[:-1]), default=Decimal(0)) if metric.adds_up else None
    shares = [float(value / most) if value is not None and most else None for value in values[:-1]]
    places = money_places(values, currency)
    return [
        {"text": format_value(value, metric.unit, currency, places=places), "share": share, "tone": "neutral"}
        for value, share in zip(values, [*shares, None], strict=True)
    ]


def _map(request: OrgRequest, asked: Asked, found: Found) -> dict[str, Any]:
    metric = asked.metric if "reach" not in asked.metric.measures else BY_KEY["impressions"]
    drawn = map_of_states(found.places.sums, metric, asked.currency)
    geography = reverse("org:geography", args=[request.org.slug])
    geography += kept_query(request, more={asked.subject.value: asked.value})
    return {
        "name": metric.name,
        "title": f"{metric.name} by state",
        "drawn": drawn,
        "shapes": [(shape, f"{geography}&state={shape.code}") for shape in drawn.shapes],
        "state": "",
        "url": geography,
        "top": _top_states(found, metric, asked.currency),
    }


def _top_states(found: Found, metric: Metric, currency: str) -> list[dict[str, Any]]:
    """Those with most of it; and of what is not known to be in one."""
    told = [
        (STATES[code], value) for code, one in found.places.sums.items() if (value := metric.value(one)) is not None
    ]
    rows = sorted(told, key=lambda row: (-row[1], row[0]))[:MOST_STATES]
    elsewhere = found.places.elsewhere
    if elsewhere is not None and (value := metric.value(elsewhere)) is not None:
        rows.append(("Elsewhere or not known", value))
    places = money_places([value for _, value in rows], currency)
    return [{"name": name, "text": format_value(value, metric.unit, currency, places=places)} for name, value in rows]


def _currency_note(found: Found, currency: str) -> str:
    if not found.whole.left_out:
        return ""
    parts = ", ".join(f"{count:,} in {code}" for code, count in sorted(found.whole.left_out.items()))
    return f"Amounts are those in {currency}. Events in other currencies are left out: {parts}."


def _lines(asked: Asked, found: Found) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = [[asked.by.value, *(metric.key for metric in METRICS)]]
    for line in found.parts.lines:
        name = safe_cell(display_name(str(line.keys[0]), asked.by))
        rows.append([name, *(_plain(metric, metric.value(line.now)) for metric in METRICS)])
    return rows


def _day_lines(asked: Asked, found: Found) -> list[Sequence[object]]:
    days = zip(asked.period.dates, found.by_day(asked), strict=True)
    return [["day", asked.metric.key], *([day.isoformat(), _plain(asked.metric, value)] for day, value in days)]


def _plain(metric: Metric, value: Decimal | None) -> str:
    """Sums to the last digit, ratios to six decimals."""
    if value is None:
        return ""
    return f"{plain(value) if metric.adds_up else shorten(value):f}"
