"""Which currencies carry money in what a question is of, and on how many events?"""

from typing import Any

from apps.omg.queries.figures import TABLES, bounds_of, span_of
from apps.omg.question import Question, of_all

SQL = """
SELECT currency, sum(r.events) AS events
FROM {table} AS r
WHERE org_id = {{org_id:UUID}} AND ({span}){only}
GROUP BY currency
HAVING max(r.revenue != 0 OR r.spend != 0)
"""


def sql_of(question: Question) -> tuple[str, dict[str, Any]]:
    asked = of_all(question)
    sql = SQL.format(table=TABLES[asked.table], span=span_of(asked, "bucket"), only=asked.filters.condition)
    return sql, {**bounds_of(asked), **asked.filters.bound}
