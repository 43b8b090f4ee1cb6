"""The only way to run SQL on ClickHouse.

A query names its organisation and its tag. The organisation is bound as `{org_id:UUID}` and, as a second wall, every
table that bears `org_id` is filtered by it in the engine, whatever the SQL says. Reading across organisations is a
function of its own that demands an audit entry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import clickhouse_connect
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from django.conf import settings

from apps.common.errors import Unavailable

# Every table that bears `org_id`; `tests/warehouse` compares this with the engine's own catalogue.
TABLES_WITH_ORG = (
    "events",
    "event_keys",
    "persons",
    "performance",
    "performance_detail",
    "reach_days",
    "reported",
    "reported_rows",
    "signal_usage",
)
LIMITS: Mapping[str, Any] = {
    "max_execution_time": 20,
    "max_memory_usage": 4_000_000_000,
    "max_result_rows": 1_000_000,
    "result_overflow_mode": "throw",
    "readonly": 2,
}
# Those of them that only make sense for a question.
READING = frozenset({"readonly", "max_result_rows", "result_overflow_mode"})
# Errors of the engine that pass: time-outs, too many queries or parts at once, memory, disk space, a table or all of it
# shut down.
PASSING = frozenset({159, 202, 203, 209, 210, 236, 241, 242, 243, 252, 319, 999})
# Errors that a value among the rows is to blame for, and not the schema: out of its range, too long, missing, not of an
# enumeration.
VALUES = frozenset({69, 128, 131, 321, 349, 407, 691})
Audit = Callable[[str, Mapping[str, Any]], None]


class UnscopedQuery(AssertionError):
    """A query or an insert that is not one organisation's: a mistake in our code, never the user's."""


class UnfitRows(ValueError):
    """The engine does not take these very rows, however often they are sent."""


@cache
def client() -> Client:
    """This process's client; it keeps no session, so threads may share it."""
    return open_client()


def open_client(**options: Any) -> Client:
    url = urlsplit(settings.CLICKHOUSE_URL)
    with _reachable():
        return clickhouse_connect.get_client(
            host=url.hostname,
            port=url.port,
            username=unquote(url.username or "default"),
            password=unquote(url.password or ""),
            database=url.path.strip("/") or "default",
            secure=url.scheme == "https",
            autogenerate_session_id=False,
            compress="lz4",
            tz_mode="aware",
            **options,
        )


def execute(
    org_id: UUID, tag: str, sql: str, params: Mapping[str, Any] | None = None, **limits: Any
) -> list[dict[str, Any]]:
    """Rows of one question about one organisation; `limits` override single entries of `LIMITS`."""
    return _rows(sql, {**(params or {}), "org_id": str(org_id)}, _scope(org_id, tag, sql, limits))


def execute_binary(org_id: UUID, tag: str, sql: str, params: Mapping[str, Any] | None = None, **limits: Any) -> bytes:
    """The answer as `RowBinary`, for questions whose text or answer is too long for the client's own parsing."""
    with _reachable():
        return client().raw_query(
            sql,
            parameters={**(params or {}), "org_id": str(org_id)},
            settings=_scope(org_id, tag, sql, limits),
            fmt="RowBinary",
        )


def execute_system(tag: str, sql: str) -> list[dict[str, Any]]:
    """Rows about the engine itself, from its own `system` tables; never about an organisation's."""
    if any(table in sql.split() for table in TABLES_WITH_ORG):
        raise UnscopedQuery(f"The query {tag!r} reads a table of organisations.")
    return _rows(sql, {}, {**LIMITS, "log_comment": f"{tag} system"})


@contextmanager
def stream(
    org_id: UUID, tag: str, sql: str, *, file_format: str = "JSONEachRow", seconds: int = 3600
) -> Iterator[Iterator[bytes]]:
    """All rows of one question in pieces as they come, for files of any size."""
    scope = _scope(org_id, tag, sql, {"max_result_rows": 0, "max_execution_time": seconds})
    with _reachable(), client().raw_stream(sql, {"org_id": str(org_id)}, scope, fmt=file_format) as answer:
        yield iter(lambda: answer.read(1 << 20), b"")


