"""Reported: what platforms say of their campaigns beside what Precise counted."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_exact, format_value, money_places, plain, shorten
from apps.common.pages import Link, freshness, nothing_here, range_context, read_sort, respond, sortable, url_with
from apps.common.period import Period, read_period
from apps.common.spreadsheets import safe_cell
from apps.events.public import list_rejected_rows, platform_name
from apps.omg import chart
from apps.omg.metrics import Metric
from apps.omg.queries import counted as counts
from apps.omg.queries import reported as reports
from apps.omg.reported import (
    METRICS,
    TOLERANCE,
    Comparison,
    Line,
    Pair,
    by_campaign,
    by_day,
    by_source,
    compare,
    foreign_currencies,
    get_metric,
    sort_lines,
    summed,
    whole,
)
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/reported.html"
FRAGMENTS = {
    "overview": "omg/partials/_reported.html",
    "trend": "omg/partials/_reported_trend.html",
    "breakdown": "omg/partials/_reported_breakdown.html",
}
TABLES = {"source": by_source, "campaign": by_campaign}
ORDERS = {"reported": "Sort by figure", "difference": "Sort by difference"}
PARTS = ("breakdown", "trend")
PARAMETERS = ("range", "start", "end", "format", "table", "source", "metric", "by", "order", "sort")
DEFAULT_SORT = "-spend"
SAME = ", of the days and campaigns that the report has"
DEFINITIONS = {
    "spend": f"The cost that the platform reports, beside the media cost of the events that Precise received{SAME}.",
    "impressions": f"Impressions as the platform counts them, beside impression events{SAME}.",
    "clicks": f"Clicks as the platform counts them, beside click events{SAME}.",
    "conversions": "Conversions that the platform claims by its own attribution, beside events of type conversion or "
    f"purchase, each counted once{SAME}.",
    "revenue": f"Revenue that the platform claims by its own attribution, beside the revenue that events carry{SAME}.",
}
DIFFERENCE = (
    "(Reported − counted) / counted, over the days and campaigns that the report has; sources and platforms of which "
    f"nothing was counted are left out of it. Marked above {TOLERANCE * 100:.0f} %."
)


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def reported(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    _check_names(request)
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    data_id = data_org_id(request.org)
    extent = reports.fetch_extent(data_id, time_zone=period.time_zone)
    rows = reports.fetch(data_id, period) if extent else []
    source = _source(request, rows, data_id)
    shown = [row for row in rows if row.source == source] if source else rows
    data = compare(shown, counts.fetch(data_id, period) if shown else [], request.org.currency)
    if request.GET.get("format") == "csv":
        return _csv(request, data, period)
    may_import = request.actor.may(Permission.IMPORT_EVENTS, request.org.pk)
    context = {
        "period": period,
        "range": range_context(request, period, extent),
        "freshness": freshness(extent, now=now, time_zone=period.time_zone),
        "source": source,
        "all_sources_url": url_with(request, source=None),
        "figures": [_figure(metric, whole(data, metric), request.org.currency) for metric in METRICS],
        "trend": _trend(request, data, period),
        "breakdown": _breakdown(request, data),
        "notes": _notes(rows, data, request.org.currency),
        "difference": DIFFERENCE,
        "is_empty": extent is None,
        "nothing_here": nothing_here(request, shown, period, extent),
        "may_import": may_import,
        "rejected": list_rejected_rows() if may_import else [],
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _check_names(request: OrgRequest) -> None:
    for name in request.GET:
        if name not in PARAMETERS:
            raise InvalidInput(f"There is no parameter {name[:80]!r} here; use one of {', '.join(PARAMETERS)}.")
    for name, known in (("format", ("csv",)), ("table", PARTS)):
        if (value := request.GET.get(name, known[0])) not in known:
            raise InvalidInput(f"There is no {name} {value[:80]!r} here; use {' or '.join(known)}.")


def _source(request: OrgRequest, rows: Sequence[reports.Row], data_id: UUID) -> str:
    """The source that the URL names. One may report nothing in this period, but not nothing ever."""
    source = request.GET.get("source", "")
    if source and not any(row.source == source for row in rows):
        known = reports.fetch_sources(data_id)
        if source not in known:
            told = f"those that do are {', '.join(known[:20])}" if known else "no source does"
            raise InvalidInput(f"No source {source[:40]!r} reports anything here; {told}.")
    return source


def _figure(metric: Metric, pair: Pair, currency: str) -> dict[str, Any]:
    money = currency if metric.unit == "money" else ""
    return {
        "key": metric.key,
        "name": metric.name,
        "definition": DEFINITIONS[metric.key],
        "reported": format_value(pair.reported, metric.unit, currency),
        "counted": format_value(pair.counted, metric.unit, currency),
        "reported_exact": _exact(pair.reported, money),
        "counted_exact": _exact(pair.counted, money),
        **_difference(pair),
    }


def _exact(value: Decimal | None, money: str) -> str:
    return "not known" if value is None else format_exact(value, money).lower()


def _difference(pair: Pair) -> dict[str, str]:
    """The difference in words, and whether it is to be looked at."""
    if pair.difference is None:
        off = pair.is_off
        return {"difference": "not counted" if off else "", "tone": "warn" if off else "neutral"}
    change = round(pair.difference * 100, 1)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return {"difference": f"{sign}{abs(change):,f} %", "tone": "warn" if pair.is_off else "neutral"}


def _trend(request: OrgRequest, data: Comparison, period: Period) -> dict[str, Any]:
    metric = get_metric(request.GET.get("metric", "spend"))
    pairs = by_day(data, period.dates, metric)
    currency = request.org.currency
    places = money_places([value for pair in pairs for value in (pair.reported, pair.counted)], currency)

    def words(value: Decimal | None) -> str:
        return format_value(value, metric.unit, currency, places=places)

    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    bars = f"{currency}, bars" if metric.unit == "money" else "Bars"
    return {
        "title": f"{metric.name} by day, reported and counted",
        "subtitle": f"{bars}: reported, line: counted by Precise; days in {period.zone_label}",
        "picture": f"{name}: {metric.name} by day, reported and counted, {period.label}",
        "file": f"{request.org.slug}-reported-{metric.key}-{period.start}-{period.end}{data_mark(request.org)}",
        "json": chart.beside(metric, period, pairs, [_tip(pair, words) for pair in pairs], currency),
        "metric_links": [
            Link(one.key, one.name, url_with(request, metric=one.key), one.key == metric.key) for one in METRICS
        ],
        "table": {
            "headers": ["Day", "Reported", "Counted", "Difference"],
            "rows": [
                (
                    chart.day_label(day, period),
                    words(pair.reported),
                    words(pair.counted),
                    _difference(pair)["difference"],
                )
                for day, pair in zip(period.dates, pairs, strict=True)
            ],
        },
        "csv_url": url_with(request, format="csv", table="trend"),
    }


def _tip(pair: Pair, words: Any) -> str:
    difference = _difference(pair)["difference"]
    told = f"{words(pair.reported)} reported, {words(pair.counted)} counted"
    return f"{told} ({difference})" if difference else told


def _breakdown(request: OrgRequest, data: Comparison) -> dict[str, Any]:
    by, order = _choice(request, "by", TABLES), _choice(request, "order", ORDERS)
    sort = read_sort(request, DEFAULT_SORT)
    lines = _lines(request, data)
    places = {metric.key: money_places(_values(lines, metric), request.org.currency) for metric in METRICS}
    return {
        "title": f"By {by}",
        "by": by,
        "by_links": [Link(one, one.capitalize(), url_with(request, by=one), one == by) for one in TABLES],
        "order_links": [Link(key, label, url_with(request, order=key), key == order) for key, label in ORDERS.items()],
        "columns": [sortable(request, "name", by.capitalize(), sort, numeric=False)]
        + [sortable(request, one.key, one.name, sort, definition=DEFINITIONS[one.key]) for one in METRICS],
        "rows": [_row(request, line, by, places) for line in lines],
        "csv_url": url_with(request, format="csv", table="breakdown"),
    }


def _choice(request: OrgRequest, name: str, known: Any) -> str:
    text = request.GET.get(name) or next(iter(known))
    if text not in known:
        raise InvalidInput(f"There is no {name} {text!r}; use one of {', '.join(known)}.")
    return str(text)


def _lines(request: OrgRequest, data: Comparison) -> list[Line]:
    key, descending = read_sort(request, DEFAULT_SORT)
    by_difference = _choice(request, "order", ORDERS) == "difference"
    lines = TABLES[_choice(request, "by", TABLES)](data)
    return sort_lines(lines, key=key, descending=descending, by_difference=by_difference)


def _values(lines: Sequence[Line], metric: Metric) -> list[Decimal | None]:
    pairs = [line.pair(metric) for line in lines]
    return [value for pair in pairs for value in (pair.reported, pair.counted)]


def _row(request: OrgRequest, line: Line, by: str, places: dict[str, int]) -> dict[str, Any]:
    own_id = "" if line.campaign_id == line.name else line.campaign_id
    days = f"{len(line.days)} day{'s' if len(line.days) != 1 else ''}" if line.days else "not reported"
    return {
        "name": line.name,
        "kind": " · ".join(filter(None, (platform_name(line.platform), own_id, days))),
        "url": url_with(request, source=line.name, by="campaign") if by == "source" else "",
        "cells": [_cell(line.pair(metric), metric, request.org.currency, places[metric.key]) for metric in METRICS],
    }


def _cell(pair: Pair, metric: Metric, currency: str, places: int) -> dict[str, str]:
    return {
        "reported": format_value(pair.reported, metric.unit, currency, places=places),
        "counted": format_value(pair.counted, metric.unit, currency, places=places),
        **_difference(pair),
    }


def _notes(rows: Sequence[reports.Row], data: Comparison, currency: str) -> list[str]:
    notes = []
    if foreign := foreign_currencies(rows, currency):
        notes.append(f"Amounts are those in {currency}. Reported amounts in {', '.join(foreign)} are left out.")
    if data.overlapping:
        notes.append(
            "Several sources report the same campaigns on the same days. Totals, the chart and the table by campaign "
            "take the one that reported last."
        )
    if amounts := _amounts(data.only_counted, currency):
        notes.append(
            f"{amounts} counted on these days and platforms are of campaigns that nobody reports here. The counted "
            "figures leave them out; the table by campaign has them."
        )
    if amounts := _amounts(data.beyond_comparison, currency):
        whose = sorted({f"{row.source} ({platform_name(row.platform)})" for row in data.beyond_comparison})
        notes.append(f"Nothing was counted of {', '.join(whose)}: {amounts} reported there are in no difference above.")
    return notes


def _amounts(rows: Sequence[reports.Row] | Sequence[counts.Row], currency: str) -> str:
    """The figures of rows in words, those that are 0 or not known left out."""
    sums = [(metric, summed(rows, metric)) for metric in METRICS]
    told = [f"{format_value(value, metric.unit, currency)} {metric.name.lower()}" for metric, value in sums if value]
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1]))) if told else ""


def _csv(request: OrgRequest, data: Comparison, period: Period) -> HttpResponse:
    """The figures behind the chart or the table."""
    part = "trend" if request.GET.get("table") == "trend" else _choice(request, "by", TABLES)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{request.org.slug}-reported-{part}-{period.start}-{period.end}{data_mark(request.org)}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    write = csv.writer(response).writerow
    for line in _trend_lines(request, data, period) if part == "trend" else _breakdown_lines(request, data):
        write(line)
    return response


def _trend_lines(request: OrgRequest, data: Comparison, period: Period) -> list[list[str]]:
    metric = get_metric(request.GET.get("metric", "spend"))
    pairs = zip(period.dates, by_day(data, period.dates, metric), strict=True)
    head = ["day", *_heads(metric)]
    return [head, *([day.isoformat(), *_plain(pair)] for day, pair in pairs)]


def _breakdown_lines(request: OrgRequest, data: Comparison) -> list[list[str]]:
    by = _choice(request, "by", TABLES)
    head = [by, "platform", "campaign_id", "days", *(name for metric in METRICS for name in _heads(metric))]
    lines = [
        [
            safe_cell(line.name), line.platform, safe_cell(line.campaign_id), str(len(line.days)),
            *(text for metric in METRICS for text in _plain(line.pair(metric))),
        ]
        for line in _lines(request, data)
    ]  # fmt: skip
    return [head, *lines]


def _heads(metric: Metric) -> list[str]:
    return [f"{metric.key}_{name}" for name in ("reported", "counted", "difference")]


def _plain(pair: Pair) -> list[str]:
    """Sums to the last digit, the difference as a fraction to six decimals."""
    sums = ["" if value is None else f"{plain(value):f}" for value in (pair.reported, pair.counted)]
    return [*sums, "" if pair.difference is None else f"{shorten(pair.difference):f}"]
