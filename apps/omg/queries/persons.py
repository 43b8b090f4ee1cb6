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
from apps.omg.queries import tiles
from apps.omg.queries.reach import BEFORE, spans_of

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
    found = tiles.split(span for span in spans_of(period) if span[0] != BEFORE)
    sql = tiles.rows_sql(found, lambda _: f"{column} AS name", filters.condition)
    return Relation(sql, {**tiles.bounds_of(found), **filters.bound})
