"""What do the single events themselves say of a question: their sums by another way, how many there are, a few of them?

None of the roll-ups is read here, so that they can be checked against it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.omg.metrics import Measure
from apps.omg.queries.figures import TABLES, bounds_of, span_of
from apps.omg.question import Question

RAW: Mapping[Measure, str] = {
    "events": "count()",
    "impressions": "countIf(event_type = 'impression')",
    "clicks": "countIf(event_type = 'click')",
    "conversions": "countIf(event_type IN ('conversion', 'purchase'))",
    "revenue": "sum(revenue)",
    "spend": "sum(spend)",
    "reach": "uniqExactIf(person_id, event_type = 'impression' AND person_id != '')",
}
# Which events a measure is made of.
CARRIES: Mapping[Measure, str] = {
    "events": "1",
    "impressions": "event_type = 'impression'",
    "clicks": "event_type = 'click'",
    "conversions": "event_type IN ('conversion', 'purchase')",
    "revenue": "revenue != 0",
    "spend": "spend != 0",
    "reach": "event_type = 'impression' AND person_id != ''",
}
SUMS = """
SELECT {columns}
FROM events AS e
WHERE org_id = {{org_id:UUID}} AND ({span}){only}
"""
ROWS = """
SELECT count() AS rows, sum(r.events) AS events
FROM {table} AS r
WHERE org_id = {{org_id:UUID}} AND ({span}){only}{foreign}
"""
# The sorting key leads the order, so that the newest are found without a look at all.
SAMPLE = """
SELECT
    event_id, event_type, timestamp, platform, campaign_id, creative_id, publisher, person_id != '' AS has_person,
    currency, spend, revenue
FROM events
WHERE org_id = {{org_id:UUID}} AND ({span}){only}{foreign} AND ({carries})
ORDER BY toStartOfHour(timestamp) DESC, timestamp DESC, event_id
LIMIT {{most:UInt8}}
"""
FOREIGN = " AND currency NOT IN {foreign:Array(String)}"


def sums_sql(question: Question, foreign: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Persons are those of all currencies, amounts and counts those of the organisation's."""
    measures: set[Measure] = {"events", *(one for metric in question.metrics for one in metric.measures)}
    own = "currency NOT IN {foreign:Array(String)}"
    columns = [f"{_restricted(RAW[one], own if one != 'reach' else '')} AS raw_{one}" for one in sorted(measures)]
    sql = SUMS.format(columns=", ".join(columns), span=span_of(question, "timestamp"), only=question.filters.condition)
    return sql, _bound(question, foreign)


def rows_sql(question: Question, foreign: Sequence[str]) -> tuple[str, dict[str, Any]]:
    sql = ROWS.format(
        table=TABLES[question.table], span=span_of(question, "bucket"), only=question.filters.condition, foreign=FOREIGN
    )
    return sql, _bound(question, foreign)


def sample_sql(question: Question, foreign: Sequence[str], *, most: int) -> tuple[str, dict[str, Any]]:
    """Of events that the metric is made of."""
    measures = {one for metric in question.metrics for one in metric.measures}
    carries = " OR ".join(f"({CARRIES[one]})" for one in sorted(measures))
    sql = SAMPLE.format(
        span=span_of(question, "timestamp"), only=question.filters.condition, foreign=FOREIGN, carries=carries
    )
    return sql, {**_bound(question, foreign), "most": most}


def _restricted(aggregate: str, condition: str) -> str:
    """The same aggregate of those events only."""
    if not condition:
        return aggregate
    name, _, inner = aggregate.partition("(")
    inner = inner.removesuffix(")")
    if name.endswith("If"):
        return f"{name}({inner} AND {condition})"
    return f"{name}If({inner}{', ' if inner else ''}{condition})"


def _bound(question: Question, foreign: Sequence[str]) -> dict[str, Any]:
    return {**bounds_of(question), **question.filters.bound, "foreign": list(foreign)}
