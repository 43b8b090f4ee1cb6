"""How many persons saw the organisation's media: in a period, in what it is compared with, by name, by day?

Exact: bitmaps of persons are joined, never counts added. A span of time is whole days of UTC, which have a roll-up of
their own, and quarters of an hour at its edges.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import COLUMNS, NARROW, Dimension
from apps.omg.filters import Filters
from apps.warehouse.public import execute

DAY = timedelta(days=1)
BEFORE, SO_FAR, LATER = range(3)


@dataclass(frozen=True)
class Reach:
    """Distinct persons; None where they are not kept in such detail. `so_far` and `before` are what compares."""

    current: int | None = None
    so_far: int | None = None
    before: int | None = None
    by_name: Mapping[str, int] | None = None
    by_day: Mapping[date, int] | None = None


@dataclass(frozen=True)
class Tile:
    """A part of a span that one roll-up has: whole days of UTC, or quarters of an hour."""

    part: int
    first: datetime
    end: datetime
    is_days: bool


SQL = """
SELECT
    name,
    grouping(name) AS is_total,
    groupBitmapMergeIf(persons, part != 0) AS current,
    groupBitmapMergeIf(persons, part = 1) AS so_far,
    groupBitmapMergeIf(persons, part = 0) AS before
FROM
(
    SELECT name, part, groupBitmapMergeState(persons) AS persons
    FROM ({tiles})
    GROUP BY name, part
)
GROUP BY GROUPING SETS ((name), ())
"""
# One read of each roll-up: a row's part is that of the first tile that ends after it.
SCAN = """
SELECT multiIf({parts}, NULL) AS part, {column} AS name, persons FROM {table}
WHERE org_id = {{org_id:UUID}} AND ({spans}){only}
"""
BY_DAY = """
SELECT toDate(bucket, {{time_zone:String}}) AS day, groupBitmapMerge(p.persons) AS persons
FROM performance AS p
WHERE org_id = {{org_id:UUID}} AND bucket >= {{start:DateTime('UTC')}} AND bucket < {{until:DateTime('UTC')}}{only}
GROUP BY day
"""


def fetch(org_id: UUID, period: Period, dimension: Dimension, filters: Filters) -> Reach:
    if not filters.is_narrow:
        return Reach()
    column = COLUMNS[dimension] if dimension in NARROW else "''"
    found = list(tiles(period))
    scans = (_scan(found, column, filters, is_days=is_days) for is_days in (True, False))
    sql = SQL.format(tiles=" UNION ALL ".join(filter(None, scans)))
    rows = execute(org_id, "omg.reach", sql, {**_bounds(found), **filters.bound})
    total = next((row for row in rows if row["is_total"]), {"current": 0, "so_far": 0, "before": 0})
    by_name = {row["name"]: row["current"] for row in rows if not row["is_total"]} if dimension in NARROW else None
    return Reach(total["current"], total["so_far"], total["before"], by_name)


def fetch_by_day(org_id: UUID, period: Period, filters: Filters) -> dict[date, int] | None:
    """Days are those of the period's time zone, and those without an impression missing."""
    if not filters.is_narrow:
        return None
    sql = BY_DAY.format(only=filters.condition)
    rows = execute(org_id, "omg.reach_by_day", sql, {**period.bounds, **filters.bound})
    return {row["day"]: row["persons"] for row in rows}


def _scan(found: Sequence[Tile], column: str, filters: Filters, *, is_days: bool) -> str:
    """The question to one of the two roll-ups; empty where no tile is of its kind."""
    table, time, kind = ("reach_days", "day", "Date") if is_days else ("performance", "bucket", "DateTime('UTC')")
    own = [(n, tile) for n, tile in enumerate(found) if tile.is_days == is_days]
    parts = [f"{time} < {{end_{n}:{kind}}}, {tile.part}" for n, tile in own]
    spans = [f"{time} >= {{first_{n}:{kind}}} AND {time} < {{end_{n}:{kind}}}" for n, _ in own]
    if not own:
        return ""
    return SCAN.format(
        parts=", ".join(parts), column=column, table=table, spans=" OR ".join(spans), only=filters.condition
    )


def tiles(period: Period) -> Iterator[Tile]:
    """The three spans that matter, without gap or overlap, in as few parts as there can be."""
    spans = (
        (BEFORE, period.previous.since, period.previous_cut),
        (SO_FAR, period.since, period.cut),
        (LATER, period.cut, period.until),
    )
    for part, first, end in spans:
        yield from (tile for tile in _tiles_of(part, first, end) if tile.first < tile.end)


def _tiles_of(part: int, first: datetime, end: datetime) -> Iterator[Tile]:
    days_to = _midnight_of(end)
    days_from = _midnight_of(first) if first == _midnight_of(first) else _midnight_of(first) + DAY
    if days_from >= days_to:
        yield Tile(part, first, end, is_days=False)
        return
    yield Tile(part, first, days_from, is_days=False)
    yield Tile(part, days_from, days_to, is_days=True)
    yield Tile(part, days_to, end, is_days=False)


def _midnight_of(moment: datetime) -> datetime:
    """Where its day of UTC begins."""
    return datetime.combine(moment.astimezone(UTC).date(), time.min, UTC)


def _bounds(found: list[Tile]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for n, tile in enumerate(found):
        bounds[f"first_{n}"] = tile.first.date() if tile.is_days else tile.first
        bounds[f"end_{n}"] = tile.end.date() if tile.is_days else tile.end
    return bounds
