"""What is the engine, and how much does it hold? Crosses organisations only as sums of parts."""

from dataclasses import dataclass

from apps.warehouse.public import execute_system


@dataclass(frozen=True)
class Row:
    version: str
    size: int
    parts: int
    rows: int


SQL = """
SELECT version() AS version, sum(bytes_on_disk) AS size, count() AS parts, sum(p.rows) AS rows
FROM system.parts AS p WHERE active AND database = currentDatabase()
"""


def fetch() -> Row:
    return Row(**execute_system("console.engine", SQL)[0])
