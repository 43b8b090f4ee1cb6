"""What are any metrics by up to three dimensions and a grain: a page of rows, how many there are, and their sums?

Sums come from the narrowest roll-up that has all that is asked of. Persons are joined to them: from bitmaps of whole
days of UTC with quarters of an hour at the edges, from quarters alone, or from the events themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from apps.omg.dimensions import Kept
from apps.omg.metrics import Metric
from apps.omg.queries import tiles
from apps.omg.question import Grain, Order, Persons, Question

NOW, SO_FAR, BEFORE = "now", "so_far", "before"
TABLES: Mapping[Kept, str] = {Kept.NARROW: "performance", Kept.WIDE: "performance_detail"}
GRAINS: Mapping[Grain, str] = {
    Grain.HOUR: "toStartOfHour({at}, {{time_zone:String}})",
    Grain.DAY: "toDate({at}, {{time_zone:String}})",
    Grain.WEEK: "toMonday({at}, {{time_zone:String}})",
    Grain.MONTH: "toStartOfMonth({at}, {{time_zone:String}})",
}
# A day that is compared stands with the day that it is compared with.
SHIFTED = "addDays(toDate({at}, {{time_zone:String}}), if({at} < {{since:DateTime('UTC')}}, {{shift:Int32}}, 0))"
IN_SPAN = "{at} >= {{since:DateTime('UTC')}} AND {at} < {{until:DateTime('UTC')}}"
WAS_SO_FAR = "{at} >= {{since:DateTime('UTC')}} AND {at} < {{cut:DateTime('UTC')}}"
WAS_BEFORE = "{at} >= {{before_since:DateTime('UTC')}} AND {at} < {{before_cut:DateTime('UTC')}}"
CONDITIONS: Mapping[str, str] = {NOW: IN_SPAN, SO_FAR: WAS_SO_FAR, BEFORE: WAS_BEFORE}

PAGE = """
SELECT {names}, {columns}, count() OVER () AS groups{windows}
FROM ({sums}) AS sums{persons}
ORDER BY {order}
LIMIT {{limit:UInt64}} OFFSET {{offset:UInt64}}
"""
SUMS = """
SELECT {keys}, {columns}
FROM {table} AS r
WHERE org_id = {{org_id:UUID}} AND ({span}){only}{foreign}
GROUP BY {names}
"""
PERSONS = """
SELECT {keys}, {columns}
FROM ({tiles})
GROUP BY {names}
"""
EXPOSED = """
SELECT {keys}, {columns}
FROM events
WHERE org_id = {{org_id:UUID}} AND ({span}) AND event_type = 'impression' AND person_number != 0{only}
GROUP BY {names}
"""


def names_of(question: Question) -> list[str]:
    """The columns that tell rows apart; one that is always the same where nothing is broken down."""
    names = [f"k{n}" for n, _ in enumerate(question.dimensions)]
    return [*names, *(["at_time"] if question.grain else [])] or ["one"]


def parts_of(question: Question) -> tuple[str, ...]:
    return (NOW,) if question.against is None else (NOW, SO_FAR, BEFORE)


def sql_of(question: Question, foreign: Sequence[str], *, persons: Persons) -> tuple[str, dict[str, Any]]:
    """The page of rows, and what is bound. `foreign` are the currencies that are left out."""
    names, parts = names_of(question), parts_of(question)
    measures = [f"{part}_{measure}" for part in parts for measure in question.measures]
    reach = [f"{part}_reach" for part in parts] if persons is not Persons.NOT_ASKED else []
    joined, bound = _persons(question, persons)
    sql = PAGE.format(
        names=", ".join(names),
        columns=", ".join([*measures, *reach]),
        windows="".join(_windows(question, measures, with_reach=bool(reach))),
        sums=_sums(question, foreign),
        persons=f" LEFT JOIN ({joined}) AS persons USING ({', '.join(names)})" if joined else "",
        order=", ".join([*_order(question, with_reach=bool(reach)), *names]),
    )
    page = {"limit": question.limit, "offset": question.offset, "foreign": list(foreign)}
    return sql, {**bounds_of(question), **bound, **page, **question.filters.bound}


def _sums(question: Question, foreign: Sequence[str]) -> str:
    columns = [
        f"{_sum(measure, question, part)} AS {part}_{measure}"
        for part in parts_of(question)
        for measure in question.measures
    ]
    return SUMS.format(
        keys=_keys(question, "bucket"),
        columns=", ".join(columns),
        table=TABLES[question.table],
        span=span_of(question, "bucket"),
        only=question.filters.condition,
        foreign=" AND currency NOT IN {foreign:Array(String)}" if foreign else "",
        names=", ".join(names_of(question)),
    )


def _sum(measure: str, question: Question, part: str) -> str:
    if question.against is None:
        return f"sum(r.{measure})"
    return f"sumIf(r.{measure}, {CONDITIONS[part].format(at='bucket')})"


def span_of(question: Question, at: str) -> str:
    parts = (NOW,) if question.against is None else (NOW, BEFORE)
    return " OR ".join(f"({CONDITIONS[part].format(at=at)})" for part in parts)


def _keys(question: Question, at: str) -> str:
    keys = [f"{one.column} AS k{n}" for n, one in enumerate(question.dimensions)]
    if question.grain:
        form = GRAINS[question.grain] if question.against is None else SHIFTED
        keys.append(f"{form.format(at=at)} AS at_time")
    return ", ".join(keys or ["1 AS one"])


def _windows(question: Question, measures: Sequence[str], *, with_reach: bool) -> Iterator[str]:
    """Beside the rows of this page, of all rows: each metric's largest; the sums where no persons are asked for."""
    if not with_reach:
        yield from (f", sum({column}) OVER () AS all_{column}" for column in measures)
    for metric in question.metrics:
        if with_reach or "reach" not in metric.measures:
            yield f", max({metric.sql(f'{NOW}_')}) OVER () AS most_{metric.key}"


