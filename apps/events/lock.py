"""Who may write events: one process at a time, by a lock that PostgreSQL keeps while its holder's session lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from apps.common.errors import Conflict
from apps.events.log import store
from apps.events.log.interface import LockLost
from apps.orgs.public import SERVICE, acting

KEY = 0x5052_4543
HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted AND pid = %s
)
"""


@dataclass(frozen=True)
class WriteLock:
    """Held by the session with this process id of PostgreSQL's."""

    session: int

    def check(self) -> None:
        """Raise `LockLost` unless it is still ours; any connection may ask."""
        with connection.cursor() as cursor:
            cursor.execute(HELD, [KEY, self.session])
            if not cursor.fetchone()[0]:
                raise LockLost("The ingestor's lock was lost with its connection to PostgreSQL.")


@contextmanager
def write_lock() -> Iterator[WriteLock | None]:
    """The lock for as long as the block lasts, or None when another process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s), pg_backend_pid()", [KEY])
        is_ours, session = cursor.fetchone()
        if not is_ours:
            yield None
            return
        try:
            yield WriteLock(session)
        finally:
            if not connection.closed_in_transaction and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])


@contextmanager
def writing_stopped() -> Iterator[None]:
    """Nobody writes events for as long as the block lasts, and nothing is half-written: a schema may change."""
    with write_lock() as lock:
        if lock is None:
            raise Conflict(
                "An ingestor is writing events, and the warehouse's schema is about to change. Stop the ingestor "
                "(run_ingestor), then run this again."
            )
        with acting(SERVICE):
            store.release()
        yield


def is_held() -> bool:
    """Whether some process is the ingestor now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [KEY],
        )
        return bool(cursor.fetchone()[0])
