"""Where the media was seen: states of the country and ZIP codes of a state, as a map and as a ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_value, money_places, plain, shorten
from apps.common.pages import Link, freshness, nothing_here, range_context, read_sort, respond, sortable, url_with
from apps.common.period import Period, read_period
from apps.common.spreadsheets import safe_cell
from apps.events.public import sample_progress
from apps.omg.answers import Asker
from apps.omg.by_place import ByPlace, ask_by_place
from apps.omg.filters import COMMON_PARAMETERS, read_filters
from apps.omg.geography import map_of_states, map_of_zips, name_of_zip
from apps.omg.metrics import BY_KEY, METRICS, Metric, Totals
from apps.omg.places import STATES
from apps.omg.queries import extent as extents
from apps.omg.question import Question, known
from apps.omg.tiles import Was
from apps.omg.views.downloads import csv_of
from apps.omg.views.filter_bar import filter_bar
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/geography.html"
FRAGMENTS = {
    "overview": "omg/partials/_geography.html",
    "places": "omg/partials/_places.html",
    "filters": "omg/partials/_filters.html",
}
PARAMETERS = COMMON_PARAMETERS | {"metric", "sort", "state"}
SUMMED = tuple(metric for metric in METRICS if "reach" not in metric.measures)
MOST_ROWS = 200
DEFAULT_METRIC = "impressions"


@dataclass(frozen=True)
class Places:
    """What the page shows of one state, or of all of them."""

    found: ByPlace
    state: str
    metric: Metric
    metrics: tuple[Metric, ...]
    currency: str

    @property
    def kind(self) -> str:
        return "ZIP code" if self.state else "state"

    def name_of(self, place: str) -> str:
        return name_of_zip(place) if self.state else STATES.get(place, place)

    def sorted(self, sort: str, *, descending: bool) -> list[tuple[str, Totals]]:
        """What is not defined comes last either way."""
        rows = list(self.found.sums.items())
        if sort == "name":
            return sorted(rows, key=lambda row: self.name_of(row[0]), reverse=descending)
        metric = BY_KEY[known(sort, [one.key for one in self.metrics], "column")]
        told = [row for row in rows if metric.value(row[1]) is not None]
        told.sort(key=lambda row: (metric.value(row[1]) or Decimal(0), row[0]), reverse=descending)
        return told + sorted(row for row in rows if metric.value(row[1]) is None)


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def geography(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    filters, state, metric = read_filters(request.GET, PARAMETERS), _state(request), _metric(request)
    asker = Asker(data_org_id(request.org))
    # Persons cost a look at single events, so they are counted only for those who want to see them.
    metrics = METRICS if "reach" in metric.measures else SUMMED
    found = ask_by_place(Question(metrics, period, filters=filters), request.org.currency, asker, state)
    shown = Places(found, state, metric, metrics, request.org.currency)
    sort = read_sort(request, f"-{metric.key}")
    rows = shown.sorted(sort[0], descending=sort[1])
    if request.GET.get("format") == "csv":
        return csv_of(request, {"places": lambda: _lines(shown, rows)}, "geography", f"{period.start}-{period.end}")
    extent = extents.fetch(asker.org_id, time_zone=period.time_zone)
    events = [*found.sums.values(), *([found.elsewhere] if found.elsewhere else [])]
    context = {
        "period": period,
        "range": range_context(request, period, extent),
        "freshness": freshness(extent, now=now, time_zone=period.time_zone),
        "not_compared": "a map shows one period",
        "filters": filter_bar(request, filters, period),
        "map": _map_card(request, shown, period),
        "places": _table(request, shown, rows, sort),
        "notes": _notes(shown),
        "is_empty": extent is None,
        "nothing_here": nothing_here(request, [Was(period.start)] if events or state else [], period, extent),
        "may_choose_data": request.actor.may(Permission.CHOOSE_DATA, request.org.pk),
        "sample": sample_progress(request.org) if extent is None else None,
        "may_import": request.actor.may(Permission.IMPORT_EVENTS, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _state(request: OrgRequest) -> str:
    state = request.GET.get("state", "")
    if state and state not in STATES:
        raise InvalidInput(f"There is no state {state[:80]!r}; use one of {', '.join(STATES)}.")
    return state


def _metric(request: OrgRequest) -> Metric:
    return BY_KEY[known(request.GET.get("metric", DEFAULT_METRIC), BY_KEY, "metric")]


def _map_card(request: OrgRequest, shown: Places, period: Period) -> dict[str, Any]:
    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    title = f"{shown.metric.name} by {shown.kind}" + (f", {STATES[shown.state]}" if shown.state else "")
    sums, metric, currency = shown.found.sums, shown.metric, shown.currency
    drawn = map_of_zips(shown.state, sums, metric, currency) if shown.state else map_of_states(sums, metric, currency)
    unit = currency if metric.unit == "money" else metric.counts if metric.unit == "count" else metric.unit
    return {
        "title": title,
        "subtitle": f"{unit}; classes with about as many {shown.kind}s each",
        "picture": f"{name}: {title}, {period.label}",
        "file": f"{request.org.slug}-map-{shown.metric.key}-{period.start}-{period.end}{data_mark(request.org)}",
        "drawn": drawn,
        "shapes": [(shape, url_with(request, state=shape.code)) for shape in drawn.shapes],
        "state": shown.state,
        "state_name": STATES.get(shown.state, ""),
        "all_url": url_with(request, state=None),
        "metric_links": [
            Link(one.key, one.name, url_with(request, metric=one.key, sort=None), one.key == shown.metric.key)
            for one in METRICS
        ],
    }


def _table(
    request: OrgRequest, shown: Places, rows: Sequence[tuple[str, Totals]], sort: tuple[str, bool]
) -> dict[str, Any]:
    cut = list(rows[:MOST_ROWS])
    columns = [_column(metric, cut, shown) for metric in shown.metrics]
    lines = [
        {
            "name": shown.name_of(place),
            "url": "" if shown.state else url_with(request, state=place),
            "cells": [column[number] for column in columns],
        }
        for number, (place, _) in enumerate(cut)
    ]
    if elsewhere := shown.found.elsewhere:
        name = "Without a ZIP code" if shown.state else "Elsewhere or not known"
        cells = [{"text": _text(metric, elsewhere, shown.currency)} for metric in shown.metrics]
        lines.append({"name": name, "cells": cells})
    return {
        "title": f"By {shown.kind}",
        "columns": [sortable(request, "name", shown.kind.capitalize().replace("Zip", "ZIP"), sort, numeric=False)]
        + [sortable(request, one.key, one.name, sort, definition=one.definition) for one in shown.metrics],
        "rows": lines,
        "more": len(rows) - len(cut),
        "csv_url": url_with(request, format="csv", table="places"),
    }


def _column(metric: Metric, rows: Sequence[tuple[str, Totals]], shown: Places) -> list[dict[str, Any]]:
    values = [metric.value(sums) for _, sums in rows]
    most = max((value or Decimal(0) for value in values), default=Decimal(0)) if metric.adds_up else None
    places = money_places(values, shown.currency)
    return [
        {"text": format_value(value, metric.unit, shown.currency, places=places),
         "share": float(value / most) if value is not None and most else None}
        for value in values
    ]  # fmt: skip


def _text(metric: Metric, sums: Totals, currency: str) -> str:
    return format_value(metric.value(sums), metric.unit, currency)


def _notes(shown: Places) -> list[str]:
    notes = []
    if shown.found.left_out:
        parts = ", ".join(f"{count:,} in {code}" for code, count in sorted(shown.found.left_out.items()))
        notes.append(f"Amounts are those in {shown.currency}. Events in other currencies are left out: {parts}.")
    if shown.found.persons_unknown:
        notes.append(
            "Reach and frequency by place are counted from single events, and those of this range are not all kept "
            "any more. Choose a later range to see them."
        )
    return notes


def _lines(shown: Places, rows: Sequence[tuple[str, Totals]]) -> list[Sequence[object]]:
    """Sums to the last digit, ratios to six decimals; all rows."""
    head: Sequence[object] = ["zip" if shown.state else "state", "name", *(metric.key for metric in shown.metrics)]
    elsewhere = [("", shown.found.elsewhere)] if shown.found.elsewhere else []
    return [
        head,
        *(
            [place, safe_cell(shown.name_of(place)), *(_plain(metric, sums) for metric in shown.metrics)]
            for place, sums in [*rows, *elsewhere]
        ),
    ]


def _plain(metric: Metric, sums: Totals) -> str:
    value = metric.value(sums)
    if value is None:
        return ""
    return f"{plain(value) if metric.adds_up else shorten(value):f}"
