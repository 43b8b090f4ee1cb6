"""Plotly figures of what arrives, as JSON for the browser: bars by minute or hour, stacked. `charts.js` colours them.

Written as plain data, since the library's own figures take no names of colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BAR_SHARE = 0.82


@dataclass(frozen=True)
class Series:
    """One colour of the stack: its name, its token, and a value for each step."""

    name: str
    colour: str
    values: Sequence[int]


def stacked(steps: Sequence[datetime], step: timedelta, series: Sequence[Series], time_zone: str) -> dict[str, Any]:
    zone = ZoneInfo(time_zone)
    starts = [moment.astimezone(zone) for moment in steps]
    # The middle of its step, so that a bar stands over the time it tells of.
    x = [f"{start + step / 2:%Y-%m-%d %H:%M:%S}" for start in starts]
    width = step.total_seconds() * 1000 * BAR_SHARE
    return {
        "data": [
            {
                "type": "bar", "name": one.name, "x": x, "y": list(one.values), "width": width,
                "marker": {"color": one.colour, "cornerradius": 0, "line": {"width": 0}},
            }
            for one in series
        ],
        "layout": {
            "barmode": "stack",
            "xaxis": {
                "type": "date", "tickformat": "%H:%M" if step < timedelta(hours=1) else "%-d %b\n%H:%M",
                "range": [f"{starts[0]:%Y-%m-%d %H:%M:%S}", f"{starts[-1] + step:%Y-%m-%d %H:%M:%S}"],
            },
            "yaxis": {"rangemode": "tozero", "tickformat": ",.0f"},
            "meta": {
                "today": None,
                "labels": [label(start, step) for start in starts],
                "words": [words(series, place) for place in range(len(starts))],
            },
        },
    }  # fmt: skip


def label(start: datetime, step: timedelta) -> str:
    if step < timedelta(hours=1):
        return f"{start:%H:%M}"
    return f"{start:%a} {start.day} {start:%b}, {start:%H:%M}"


def words(series: Sequence[Series], place: int) -> str:
    told = [f"{one.values[place]:,} {one.name.lower()}" for one in series if one.values[place]]
    return ", ".join(told) or "nothing"
