"""PostgreSQL's log as the event loop writes it: one connection of its own, one statement a commit, hence one round
trip."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import zstandard
from django.conf import settings
from psycopg import AsyncConnection

from apps.events.log import interface
from apps.events.log.interface import NotKept, Portion
from apps.events.preparing import SEPARATOR

# What the edge keeps is new, was not a file, and counts from one.
INSERT: LiteralString = """
INSERT INTO ingest_log_logrecord
    (org_id, source, line_count, byte_count, payload,
     created_at, history, first_position, error, accepted, duplicate, rejected)
SELECT org_id, source, line_count, byte_count, payload, now(), false, 1, '', 0, 0, 0
FROM unnest(%b::uuid[], %b::text[], %b::int[], %b::bigint[], %b::bytea[])
    AS arrived (org_id, source, line_count, byte_count, payload)
"""
# Lines of so many bytes are joined and compressed in a thread: the event loop has others to answer meanwhile.
LARGE = 200_000
Columns = tuple[list[UUID], list[str], list[int], list[int], list[bytes]]
# No request of a user ever runs here, so that the connection may say once and for all who acts.
OPTIONS = "-c app.user_role=service -c statement_timeout=15000"


class PostgresWriter:
    """Not for several tasks at once."""

    def __init__(self) -> None:
        self._connection: AsyncConnection[Any] | None = None

    async def append(self, portions: Sequence[Portion]) -> None:
        """Return when all of it is on disk; raise `NotKept` when nothing is, or nobody knows."""
        size = sum(sum(map(len, one.lines)) for one in portions)
        columns = _columns(portions) if size < LARGE else await asyncio.to_thread(_columns, portions)
        try:
            connection = await self._connected()
            await connection.execute(INSERT, columns, prepare=True)
        except (psycopg.Error, OSError) as error:
            if not (refused := _is_refusal(error)):
                await self.close()
            raise NotKept(type(error).__name__, is_refused=refused) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            database = settings.DATABASES["default"]
            self._connection = await psycopg.AsyncConnection.connect(
                host=database["HOST"],
                port=database["PORT"],
                dbname=database["NAME"],
                user=database["USER"],
                password=database["PASSWORD"],
                options=OPTIONS,
                connect_timeout=5,
                autocommit=True,
            )
        return self._connection


def _columns(portions: Sequence[Portion]) -> Columns:
    """A row for each portion, or several of a large one."""
    runs = [(one, lines) for one in portions for lines in _runs(one.lines)]
    joined = [SEPARATOR.join(lines) for _, lines in runs]
    return (
        [one.org_id for one, _ in runs],
        [one.source for one, _ in runs],
        [len(lines) for _, lines in runs],
        [len(one) for one in joined],
        [zstandard.compress(one, 1) for one in joined],
    )


def _runs(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """As many lines as make one record; nearly always all of them."""
    whole = sum(map(len, lines)) + len(lines)
    if whole <= interface.BYTES_PER_RECORD and len(lines) <= interface.LINES_PER_RECORD:
        yield lines
        return
    start = size = 0
    for place, line in enumerate(lines):
        size += len(line) + 1
        if place > start and (size > interface.BYTES_PER_RECORD or place - start >= interface.LINES_PER_RECORD):
            yield lines[start:place]
            start, size = place, len(line) + 1
    yield lines[start:]


def _is_refusal(error: Exception) -> bool:
    """Whether the database said no to these very rows: a missing organisation, a value out of bounds.

    A missing right is not among them: it is the database's fault, and somebody will give it back.
    """
    return isinstance(error, psycopg.errors.ForeignKeyViolation | psycopg.DataError)
