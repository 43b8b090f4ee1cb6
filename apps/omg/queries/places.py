"""What are the sums of each state of the United States, or of each ZIP code of one state?

Sources write states in many ways, and some send only the ZIP code: both are read here, so that what is one place is one
row. What lies elsewhere, or nowhere that is known, is the row without a name.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from apps.omg.places import spellings, states_of_zips
from apps.omg.queries.figures import bounds_of, span_of
from apps.omg.question import Question

SUMS = """
SELECT {place} AS place, {sums}
FROM
(
    SELECT country, region, postal_code, {parts}
    FROM performance_detail AS r
    WHERE org_id = {{org_id:UUID}} AND ({span}){only} AND currency NOT IN {{foreign:Array(String)}}
    GROUP BY country, region, postal_code
)
WHERE {{state:String}} IN ('', {state})
GROUP BY place
"""
PERSONS = """
SELECT {place} AS place, groupBitmapMerge(seen) AS reach
FROM
(
    SELECT country, region, postal_code, groupBitmapState(person_number) AS seen
    FROM events
    WHERE org_id = {{org_id:UUID}} AND ({span}) AND event_type = 'impression' AND person_number != 0{only}
    GROUP BY country, region, postal_code
)
WHERE {{state:String}} IN ('', {state})
GROUP BY place
"""
MEASURES = ("events", "impressions", "clicks", "conversions", "revenue", "spend")
IS_HERE = "upper(country) IN ('', 'US', 'USA', 'UNITED STATES', 'UNITED STATES OF AMERICA')"
ZIP = f"if({IS_HERE} AND match(postal_code, '^[0-9]{{5}}(-?[0-9]{{4}})?$'), left(postal_code, 5), '')"


def sql_of(question: Question, foreign: Sequence[str], state: str = "") -> tuple[str, dict[str, Any]]:
    """By state; of one state by ZIP code, and what has none."""
    sql = SUMS.format(
        place=ZIP if state else _state(),
        sums=", ".join(f"sum(of_{one}) AS {one}" for one in MEASURES),
        parts=", ".join(f"sum(r.{one}) AS of_{one}" for one in MEASURES),
        span=span_of(question, "bucket"),
        only=question.filters.condition,
        state=_state(),
    )
    return sql, {**bounds_of(question), **question.filters.bound, "foreign": list(foreign), "state": state}


def persons_sql_of(question: Question, state: str = "") -> tuple[str, dict[str, Any]]:
    """Persons by the same places, from single events."""
    sql = PERSONS.format(
        place=ZIP if state else _state(),
        span=span_of(question, "timestamp"),
        only=question.filters.condition,
        state=_state(),
    )
    return sql, {**bounds_of(question), **question.filters.bound, "state": state}


@cache
def _state() -> str:
    """The state that a row names, else that of its ZIP code."""
    by_prefix, odd = states_of_zips()
    by_zip = _transform(ZIP, odd, _transform(f"left({ZIP}, 3)", by_prefix, "''"))
    return f"if({IS_HERE}, {_transform('upper(region)', spellings(), by_zip)}, '')"


def _transform(value: str, known: Mapping[str, str], otherwise: str) -> str:
    """Both sides are of our own files, and without quotes."""
    keys, values = (", ".join(f"'{one}'" for one in part) for part in (known.keys(), known.values()))
    return f"transform({value}, [{keys}], [{values}], {otherwise})"
