"""Are all events that a question is of still kept one by one? Single events are dropped after some days, sums stay."""

from typing import Any

from apps.omg.queries.figures import bounds_of, span_of
from apps.omg.question import Question, of_all

SQL = """
SELECT
    (SELECT count() FROM events WHERE org_id = {{org_id:UUID}} AND ({events})) AS single,
    (SELECT sum(r.events) FROM performance AS r WHERE org_id = {{org_id:UUID}} AND ({buckets})) AS counted
"""


def sql_of(question: Question) -> tuple[str, dict[str, Any]]:
    asked = of_all(question)
    return SQL.format(events=span_of(asked, "timestamp"), buckets=span_of(asked, "bucket")), bounds_of(asked)
