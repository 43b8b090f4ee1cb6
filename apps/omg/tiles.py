"""Tiles of one thing's figures: of its period, compared with the one before. No Django, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.common.comparison import Extent, compare
from apps.common.figures import Figure, change_of, format_exact, format_value, spark_points, tone_of
from apps.common.period import Period
from apps.omg.answering import Line
from apps.omg.metrics import METRICS, Metric, Totals


@dataclass(frozen=True)
class Was:
    """That there was something in the period before, for `compare`."""

    day: date
    compared: bool = True


def note_of(whole: Line, period: Period, extent: Extent | None) -> str:
    """Why no change is shown; empty where one is."""
    was = [Was(period.previous.start)] if whole.before and whole.before.events else []
    return compare(was, period, extent).note


def tiles(whole: Line, days: Sequence[Totals], period: Period, currency: str, note: str) -> list[Figure]:
    """`days` are those that are over, for the sparklines."""
    return [_tile(metric, whole, days, period, currency, note) for metric in METRICS]


def _tile(metric: Metric, whole: Line, days: Sequence[Totals], period: Period, currency: str, note: str) -> Figure:
    value = metric.value(whole.now)
    so_far = None if whole.so_far is None else metric.value(whole.so_far)
    before = None if note or whole.before is None else metric.value(whole.before)
    money = currency if metric.unit == "money" else ""
    is_known = "reach" not in metric.measures or whole.now.reach is not None
    return Figure(
        key=metric.key,
        name=metric.name,
        definition=metric.definition,
        value=format_value(value, metric.unit, currency),
        exact=format_exact(value, money) if is_known else "Not known: single events are not kept any more",
        change=change_of(so_far, before, metric.unit),
        tone=tone_of(so_far, before, metric.unit, metric.better),
        note=note,
        compared_with=period.comparison,
        spark_points=spark_points([metric.value(day) for day in days]),
    )
