"""What other rooms may ask of the warehouse."""

from apps.warehouse.catalogue import describe_tables
from apps.warehouse.gateway import (
    Audit,
    UnscopedQuery,
    execute,
    execute_across,
    execute_binary,
    execute_system,
    gather,
    insert,
    stream,
)
from apps.warehouse.migrate import apply_schema, missing_schema

__all__ = [
    "Audit",
    "UnscopedQuery",
    "apply_schema",
    "describe_tables",
    "execute",
    "execute_across",
    "execute_binary",
    "execute_system",
    "gather",
    "insert",
    "missing_schema",
    "stream",
]