def _order(question: Question, *, with_reach: bool) -> Iterator[str]:
    """What is not defined comes last either way."""
    for order in question.order:
        if column := _column_of(order, question, with_reach=with_reach):
            yield f"{column} {'DESC' if order.descending else 'ASC'} NULLS LAST"


def _column_of(order: Order, question: Question, *, with_reach: bool) -> str:
    if isinstance(order.by, Metric):
        return order.by.sql(f"{NOW}_") if with_reach or "reach" not in order.by.measures else ""
    return "at_time" if order.by is None else f"lowerUTF8(k{question.dimensions.index(order.by)})"


def _persons(question: Question, persons: Persons) -> tuple[str, dict[str, Any]]:
    if persons is Persons.NOT_ASKED:
        return "", {}
    names = ", ".join(names_of(question))
    if persons is Persons.EVENTS:
        span, only = span_of(question, "timestamp"), question.filters.condition
        columns = ", ".join(
            f"groupBitmapIf(person_number, {CONDITIONS[part].format(at='timestamp')}) AS {part}_reach"
            for part in parts_of(question)
        )
        sql = EXPOSED.format(keys=_keys(question, "timestamp"), columns=columns, span=span, only=only, names=names)
        return sql, {}
    return _bitmaps(question, names, by_days=persons is Persons.DAYS)


def _bitmaps(question: Question, names: str, *, by_days: bool) -> tuple[str, dict[str, Any]]:
    found = tiles.split(_spans(question), by_days=by_days)
    rows = tiles.rows_sql(found, partial(_keys, question), question.filters.condition)
    columns = {NOW: "part != 0", SO_FAR: "part = 1", BEFORE: "part = 0"}
    merged = ", ".join(f"groupBitmapMergeIf(persons, {columns[part]}) AS {part}_reach" for part in parts_of(question))
    sql = PERSONS.format(keys=names, columns=merged, tiles=rows, names=names)
    return sql, tiles.bounds_of(found)


def _spans(question: Question) -> list[tiles.Span]:
    """Those that matter, one after the other: 0 is before, 1 what compares with it, 2 the rest."""
    period, against = question.period, question.against
    before = [] if against is None else [(0, against.since, question.before_cut)]
    return [*before, (1, period.since, question.cut), (2, question.cut, period.until)]


def bounds_of(question: Question) -> dict[str, Any]:
    bounds: dict[str, Any] = {
        "since": question.period.since,
        "until": question.period.until,
        "time_zone": question.period.time_zone,
    }
    if question.against is not None:
        bounds |= {
            "cut": question.cut,
            "before_since": question.against.since,
            "before_cut": question.before_cut,
            "shift": question.shift.days,
        }
    return bounds
