"""Explore as plain data: what its address asks, and from an answer to what the template shows. No Django, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from apps.common.errors import InvalidInput
from apps.common.figures import change_of, format_value, money_places, tone_of
from apps.common.period import Period
from apps.events.public import PLATFORM_KINDS
from apps.omg.answering import Answer, Line
from apps.omg.dimensions import Dimension, display_name
from apps.omg.filters import Filters
from apps.omg.metrics import EVERY, Metric
from apps.omg.question import (
    COMPARISONS,
    TIME,
    Grain,
    Order,
    Question,
    check_comparison,
    find_dimensions,
    find_grain,
    find_metrics,
    known,
    read_order,
)

PARAMETERS = frozenset({"range", "start", "end", "by", "metric", "grain", "compare", "sort", "page", "chart", "bars",
                        "format", "choose"})  # fmt: skip
DEFAULT_METRICS = ("spend", "impressions", "clicks", "ctr", "conversions", "revenue", "roas")
BARS = {"sums": "In sums", "all": "In every column", "none": "None"}
COMPARED: Mapping[str, str] = {"previous": "The days just before", "year": "A year before"}
ROWS_OF_A_PAGE = 100
LAST_PAGE = 100_000
# From the whole to its parts: a press on a name asks for the next of these.
DRILL = tuple(one for one in ("platform", "campaign", "line_item", "creative", "publisher") if one in list(Dimension))


class Address(Protocol):
    """The parameters of a URL, some with several values."""

    def get(self, key: str, default: str) -> str: ...
    def getlist(self, key: str) -> list[str]: ...
    def __contains__(self, key: object) -> bool: ...


@dataclass(frozen=True)
class Asked:
    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension, ...]
    grain: Grain | None
    compare: str
    order: tuple[Order, ...]
    chart: Metric
    bars: str
    page: int

    def question(self, period: Period, filters: Filters) -> Question:
        against = COMPARISONS[self.compare](period) if self.compare else None
        check_comparison(period, against, self.grain)
        return Question(
            self.metrics, period, self.dimensions, self.grain, filters, against, self.order,
            limit=ROWS_OF_A_PAGE, offset=(self.page - 1) * ROWS_OF_A_PAGE,
        )  # fmt: skip


def read_asked(address: Address) -> Asked:
    """By platform unless told; an empty `by` asks for the whole."""
    metrics = find_metrics(_names(address.getlist("metric")) or DEFAULT_METRICS)
    dimensions = find_dimensions(_names(address.getlist("by")) if "by" in address else [Dimension.PLATFORM])
    grain = find_grain(address.get("grain", ""))
    compare, chart = address.get("compare", ""), address.get("chart", "")
    if chart:
        known(chart, EVERY, "metric")
    return Asked(
        metrics,
        dimensions,
        grain,
        known(compare, COMPARISONS, "comparison") if compare else "",
        read_order(_shown(address.get("sort", ""), metrics, dimensions, grain), metrics, dimensions, grain),
        next((one for one in metrics if one.key == chart), metrics[0]),
        known(address.get("bars", "") or "sums", BARS, "way to draw bars"),
        _page(address.get("page", "") or "1"),
    )


def _names(texts: Iterable[str]) -> list[str]:
    """Each given by itself or several with commas."""
    return [name for text in texts for name in text.split(",") if name]


def _shown(sort: str, metrics: Sequence[Metric], dimensions: Sequence[Dimension], grain: Grain | None) -> list[str]:
    """The order that the address asks for, unless its column is not shown any more."""
    name = sort.removeprefix("-")
    if not name:
        return []
    known(name, [*EVERY, *Dimension, TIME], "column to sort by")
    shown = {*(metric.key for metric in metrics), *dimensions, *([TIME] if grain else [])}
    return [sort] if name in shown else []


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE)) and 1 <= int(text) <= LAST_PAGE):
        raise InvalidInput(f"A page is a number from 1 to {LAST_PAGE:,}.")
    return int(text)


def next_dimension(here: Dimension, shown: Sequence[Dimension], filters: Filters) -> Dimension | None:
    """What a press on a value of `here` breaks it down by."""
    after = DRILL[DRILL.index(here) + 1 :] if here in DRILL else DRILL
    taken = {*shown, *filters.chosen, here}
    return next((Dimension(one) for one in after if one not in taken), None)


def name_of(line: Line, place: int, question: Question) -> str:
    if place < len(question.dimensions):
        return display_name(str(line.keys[place]), question.dimensions[place])
    return time_label(line.keys[place], question)


def time_label(key: object, question: Question) -> str:
    """`Sun 2 Nov 2025, 01:00 EDT`: the zone's letters where an hour is there twice."""
    if isinstance(key, datetime):
        zone = ZoneInfo(question.period.time_zone)
        here = key.astimezone(zone)
        twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
        return f"{here:%a} {here.day} {here:%b %Y, %H:%M}{f' {here:%Z}' if twice else ''}"
    if not isinstance(key, date):
        return str(key)
    if question.grain is Grain.MONTH:
        return f"{key:%B %Y}"
    if question.grain is Grain.WEEK:
        return f"Week of {key.day} {key:%b %Y}"
    return f"{key:%a} {key.day} {key:%b %Y}"


