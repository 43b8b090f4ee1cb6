"""Which persons did platforms reach together, and which each of them alone?

Exact: bitmaps are cut and joined. The largest platforms stand for themselves, all others are one set together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from apps.common.period import Period
from apps.omg.dimensions import Dimension
from apps.omg.filters import Filters
from apps.omg.queries.persons import relation
from apps.warehouse.public import execute

# Sets told apart: five platforms of many and all others as a sixth, or six platforms.
MOST = 6
SETS = tuple(place for size in range(1, MOST + 1) for place in combinations(range(MOST), size))


@dataclass(frozen=True)
class Overlap:
    """`names` of each set, largest first; `shared` is how many persons all sets of a combination have in common."""

    names: tuple[tuple[str, ...], ...] = ()
    shared: Mapping[tuple[int, ...], int] | None = None


SQL = """
SELECT names, [{cardinalities}] AS shared
FROM
(
    SELECT groupArray((place, name)) AS names, {sets}
    FROM
    (
        SELECT
            name, seen,
            toUInt8(least(row_number() OVER (ORDER BY bitmapCardinality(seen) DESC, name) - 1, {last})) AS place
        FROM (SELECT name, groupBitmapMergeState(persons) AS seen FROM ({relation}) GROUP BY name)
        WHERE bitmapCardinality(seen) > 0
    )
)
"""


def fetch(org_id: UUID, period: Period, filters: Filters) -> Overlap:
    source = relation(period, filters, Dimension.PLATFORM)
    sql = SQL.format(
        cardinalities=", ".join(f"bitmapCardinality({_common(places)})" for places in SETS),
        sets=", ".join(f"groupBitmapMergeStateIf(seen, place = {place}) AS s{place}" for place in range(MOST)),
        last=MOST - 1,
        relation=source.sql,
    )
    row = execute(org_id, "omg.overlap", sql, source.bound)[0]
    names: list[list[str]] = [[] for _ in range(MOST)]
    for place, name in row["names"]:
        names[place].append(name)
    found = tuple(tuple(sorted(one)) for one in names if one)
    shared = dict(zip(SETS, row["shared"], strict=True))
    return Overlap(found, {places: count for places, count in shared.items() if places[-1] < len(found)})


def _common(places: tuple[int, ...]) -> str:
    """The bitmap of those in all sets; equal parts of these expressions are computed once."""
    first, *others = places
    sql = f"s{first}"
    for place in others:
        sql = f"bitmapAnd({sql}, s{place})"
    return sql
