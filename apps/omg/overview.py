"""The overview as plain data: from rows of ClickHouse to what the template shows. No Django, no I/O."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from apps.common.errors import InvalidInput
from apps.common.figures import Figure, change_of, format_exact, format_value, spark_points, tone_of
from apps.common.period import Period
from apps.events.public import PLATFORM_KINDS, platform_name
from apps.omg.metrics import BY_KEY, METRICS, Metric, Totals, total
from apps.omg.queries.performance import Dimension, Row

Key = TypeVar("Key")
DEFAULT_SORT = "-spend"
# A period whose data begins after this part of it is not one to compare with.
LATEST_BEGINNING = 0.1


@dataclass(frozen=True)
class Data:
    """Rows of the period and of the one before it, in the organisation's currency."""

    period: Period
    currency: str
    now: Sequence[Row]
    before: Sequence[Row]

    @property
    def not_comparable(self) -> str:
        """Why no change is shown: there is nothing before, or data begins in the middle of the period before."""
        if not self.before:
            return "no data before"
        first = min(row.day for row in self.before)
        late = (first - self.period.previous.start).days > self.period.days * LATEST_BEGINNING
        return f"data begins {first.day} {first:%B}" if late else ""

    @property
    def days(self) -> list[date]:
        return [self.period.start + timedelta(days=offset) for offset in range(self.period.days)]


def split_rows(rows: Sequence[Row], period: Period, currency: str) -> tuple[Data, dict[str, int]]:
    """Rows by period; and how many events carry another currency, which no sum may mix in."""
    foreign: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.currency != currency:
            foreign[row.currency] += row.events
    own = [row for row in rows if row.currency == currency or (row.revenue == 0 and row.spend == 0)]
    now = [row for row in own if row.day >= period.start]
    return Data(period, currency, now, [row for row in own if row.day < period.start]), dict(foreign)


def figures(data: Data) -> list[Figure]:
    now, before = total(data.now), total(data.before)
    by_day = totals_by(data.now, lambda row: row.day)
    return [_figure(metric, now, before, [by_day.get(day) for day in data.days], data) for metric in METRICS]


def trend(data: Data, key: str) -> tuple[Metric, list[date], list[Decimal | None]]:
    """One metric by day; a day without data is 0 where the metric is a sum, undefined where it is a ratio."""
    metric = get_metric(key)
    by_day = totals_by(data.now, lambda row: row.day)
    return metric, data.days, [metric.value(by_day.get(day, Totals())) for day in data.days]


def breakdown(data: Data, *, sort: str, descending: bool) -> list[tuple[str, Totals]]:
    """Sums by name, sorted; names without a value come last either way."""
    sums = list(totals_by(data.now, lambda row: row.name).items())
    if sort == "name":
        return sorted(sums, key=lambda pair: pair[0].lower(), reverse=descending)
    metric = get_metric(sort)
    known = [pair for pair in sums if metric.value(pair[1]) is not None]
    unknown = sorted((pair for pair in sums if metric.value(pair[1]) is None), key=lambda pair: pair[0])
    known.sort(key=lambda pair: (metric.value(pair[1]) or Decimal(0), pair[0]), reverse=descending)
    return known + unknown


def table_row(
    name: str, sums: Totals, highest: Mapping[str, Decimal], data: Data, dimension: Dimension
) -> dict[str, Any]:
    return {
        "name": display_name(name, dimension),
        "kind": PLATFORM_KINDS.get(name, "") if dimension is Dimension.PLATFORM else "",
        "cells": [_cell(metric, sums, highest, data.currency) for metric in METRICS],
    }


def highest_values(rows: Sequence[tuple[str, Totals]]) -> dict[str, Decimal]:
    return {
        metric.key: max((metric.value(sums) or Decimal(0) for _, sums in rows), default=Decimal(0))
        for metric in METRICS
        if metric.key in {"spend", "impressions", "clicks", "conversions", "revenue"}
    }


def display_name(name: str, dimension: Dimension) -> str:
    if not name:
        return f"(no {dimension.value})"
    return platform_name(name) if dimension is Dimension.PLATFORM else name


def get_metric(key: str) -> Metric:
    if key not in BY_KEY:
        raise InvalidInput(f"There is no metric {key!r}; use one of {', '.join(BY_KEY)}.")
    return BY_KEY[key]


def totals_by(rows: Sequence[Row], key: Callable[[Row], Key]) -> dict[Key, Totals]:
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: total(group) for name, group in groups.items()}


def _figure(metric: Metric, now: Totals, before: Totals, days: Sequence[Totals | None], data: Data) -> Figure:
    value, previous = metric.value(now), None if data.not_comparable else metric.value(before)
    money = data.currency if metric.unit == "money" else ""
    return Figure(
        key=metric.key,
        name=metric.name,
        definition=metric.definition,
        value=format_value(value, metric.unit, data.currency),
        exact=format_exact(value, money),
        change=change_of(value, previous, metric.unit),
        tone=tone_of(value, previous, metric.better),
        note=data.not_comparable,
        spark_points=spark_points([metric.value(day or Totals()) for day in days]),
    )


def _cell(metric: Metric, sums: Totals, highest: Mapping[str, Decimal], currency: str) -> dict[str, Any]:
    value, most = metric.value(sums), highest.get(metric.key)
    share = float(value / most) if value is not None and most else None
    return {"text": format_value(value, metric.unit, currency), "share": share, "tone": "neutral"}
