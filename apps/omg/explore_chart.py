"""Charts of Explore as plain data for the browser: the largest as bars, or the course of the largest as lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.common.period import local_day
from apps.omg.chart import axis_format, plotted
from apps.omg.metrics import Metric
from apps.omg.question import Grain, Question

MOST_BARS, MOST_LINES = 12, 5
# Room for so many bars, so that a single one is no wall.
FEWEST_PLACES = 5
LONGEST_TICK = 48
# With more steps than these, points stand closer than they are wide.
MANY_STEPS = 60
STEPS = {Grain.HOUR: timedelta(hours=1), Grain.DAY: timedelta(days=1), Grain.WEEK: timedelta(days=7)}
TICKS = {Grain.HOUR: "%-d %b\n%H:%M", Grain.DAY: "%-d %b", Grain.WEEK: "%-d %b", Grain.MONTH: "%b %Y"}


@dataclass(frozen=True)
class Series:
    """One line: its name, and a value and its words for each step."""

    name: str
    values: Sequence[Decimal | None]
    words: Sequence[str]


def ranking(metric: Metric, names: Sequence[str], values: Sequence[Decimal | None], words: Sequence[str],
            currency: str) -> dict[str, Any]:  # fmt: skip
    places = list(range(len(names)))
    room = max(len(names), FEWEST_PLACES)
    return {
        "data": [
            {
                "type": "bar", "orientation": "h", "width": 0.64, "y": places,
                "x": [plotted(metric, value) for value in values],
            }
        ],
        "layout": {
            "hovermode": "y",
            "xaxis": {**axis_format(metric, currency), "showgrid": True, "rangemode": "tozero", "nticks": 6},
            "yaxis": {
                "tickvals": places, "ticktext": [_short(name) for name in names], "range": [room - 0.5, -0.5],
                "showgrid": False, "zeroline": False, "rangemode": "normal",
            },
            "meta": {"today": None, "labels": list(names), "words": list(words)},
        },
    }  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_TICK else f"{name[: LONGEST_TICK - 1]}…"


def course(
    metric: Metric, question: Question, steps: Sequence[date | datetime], labels: Sequence[str],
    series: Sequence[Series], currency: str,
) -> dict[str, Any]:  # fmt: skip
    """Each line up to the last step that is over, and dotted from there to the one that is not."""
    x = [_clock(step, question) for step in steps]
    ahead = len(steps) - 1 if question.period.today and steps else None
    return {
        "data": [
            trace
            for place, one in enumerate(series)
            for trace in _traces(x, [plotted(metric, value) for value in one.values], one, place, ahead)
        ],
        "layout": {
            "xaxis": {"type": "date", "tickformat": TICKS[question.grain or Grain.DAY]},
            "yaxis": {**axis_format(metric, currency), "rangemode": "tozero"},
            "meta": {"today": ahead, "labels": list(labels), "words": []},
        },
    }


def _traces(
    x: Sequence[str], y: Sequence[float | None], one: Series, place: int, ahead: int | None
) -> list[dict[str, Any]]:
    colour = {"color": f"--series-{place + 1}"}
    base = {"type": "scatter", "mode": "lines+markers", "x": list(x), "name": one.name, "connectgaps": False,
            "line": colour}  # fmt: skip
    told = {"words": list(one.words)}
    marker = {**colour, "size": 5 if len(x) <= MANY_STEPS else 3}
    if ahead is None or len(x) == 1:
        return [{**base, "y": list(y), "marker": marker, "meta": told}]
    over = [value if step < ahead else None for step, value in enumerate(y)]
    so_far = [value if step in {ahead - 1, ahead} else None for step, value in enumerate(y)]
    return [
        {**base, "y": over, "marker": marker, "meta": told},
        {**base, "y": so_far, "marker": {"line": colour}, "meta": {**told, "today": True}, "showlegend": False},
    ]


def _clock(step: date | datetime, question: Question) -> str:
    """As the zone's clocks show it: the axis knows no zones."""
    if isinstance(step, datetime):
        return f"{step.astimezone(ZoneInfo(question.period.time_zone)):%Y-%m-%d %H:%M:%S}"
    return step.isoformat()


def steps_of(question: Question, found: Sequence[date | datetime]) -> list[date | datetime]:
    """Every step of the range that has begun, and those that were found."""
    period, grain = question.period, question.grain
    if grain is Grain.HOUR:
        until = min(period.until, period.now)
        hours = int((until - period.since) / STEPS[Grain.HOUR]) + 1
        every = [period.since + n * STEPS[Grain.HOUR] for n in range(hours)]
        return sorted({one for one in every if one < until} | {one for one in found if isinstance(one, datetime)})
    last = min(period.end, local_day(period.now, period.time_zone)) if period.is_partial else period.end
    days = {_start_of(day, grain) for day in period.dates if day <= last}
    return [*sorted(days | {one for one in found if not isinstance(one, datetime)})]


def _start_of(day: date, grain: Grain | None) -> date:
    if grain is Grain.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if grain is Grain.WEEK else day
