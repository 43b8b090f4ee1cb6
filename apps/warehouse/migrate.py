"""Brings ClickHouse to the schema of `schema/*.sql`: numbered files, each applied once, in order."""

from collections.abc import Iterator
from pathlib import Path

from apps.warehouse.gateway import client, open_client

LONGEST_STATEMENT = 6 * 3600
FOLDER = Path(__file__).parent / "schema"
LEDGER = """
CREATE TABLE IF NOT EXISTS schema_files (name String, applied_at DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY name
"""


def missing_schema() -> list[str]:
    """The names of the files that are still to be applied."""
    connection = client()
    connection.command(LEDGER)
    done = {row[0] for row in connection.query("SELECT name FROM schema_files").result_rows}
    return [path.name for path in sorted(FOLDER.glob("*.sql")) if path.name not in done]


def apply_schema() -> list[str]:
    """Apply what is missing; answers the names of the files applied now. Nobody may write events meanwhile."""
    missing = missing_schema()
    # Moving what is there takes longer than any question.
    connection = open_client(send_receive_timeout=LONGEST_STATEMENT)
    for path in map(FOLDER.joinpath, missing):
        for statement in statements(path.read_text(encoding="utf-8")):
            connection.command(_repeatable(statement))
        connection.insert("schema_files", [[path.name]], column_names=["name"])
    return missing


def statements(text: str) -> Iterator[str]:
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return (part.strip() for part in "\n".join(lines).split(";\n") if part.strip().strip(";"))


def _repeatable(statement: str) -> str:
    """A file that was cut off half-way is applied again: what it made already must not stop it."""
    for made in ("CREATE TABLE ", "CREATE MATERIALIZED VIEW "):
        if statement.startswith(made):
            return statement.replace(made, made + "IF NOT EXISTS ", 1).rstrip(";")
    return statement.rstrip(";")