def execute_across(
    tag: str, sql: str, params: Mapping[str, Any] | None = None, *, audit: Audit
) -> list[dict[str, Any]]:
    """Rows of a question that crosses organisations. `audit(action, detail)` is called first; no entry, no rows."""
    audit("warehouse.crossed", {"tag": tag})
    return _rows(sql, dict(params or {}), {**LIMITS, "log_comment": f"{tag} across"})


def insert(org_id: UUID, table: str, rows: pa.Table, *, token: str) -> None:
    """Append one organisation's `rows` under `token`: the same token twice writes nothing the second time, views
    included. Raises `UnfitRows` when a value among them is to blame.
    """
    if owners_of(rows) != {str(org_id)}:
        raise UnscopedQuery(f"Rows of other organisations than {org_id} are among those for {table}.")
    with _reachable(), _fit():
        client().insert_arrow(
            table,
            rows,
            settings={
                "insert_deduplication_token": token,
                "deduplicate_blocks_in_dependent_materialized_views": 1,
                "max_partitions_per_insert_block": 1000,
                # The views' rows are summed within the block already; merges do the rest.
                "optimize_on_insert": 0,
                "log_comment": f"insert {table} org={org_id}",
            },
        )


def owners_of(rows: pa.Table) -> set[str]:
    """Whose rows they are. What stands once for all of them, as in the ingestor's tables, is looked at once."""
    chunks = rows.column("org_id").chunks
    distinct = (one.dictionary if pa.types.is_dictionary(one.type) else pc.unique(one) for one in chunks)
    return {str(owner) for values in distinct for owner in values.to_pylist()}


def gather(org_id: UUID, tag: str, sql: str, params: Mapping[str, Any] | None = None, *, token: str) -> None:
    """`INSERT … SELECT` within one organisation, as one block: all of it is there, or nothing."""
    scope = {name: value for name, value in _scope(org_id, tag, sql, {}).items() if name not in READING}
    one_block = {"max_threads": 1, "min_insert_block_size_rows": 1 << 30, "min_insert_block_size_bytes": 4_000_000_000}
    with _reachable():
        client().command(
            sql,
            parameters={**(params or {}), "org_id": str(org_id)},
            settings={**scope, **one_block, "insert_deduplication_token": token},
        )


def _scope(org_id: UUID, tag: str, sql: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a query about one organisation; a query that forgets its organisation is refused."""
    if "{org_id:UUID}" not in sql:
        raise UnscopedQuery(f"The query {tag!r} does not filter by {{org_id:UUID}}.")
    scope = {"additional_table_filters": _filters(org_id), "log_comment": f"{tag} org={org_id}"}
    return {**LIMITS, **limits, **scope}


def _rows(sql: str, params: Mapping[str, Any], query_settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    with _reachable():
        result = client().query(sql, parameters=dict(params), settings=dict(query_settings))
    return list(result.named_results())


@contextmanager
def _reachable() -> Iterator[None]:
    """A server that is not there, goes away in the middle or is overloaded is `Unavailable`; other errors stay."""
    try:
        yield
    except OperationalError as error:
        url = urlsplit(settings.CLICKHOUSE_URL)
        raise Unavailable(
            f"ClickHouse does not answer at {url.hostname}:{url.port}. "
            "Start the services with `make run`, or check CLICKHOUSE_URL."
        ) from error
    except DatabaseError as error:
        if error.code in PASSING:
            raise Unavailable(f"ClickHouse cannot do this now: {error}") from error
        raise


@contextmanager
def _fit() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if error.code in VALUES:
            raise UnfitRows(str(error)) from error
        raise


def _filters(org_id: UUID) -> str:
    pairs: Sequence[str] = [f"'{table}': 'org_id = \\'{org_id}\\''" for table in TABLES_WITH_ORG]
    return "{" + ", ".join(pairs) + "}"
