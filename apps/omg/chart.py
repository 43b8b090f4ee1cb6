"""Plotly figures of the overview, as JSON for the browser. Colours are the page's: `charts.js` puts the theme's in."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

import plotly.graph_objects as go

from apps.common.money import SYMBOLS, decimal_places
from apps.common.period import Period
from apps.omg.metrics import Metric


class Beside(Protocol):
    """A day's figure as it is reported, and as it was counted."""

    @property
    def reported(self) -> Decimal | None: ...
    @property
    def counted(self) -> Decimal | None: ...


DAY_MS = 86_400_000
# So few days have a tick each; Plotly would divide them into hours.
FEW_DAYS = 7


def by_day(
    metric: Metric, period: Period, values: Sequence[Decimal | None], words: Sequence[str], currency: str
) -> dict[str, Any]:
    """Sums as bars, ratios as a line: a gap in a ratio stays a gap. `words` are the values as the page writes them."""
    x = [day.isoformat() for day in period.dates]
    y = [plotted(metric, value) for value in values]
    today = period.dates.index(period.today) if period.today else None
    layout = go.Layout(
        yaxis={**axis_format(metric, currency), "rangemode": "tozero"},
        xaxis=_day_axis(period),
        meta={"today": today, "labels": [day_label(day, period) for day in period.dates], "words": list(words)},
        showlegend=False,
        template=None,
    )
    traces = [go.Bar(x=x, y=y)] if metric.adds_up else _lines(x, y, today)
    return dict(json.loads(go.Figure(traces, layout).to_json()))


def beside(
    metric: Metric, period: Period, pairs: Sequence[Beside], words: Sequence[str], currency: str
) -> dict[str, Any]:
    """Reported as bars, counted as a line over them; a day of which nothing is known has neither."""
    x = [day.isoformat() for day in period.dates]
    today = period.dates.index(period.today) if period.today else None
    layout = go.Layout(
        yaxis={**axis_format(metric, currency), "rangemode": "tozero"},
        xaxis=_day_axis(period),
        meta={"today": today, "labels": [day_label(day, period) for day in period.dates], "words": list(words)},
        showlegend=False,
        template=None,
    )
    bars = go.Bar(x=x, y=[plotted(metric, pair.reported) for pair in pairs], name="reported")
    lines = _lines(x, [plotted(metric, pair.counted) for pair in pairs], today)
    return dict(json.loads(go.Figure([bars, *lines], layout).to_json()))


def by_step(bars: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Persons by frequency: a bar for each step."""
    x, y = [name for name, _ in bars], [count for _, count in bars]
    layout = go.Layout(
        xaxis={"type": "category", "title": {"text": "times seen"}},
        yaxis={"tickformat": ",.0f", "rangemode": "tozero"},
        meta={"today": None, "labels": [f"{name} times" for name in x], "words": [f"{count:,}" for count in y]},
        showlegend=False,
        template=None,
    )
    return dict(json.loads(go.Figure([go.Bar(x=x, y=y)], layout).to_json()))


def day_label(day: date, period: Period) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}{', today so far' if day == period.today else ''}"


def _lines(x: Sequence[str], y: Sequence[float | None], today: int | None) -> list[go.Scatter]:
    """The days that are over; and, to be drawn otherwise, the way from the last of them to today."""
    if today is None:
        return [_line(x, y)]
    over = [value if place < today else None for place, value in enumerate(y)]
    so_far = [value if place in {today - 1, today} else None for place, value in enumerate(y)]
    return [_line(x, over), _line(x, so_far, meta={"today": True})]


def _line(x: Sequence[str], y: Sequence[float | None], **more: Any) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines+markers", connectgaps=False, **more)


def _day_axis(period: Period) -> dict[str, Any]:
    """Half a day of room at either end, so that no tick stands after the last day; years where there are two."""
    dates = period.dates
    years = "\n%Y" if dates[0].year != dates[-1].year else ""
    return {
        "type": "date",
        "tickformat": f"%-d %b{years}",
        "range": [_noon_before(dates[0]), _noon_before(dates[-1] + timedelta(days=1))],
        **({"tick0": dates[0].isoformat(), "dtick": DAY_MS} if len(dates) <= FEW_DAYS else {}),
    }


def _noon_before(day: date) -> str:
    return f"{day - timedelta(days=1)} 12:00"


def plotted(metric: Metric, value: Decimal | None) -> float | None:
    return None if value is None else float(value * 100 if metric.unit == "percent" else value)


def axis_format(metric: Metric, currency: str) -> dict[str, str]:
    """The page's way: `$1,076`, `0.58 %`."""
    places = {"count": 0, "money": 0 if metric.adds_up else decimal_places(currency)}.get(metric.unit, 2)
    prefix = SYMBOLS.get(currency, f"{currency} ") if metric.unit == "money" else ""
    return {"tickprefix": prefix, "ticksuffix": " %" if metric.unit == "percent" else "", "tickformat": f",.{places}f"}
