"""How many persons saw the organisation's media: in a period, in what it is compared with, by name, by day?

Exact: bitmaps of persons are joined, never counts added. A span of time is whole days of UTC, which have a roll-up of
their own, and quarters of an hour at its edges.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import COLUMNS, NARROW, Dimension
from apps.omg.filters import Filters
from apps.omg.queries import tiles
from apps.warehouse.public import execute

BEFORE, SO_FAR, LATER = range(3)


@dataclass(frozen=True)
class Reach:
    """Distinct persons; None where they are not kept in such detail. `so_far` and `before` are what compares."""

    current: int | None = None
    so_far: int | None = None
    before: int | None = None
    by_name: Mapping[str, int] | None = None
    by_day: Mapping[date, int] | None = None


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
    found = tiles.split(spans_of(period))
    sql = SQL.format(tiles=tiles.rows_sql(found, lambda _: f"{column} AS name", filters.condition))
    rows = execute(org_id, "omg.reach", sql, {**tiles.bounds_of(found), **filters.bound})
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


def spans_of(period: Period) -> list[tiles.Span]:
    """The three that matter, one after the other."""
    return [
        (BEFORE, period.previous.since, period.previous_cut),
        (SO_FAR, period.since, period.cut),
        (LATER, period.cut, period.until),
    ]
