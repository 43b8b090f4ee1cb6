"""The data owner's overview as plain data: where their signals went. No Django, no I/O."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.common.comparison import Compared
from apps.common.errors import InvalidInput
from apps.common.figures import Figure, change_of, format_exact, format_value, spark_points, tone_of
from apps.earnings.queries.signal_usage import Row
from apps.events.public import platform_name


@dataclass(frozen=True)
class Usage:
    """What carried the owner's signals, summed."""

    events: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    weight: float = 0.0
    campaigns: int = 0
    buyers: int = 0

    @property
    def average_weight(self) -> Decimal | None:
        return Decimal(str(round(self.weight / self.events, 6))) if self.events else None


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    definition: str
    read: Callable[[Usage], Decimal | None]
    decimals: int = 0


COLUMNS: tuple[Column, ...] = (
    Column("events", "Events", "Events of any buyer that carried your signals.", lambda u: Decimal(u.events)),
    Column("impressions", "Impressions", "Of these, ads shown.", lambda u: Decimal(u.impressions)),
    Column("clicks", "Clicks", "Of these, ads clicked.", lambda u: Decimal(u.clicks)),
    Column("conversions", "Conversions", "Of these, conversions and purchases.", lambda u: Decimal(u.conversions)),
    Column(
        "weight", "Average weight", "Mean weight of your signal in these events, as the buyers' events give it.",
        lambda u: u.average_weight, decimals=3,
    ),
)  # fmt: skip
TILES = (
    Column(
        "events",
        "Events with your signals",
        "Events of any buyer that carried your signals.",
        lambda u: Decimal(u.events),
    ),
    Column("impressions", "Impressions", "Ads shown that carried your signals.", lambda u: Decimal(u.impressions)),
    Column(
        "conversions",
        "Conversions",
        "Conversions and purchases that carried your signals.",
        lambda u: Decimal(u.conversions),
    ),
    Column(
        "campaigns",
        "Campaigns",
        "Distinct campaigns whose events carried your signals.",
        lambda u: Decimal(u.campaigns),
    ),
    Column(
        "buyers", "Buyers", "Distinct organisations whose events carried your signals.", lambda u: Decimal(u.buyers)
    ),
)
BY_KEY = {column.key: column for column in COLUMNS}


def total(rows: Iterable[Row]) -> Usage:
    rows = list(rows)
    return Usage(
        events=sum(row.events for row in rows),
        impressions=sum(row.impressions for row in rows),
        clicks=sum(row.clicks for row in rows),
        conversions=sum(row.conversions for row in rows),
        weight=sum(row.weight for row in rows),
        campaigns=len({(row.buyer_id, row.campaign_id) for row in rows}),
        buyers=len({row.buyer_id for row in rows}),
    )


def figures(rows: Compared[Row]) -> list[Figure]:
    by_day = _by(rows.current, lambda row: row.day)
    days = [by_day.get(day, Usage()) for day in rows.past_days]
    usages = [total(part) for part in (rows.current, rows.so_far, rows.before)]
    return [_figure(tile, usages, days, rows) for tile in TILES]


def check_sort(sort: str) -> None:
    if sort != "name" and sort not in BY_KEY:
        raise InvalidInput(f"The table cannot be sorted by {sort!r}; use name or one of {', '.join(BY_KEY)}.")


def breakdown(rows: Sequence[Row], *, sort: str, descending: bool) -> list[tuple[tuple[UUID, str, str], Usage]]:
    """Usage by buyer, campaign and platform, sorted by a column or by campaign name."""
    groups = list(_by(rows, lambda row: (row.buyer_id, row.campaign_id, row.platform)).items())
    if sort == "name":
        return sorted(groups, key=lambda pair: pair[0][1:], reverse=descending)
    read = BY_KEY[sort].read
    return sorted(groups, key=lambda pair: (read(pair[1]) or Decimal(0), pair[0][1:]), reverse=descending)


def table_row(name: tuple[UUID, str, str], usage: Usage, buyers: Mapping[UUID, str], most: int) -> dict[str, Any]:
    buyer, campaign, platform = name
    where = f"{buyers.get(buyer, 'a buyer')} · {platform_name(platform)}"
    return {"name": campaign or "(no campaign)", "kind": where, "cells": cells(usage, most=most)}


def cells(usage: Usage, *, most: int = 0) -> list[dict[str, Any]]:
    """One cell a column; events carry their share of the row with the most."""
    made: list[dict[str, Any]] = [
        {"text": _text(column, column.read(usage)), "share": None, "tone": "neutral"} for column in COLUMNS
    ]
    made[0]["share"] = usage.events / most if most else None
    return made


def _text(column: Column, value: Decimal | None) -> str:
    return format_value(value, "count") if value is None or not column.decimals else f"{value:.{column.decimals}f}"


def _by(rows: Sequence[Row], key: Callable[[Row], Any]) -> dict[Any, Usage]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: total(group) for name, group in groups.items()}


def _figure(tile: Column, usages: Sequence[Usage], days: Sequence[Usage], rows: Compared[Row]) -> Figure:
    """`usages` are those of the whole period, of its part that compares, and of that part's counterpart."""
    value, so_far, before = (tile.read(usage) for usage in usages)
    previous = None if rows.note else before
    return Figure(
        key=tile.key,
        name=tile.label,
        definition=tile.definition,
        value=format_value(value, "count"),
        exact=format_exact(value),
        change=change_of(so_far, previous, "count"),
        tone=tone_of(so_far, previous, "count", "up"),
        note=rows.note,
        compared_with=rows.period.comparison,
        spark_points=spark_points([tile.read(day) for day in days]),
    )
