"""How many persons saw the organisation's media once, twice, and so on: on each of some platforms, and over all?

Exact, from single events, which are not kept for ever: the answer says how many impressions it is made of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.common.period import Period
from apps.omg.filters import Filters
from apps.warehouse.public import execute

# The last step is this often or more.
MOST = 20


@dataclass(frozen=True)
class Frequencies:
    """Persons by how often, of each set and (as None) over all; and the impressions found, some without a person."""

    persons: Mapping[int | None, Mapping[int, int]]
    impressions: int = 0
    without_person: int = 0


SQL = """
SELECT step.1 AS place, toUInt32(least(step.2, {{most:UInt32}})) AS times, toUInt64(count()) AS persons
FROM
(
    SELECT person_number, [{counts}] AS seen
    FROM events
    WHERE org_id = {{org_id:UUID}} AND timestamp >= {{start:DateTime('UTC')}} AND timestamp < {{until:DateTime('UTC')}}
        AND event_type = 'impression' AND person_number != 0{only}
    GROUP BY person_number
)
ARRAY JOIN arrayZip(arrayEnumerate(seen), seen) AS step
WHERE step.2 > 0
GROUP BY place, times
"""
FOUND = """
SELECT count() AS impressions, countIf(person_number = 0) AS without_person
FROM events
WHERE org_id = {{org_id:UUID}} AND timestamp >= {{start:DateTime('UTC')}} AND timestamp < {{until:DateTime('UTC')}}
    AND event_type = 'impression'{only}
"""


def fetch(org_id: UUID, period: Period, filters: Filters, sets: Sequence[Sequence[str]]) -> Frequencies:
    """`sets` of platforms, as `overlap` tells them."""
    bound = {"start": period.since, "until": period.until, **filters.bound}
    counts = ["count()", *(f"countIf(platform IN {{set_{place}:Array(String)}})" for place in range(len(sets)))]
    sql = SQL.format(counts=", ".join(counts), only=filters.condition)
    named = {f"set_{place}": list(names) for place, names in enumerate(sets)}
    rows = execute(org_id, "omg.frequency", sql, {**bound, **named, "most": MOST})
    persons: dict[int | None, dict[int, int]] = {None: {}, **{place: {} for place in range(len(sets))}}
    for row in rows:
        place = row["place"] - 2
        persons[None if place < 0 else place][row["times"]] = row["persons"]
    found = execute(org_id, "omg.frequency_found", FOUND.format(only=filters.condition), bound)[0]
    return Frequencies(persons, found["impressions"], found["without_person"])
