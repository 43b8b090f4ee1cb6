"""Who saw the organisation's media in a period: rows of bitmaps for other questions to join. No question of its own.

Persons are kept by platform, channel and campaign: a period is whole days of UTC from one roll-up, and quarters of an
hour from another at its edges. Under finer filters the single events themselves are read, which are not kept for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.period import Period
from apps.omg.dimensions import COLUMNS, Dimension
from apps.omg.filters import Filters
from apps.omg.queries.reach import BEFORE, tiles

DAYS = """
SELECT {column} AS name, persons FROM reach_days
WHERE org_id = {{org_id:UUID}} AND day >= {{first_{n}:Date}} AND day < {{end_{n}:Date}}{only}
"""
QUARTERS = """
SELECT {column} AS name, persons FROM performance
WHERE org_id = {{org_id:UUID}}
    AND bucket >= {{first_{n}:DateTime('UTC')}} AND bucket < {{end_{n}:DateTime('UTC')}}{only}
"""
EVENTS = """
SELECT {column} AS name, groupBitmapState(person_number) AS persons FROM events
WHERE org_id = {{org_id:UUID}} AND timestamp >= {{start:DateTime('UTC')}} AND timestamp < {{until:DateTime('UTC')}}
    AND event_type = 'impression' AND person_number != 0{only}
GROUP BY name
"""


@dataclass(frozen=True)
class Relation:
    """A subquery of columns `name` and `persons`, and what it binds."""

    sql: str
    bound: Mapping[str, Any]


def relation(period: Period, filters: Filters, dimension: Dimension) -> Relation:
    column = COLUMNS[dimension]
    if not filters.with_dimension(dimension).is_narrow:
        bound = {"start": period.since, "until": period.until, **filters.bound}
        return Relation(EVENTS.format(column=column, only=filters.condition), bound)
    parts, ends = [], {}
    for n, tile in enumerate(one for one in tiles(period) if one.part != BEFORE):
        sql = DAYS if tile.is_days else QUARTERS
        parts.append(sql.format(column=column, n=n, only=filters.condition))
        ends[f"first_{n}"] = tile.first.date() if tile.is_days else tile.first
        ends[f"end_{n}"] = tile.end.date() if tile.is_days else tile.end
    return Relation(" UNION ALL ".join(parts), {**ends, **filters.bound})
