"""Whether somebody works on an upload: a lock that PostgreSQL keeps as long as the worker's session lives.

A worker that is killed loses it at once, so that an import that stopped is never taken for one that goes on.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

KIND = 0x5052_5550
HELD = """
SELECT objid FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND objid = ANY (%s::bigint[]) AND objsubid = 2 AND granted
"""


@contextmanager
def import_lock(upload_id: UUID) -> Iterator[bool]:
    """Whether it is ours until the block ends; False when another process has it."""
    key = _key(upload_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [KIND, key])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.closed_in_transaction and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [KIND, key])


def worked_on(upload_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the uploads that a living worker has in hand."""
    keys = {_key(upload_id): upload_id for upload_id in upload_ids}
    with connection.cursor() as cursor:
        cursor.execute(HELD, [KIND, list(keys)])
        return {keys[int(row[0])] for row in cursor.fetchall()}


def _key(upload_id: UUID) -> int:
    return upload_id.int & 0x7FFF_FFFF
