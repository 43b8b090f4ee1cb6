"""The overview as plain data: from rows of ClickHouse to what the template shows. No Django, no I/O."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from apps.common.comparison import Compared, Extent, compare
from apps.common.errors import InvalidInput
from apps.common.figures import Figure, change_of, format_exact, format_value, money_places, spark_points, tone_of
from apps.common.period import Period
from apps.events.public import PLATFORM_KINDS
from apps.omg.dimensions import Dimension, display_name
from apps.omg.metrics import BY_KEY, METRICS, Metric, Totals, total
from apps.omg.queries.performance import Row
from apps.omg.queries.reach import Reach

Key = TypeVar("Key")
DEFAULT_SORT = "-spend"
NO_COST = "no cost received"


@dataclass(frozen=True)
class Data:
    """Rows of the period and of the one before it, in the organisation's currency; and the persons exposed."""

    rows: Compared[Row]
    currency: str
    reach: Reach

    @property
    def period(self) -> Period:
        return self.rows.period


def split_rows(
    rows: Sequence[Row], period: Period, currency: str, extent: Extent | None, reach: Reach
) -> tuple[Data, dict[str, int]]:
    """Rows by period; and how many events carry another currency, which no sum may mix in."""
    foreign: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.currency != currency:
            foreign[row.currency] += row.events
    own = [row for row in rows if row.currency == currency or (row.revenue == 0 and row.spend == 0)]
    return Data(compare(own, period, extent), currency, reach), dict(foreign)


def figures(data: Data) -> list[Figure]:
    parts = (
        (data.rows.current, data.reach.current),
        (data.rows.so_far, data.reach.so_far),
        (data.rows.before, data.reach.before),
    )
    totals = [replace(total(rows), reach=reach) for rows, reach in parts]
    by_day = totals_by(data.rows.current, lambda row: row.day)
    days = [by_day.get(day, Totals()) for day in data.rows.past_days]
    return [_figure(metric, totals, days, data) for metric in METRICS]


def trend(data: Data, key: str) -> tuple[Metric, list[Decimal | None]]:
    """One metric by day; a day without data is 0 where the metric is a sum, undefined where it is a ratio. Where no
    event of the period carried a cost, nothing is said of costs."""
    metric = get_metric(key)
    if metric.lacks_cost(total(data.rows.current)):
        return metric, [None] * len(data.period.dates)
    by_day = with_reach(totals_by(data.rows.current, lambda row: row.day), data.reach.by_day)
    nothing = Totals(reach=None if data.reach.by_day is None else 0)
    return metric, [metric.value(by_day.get(day, nothing)) for day in data.period.dates]


def breakdown(data: Data, *, sort: str, descending: bool) -> list[tuple[str, Totals]]:
    """Sums by name, sorted; names without a value come last either way."""
    sums = list(with_reach(totals_by(data.rows.current, lambda row: row.name), data.reach.by_name).items())
    if sort == "name":
        return sorted(sums, key=lambda pair: pair[0].lower(), reverse=descending)
    metric = get_metric(sort)
    known = [pair for pair in sums if metric.told(pair[1]) is not None]
    unknown = sorted((pair for pair in sums if metric.told(pair[1]) is None), key=lambda pair: pair[0])
    known.sort(key=lambda pair: (metric.told(pair[1]) or Decimal(0), pair[0]), reverse=descending)
    return known + unknown


def with_reach(groups: Mapping[Key, Totals], reach: Mapping[Key, int] | None) -> dict[Key, Totals]:
    if reach is None:
        return dict(groups)
    return {key: replace(sums, reach=reach.get(key, 0)) for key, sums in groups.items()}


def table(groups: Sequence[tuple[str, Totals]], data: Data, dimension: Dimension) -> dict[str, Any]:
    """Rows and their total; a column has one precision throughout, and the bars of sums one scale."""
    whole = replace(total(data.rows.current), reach=data.reach.current)
    columns = [_column(metric, [sums for _, sums in groups], whole, data.currency) for metric in METRICS]
    *lines, last = zip(*columns, strict=True)
    rows = [_table_row(name, cells, dimension) for (name, _), cells in zip(groups, lines, strict=True)]
    return {"rows": rows, "total": {"name": "All", "cells": last}}


def _table_row(name: str, cells: Sequence[dict[str, Any]], dimension: Dimension) -> dict[str, Any]:
    kind = PLATFORM_KINDS.get(name, "") if dimension is Dimension.PLATFORM else ""
    return {"value": name, "name": display_name(name, dimension), "kind": kind, "cells": cells}


def _column(metric: Metric, parts: Sequence[Totals], whole: Totals, currency: str) -> list[dict[str, Any]]:
    """One metric's cells, the total's last."""
    values = [metric.told(sums) for sums in (*parts, whole)]
    most = max((value or Decimal(0) for value in values[:-1]), default=Decimal(0)) if metric.adds_up else None
    shares = [float(value / most) if value is not None and most else None for value in values[:-1]]
    places = money_places(values, currency)
    return [
        {"text": format_value(value, metric.unit, currency, places=places), "share": share, "tone": "neutral"}
        for value, share in zip(values, [*shares, None], strict=True)
    ]


def get_metric(key: str) -> Metric:
    if key not in BY_KEY:
        raise InvalidInput(f"There is no metric {key!r}; use one of {', '.join(BY_KEY)}.")
    return BY_KEY[key]


def totals_by(rows: Sequence[Row], key: Callable[[Row], Key]) -> dict[Key, Totals]:
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: total(group) for name, group in groups.items()}


def _figure(metric: Metric, totals: Sequence[Totals], days: Sequence[Totals], data: Data) -> Figure:
    """`totals` are those of the whole period, of its part that compares, and of that part's counterpart."""
    value, so_far, before = (metric.told(one) for one in totals)
    lacks_cost = metric.lacks_cost(totals[0])
    previous = None if data.rows.note else before
    money = data.currency if metric.unit == "money" else ""
    return Figure(
        key=metric.key,
        name=metric.name,
        definition=metric.definition,
        value=format_value(value, metric.unit, data.currency),
        exact=NO_COST.capitalize() if lacks_cost else format_exact(value, money),
        change=change_of(so_far, previous, metric.unit),
        tone=tone_of(so_far, previous, metric.unit, metric.better),
        note=NO_COST if lacks_cost else data.rows.note,
        compared_with=data.period.comparison,
        spark_points="" if lacks_cost else spark_points([metric.value(day) for day in days]),
    )
