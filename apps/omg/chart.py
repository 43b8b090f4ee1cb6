"""Plotly figures of the overview, as JSON for the browser. Colours are the page's: `charts.js` puts the theme's in."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from apps.common.money import SYMBOLS
from apps.omg.metrics import Metric


def by_day(metric: Metric, days: Sequence[date], values: Sequence[Decimal | None], currency: str) -> dict[str, Any]:
    """Sums as bars, ratios as a line: a gap in a ratio stays a gap."""
    x = [day.isoformat() for day in days]
    y = [None if value is None else float(value) for value in values]
    hover = f"{_prefix(metric, currency)}%{{y:{_format(metric)}}}<extra></extra>"
    adds_up = metric.unit in {"money", "count"} and metric.key not in {"cpm", "cpa"}
    trace = (
        go.Bar(x=x, y=y, name=metric.name, hovertemplate=hover)
        if adds_up
        else go.Scatter(x=x, y=y, name=metric.name, mode="lines+markers", connectgaps=False, hovertemplate=hover)
    )
    layout = go.Layout(
        yaxis={"tickprefix": _prefix(metric, currency), "tickformat": _format(metric), "rangemode": "tozero"},
        xaxis={"type": "date", "tickformat": "%-d %b"},
        showlegend=False,
        template=None,
    )
    return dict(json.loads(go.Figure([trace], layout).to_json()))


def _format(metric: Metric) -> str:
    return {"percent": ".2%", "ratio": ",.2f", "count": ",.0f"}.get(
        metric.unit, ",.2f" if metric.key in {"cpm", "cpa"} else ",.0f"
    )


def _prefix(metric: Metric, currency: str) -> str:
    return SYMBOLS.get(currency, f"{currency} ") if metric.unit == "money" else ""