def table(found: Answer, currency: str, bars: str) -> dict[str, Any]:
    """Rows with their names and cells, and the whole; a column has one precision throughout."""
    columns = [_column(metric, found, currency, bars) for metric in found.question.metrics]
    *cells, whole = zip(*columns, strict=True)
    lines = zip(found.lines, cells, strict=True)
    return {
        "rows": [{"names": _names_of(line, found.question), "cells": row} for line, row in lines],
        "whole": whole,
    }


def _names_of(line: Line, question: Question) -> list[dict[str, Any]]:
    names = [
        {
            "dimension": one,
            "value": str(line.keys[place]),
            "text": name_of(line, place, question),
            "kind": PLATFORM_KINDS.get(str(line.keys[place]), "") if one is Dimension.PLATFORM else "",
        }
        for place, one in enumerate(question.dimensions)
    ]
    if question.grain:
        names.append({"text": time_label(line.keys[-1], question)})
    return names or [{"text": "All"}]


def _column(metric: Metric, found: Answer, currency: str, bars: str) -> list[dict[str, Any]]:
    """One metric's cells, the whole's last."""
    lines = [*found.lines, found.whole]
    values = [metric.value(line.now) for line in lines]
    places = money_places(values, currency)
    whole = values[-1] if metric.adds_up else None
    most = found.most.get(metric.key, 0) if bars == "all" or (bars == "sums" and metric.adds_up) else 0
    cells = [
        {
            "text": format_value(value, metric.unit, currency, places=places),
            "share": _share(value, whole),
            "bar": max(0.0, float(value) / most) if value is not None and most > 0 else None,
            **_change(metric, line),
        }
        for line, value in zip(lines, values, strict=True)
    ]
    cells[-1] |= {"share": "", "bar": None}
    return cells


def _share(value: Decimal | None, whole: Decimal | None) -> str:
    return f"{value / whole * 100:.1f} %" if value is not None and whole else ""


def _change(metric: Metric, line: Line) -> dict[str, str]:
    if line.so_far is None or line.before is None:
        return {"change": "", "tone": ""}
    now, before = metric.value(line.so_far), metric.value(line.before)
    return {
        "change": change_of(now, before, metric.unit) or ("new" if now and not before else ""),
        "tone": tone_of(now, before, metric.unit, metric.better),
    }


def pages_of(count: int, page: int) -> dict[str, Any]:
    last = max(1, -(-count // ROWS_OF_A_PAGE))
    first_row = (page - 1) * ROWS_OF_A_PAGE + 1
    return {
        "words": f"Rows {first_row:,} to {min(page * ROWS_OF_A_PAGE, count):,} of {count:,}",
        "first": 1 if page > 1 else None,
        "before": page - 1 if page > 1 else None,
        "after": page + 1 if page < last else None,
        "last": last if page < last else None,
    }


def heading(question: Question) -> str:
    """`By platform, campaign and day`, `All`."""
    names = [one.words for one in question.dimensions] + ([question.grain.value] if question.grain else [])
    if not names:
        return "All"
    return f"By {' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}"


def api_body(question: Question, compare: str) -> dict[str, Any]:
    """The same question for `POST /api/v1/query`."""
    period = question.period
    days = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    body: dict[str, Any] = {"metrics": [metric.key for metric in question.metrics]}
    if question.dimensions:
        body["dimensions"] = [one.value for one in question.dimensions]
    if question.filters:
        body["filters"] = {one.value: list(values) for one, values in question.filters.chosen.items()}
    if question.grain:
        body["grain"] = question.grain.value
    body["range"] = period.preset or days
    if compare:
        body["compare"] = compare
    return {**body, "order": [str(one) for one in question.order], "limit": question.limit}


def left_out_note(left_out: Mapping[str, int], currency: str) -> str:
    if not left_out:
        return ""
    parts = ", ".join(f"{count:,} in {code}" for code, count in sorted(left_out.items()))
    told = f"Events that carry money in other currencies are left out: {parts}."
    return f"Amounts are those in {currency}. {told} Reach counts the persons of all."


def sort_of(order: Sequence[Order]) -> tuple[str, bool]:
    """What the table is sorted by first, and whether the largest comes first."""
    return (order[0].name, order[0].descending) if order else (TIME, False)
