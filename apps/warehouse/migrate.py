"""Brings ClickHouse to the schema of `schema/*.sql`: numbered files, each applied once, in order."""

from collections.abc import Iterator
from pathlib import Path

from apps.warehouse.gateway import client

FOLDER = Path(__file__).parent / "schema"
LEDGER = """
CREATE TABLE IF NOT EXISTS schema_files (name String, applied_at DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY name
"""


def apply_schema() -> list[str]:
    """Apply what is missing; answers the names of the files applied now."""
    connection = client()
    connection.command(LEDGER)
    done = {row[0] for row in connection.query("SELECT name FROM schema_files").result_rows}
    missing = [path for path in sorted(FOLDER.glob("*.sql")) if path.name not in done]
    for path in missing:
        for statement in statements(path.read_text(encoding="utf-8")):
            connection.command(_repeatable(statement))
        connection.insert("schema_files", [[path.name]], column_names=["name"])
    return [path.name for path in missing]


def statements(text: str) -> Iterator[str]:
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return (part.strip() for part in "\n".join(lines).split(";\n") if part.strip().strip(";"))


def _repeatable(statement: str) -> str:
    """A file that was cut off half-way is applied again: what it made already must not stop it."""
    for made in ("CREATE TABLE ", "CREATE MATERIALIZED VIEW "):
        if statement.startswith(made):
            return statement.replace(made, made + "IF NOT EXISTS ", 1).rstrip(";")
    return statement.rstrip(";")
