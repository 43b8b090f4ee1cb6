"""Has the organisation any event of this campaign, or of another one thing?"""

from typing import Any

from apps.omg.dimensions import Dimension
from apps.omg.queries.figures import TABLES

SQL = """
SELECT 1 AS there
FROM {table}
WHERE org_id = {{org_id:UUID}} AND {column} = {{value:String}}
LIMIT 1
"""


def sql_of(dimension: Dimension, value: str) -> tuple[str, dict[str, Any]]:
    return SQL.format(table=TABLES[dimension.kept], column=dimension.column), {"value": value}
