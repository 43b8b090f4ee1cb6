"""PostgreSQL's log as the event loop writes it: one connection of its own, one statement a commit, hence one round
trip."""

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
import zstandard
from django.conf import settings
from psycopg import AsyncConnection

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
# No request of a user ever runs here, so that the connection may say once and for all who acts.
OPTIONS = "-c app.user_role=service -c statement_timeout=15000"


class PostgresWriter:
    """Not for several tasks at once."""

    def __init__(self) -> None:
        self._connection: AsyncConnection[Any] | None = None

    async def append(self, portions: Sequence[Portion]) -> None:
        """Return when all of it is on disk; raise `NotKept` when nothing is, or nobody knows."""
        joined = [SEPARATOR.join(one.lines) for one in portions]
        columns = (
            [one.org_id for one in portions],
            [one.source for one in portions],
            [len(one.lines) for one in portions],
            [len(one) for one in joined],
            [zstandard.compress(one, 1) for one in joined],
        )
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


def _is_refusal(error: Exception) -> bool:
    """Whether the database said no to these very rows: a missing organisation, a policy, a value out of bounds."""
    refusals = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.InsufficientPrivilege)
    return isinstance(error, refusals)
