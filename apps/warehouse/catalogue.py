"""What tables ClickHouse has, in the words of `schema/*.sql`."""

from dataclasses import dataclass

from apps.warehouse.gateway import client

TABLES = """
SELECT name, comment FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_files' ORDER BY name
"""
COLUMNS = """
SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() ORDER BY table, position
"""


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    comment: str


@dataclass(frozen=True)
class Table:
    name: str
    comment: str
    columns: tuple[Column, ...]


def describe_tables() -> list[Table]:
    columns = client().query(COLUMNS).result_rows
    return [
        Table(name, comment, tuple(Column(*rest) for table, *rest in columns if table == name))
        for name, comment in client().query(TABLES).result_rows
    ]
