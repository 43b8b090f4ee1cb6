"""All that is kept of an organisation, as one ZIP: PostgreSQL's tables as CSV, ClickHouse's rows as JSON lines.

What only serves the machine stays out: secrets and hashes of secrets, the ingest log, sums that follow from the events.
"""

import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from apps.common.errors import Conflict, NotFound
from apps.orgs.actor import SERVICE, Actor, acting
from apps.orgs.audit import record
from apps.orgs.models import Export, Organisation
from apps.warehouse.public import stream

KEEP = timedelta(days=30)
# A worker that died in the middle has not answered after so long.
LONGEST = timedelta(hours=3)
# Tables, and their columns that only serve the machine.
WAREHOUSE_TABLES = {"events": "org_id, content_hash, batch_id", "reported": "org_id", "reported_rows": "org_id"}
LEFT_OUT = frozenset({"django_migrations", "ingest_log_logrecord", "orgs_auditseal"})
README = """{name} ({slug}), as Precise kept it on {at:%Y-%m-%d %H:%M} UTC.

postgres/shared/  rows of tables that all organisations share
postgres/own/     the organisation's own tables
warehouse/        events and reported figures, one JSON object a line

CSV files have a header; NULL is an empty cell without quotes. Left out are secrets, hashes of secrets and pictures, and
sums that follow from the events.
"""
# Tables of the shared schema that name their organisation; partitions are read through their parents.
SHARED = """
SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attname = 'org_id'
ORDER BY 1
"""
OWN = (
    "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"
)
COLUMNS = """
SELECT a.attname FROM pg_attribute AS a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> 'bytea'::regtype
    AND a.attname !~ '(secret|password|token|digest)' ORDER BY a.attnum
"""


def ask_for_export(*, actor: Actor, org: Organisation) -> Export:
    """One at a time; a worker makes it."""
    from apps.orgs.tasks import make_export

    with transaction.atomic():
        Organisation.objects.select_for_update(of=("self",)).get(pk=org.pk)
        going = Export.objects.filter(org=org, state__in=(Export.State.WAITING, Export.State.RUNNING))
        if going.filter(created_at__gt=timezone.now() - LONGEST).exists():
            raise Conflict(f"An export of {org.name} is being made already; it will be listed here.")
        made = Export.objects.create(org=org, asked_by=actor.audit_name)
        record(org=org, actor=actor, action="organisation.exported", target=f"export/{made.pk}")
        transaction.on_commit(lambda: make_export.delay(str(made.pk)))
    return made


def list_exports(org: Organisation) -> list[Export]:
    return list(Export.objects.filter(org=org).order_by("-created_at")[:10])


def get_export(org: Organisation, export_id: UUID) -> Export:
    found = Export.objects.filter(org=org, pk=export_id, state=Export.State.READY).first()
    if found is None or not path_of(found).is_file():
        raise NotFound("There is no such export, or its file was removed; ask for a new one.")
    return found


def path_of(export: Export) -> Path:
    return Path(settings.EXPORT_DIR) / str(export.org_id) / f"{export.pk}.zip"


def run_export(export_id: UUID) -> None:
    """Claim it, write the file beside its place, then move it there: what is listed as ready is whole."""
    with acting(SERVICE):
        claimed = Export.objects.filter(pk=export_id, state=Export.State.WAITING).update(state=Export.State.RUNNING)
        found = Export.objects.select_related("org").filter(pk=export_id).first()
    if not claimed or found is None:
        return
    try:
        path = _write(found)
    except Exception as error:
        _finish(found, state=Export.State.FAILED, error=f"{type(error).__name__}: {error}"[:400])
        raise
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    _finish(found, state=Export.State.READY, size=path.stat().st_size, digest=digest)


def purge_exports(now: datetime) -> int:
    """Remove files after a month; answers how many."""
    with acting(SERVICE):
        old = list(Export.objects.filter(state=Export.State.READY, finished_at__lt=now - KEEP))
        for export in old:
            path_of(export).unlink(missing_ok=True)
        Export.objects.filter(pk__in=[export.pk for export in old]).update(state=Export.State.GONE)
    return len(old)


def _finish(export: Export, **fields: object) -> None:
    with acting(SERVICE):
        Export.objects.filter(pk=export.pk).update(finished_at=timezone.now(), **fields)


def _write(export: Export) -> Path:
    path = path_of(export)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            facts = {"name": export.org.name, "slug": export.org.slug, "at": timezone.now()}
            archive.writestr("README.txt", README.format(**facts))
            _write_postgres(archive, export.org)
            _write_warehouse(archive, export.org)
        part.chmod(0o600)
        os.replace(part, path)  # noqa: PTH105
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path


def _write_postgres(archive: zipfile.ZipFile, org: Organisation) -> None:
    with acting(SERVICE):
        _copy(archive, "postgres/shared/orgs_organisation.csv", "public", "orgs_organisation", "id", org)
        members = sql.SQL("id IN (SELECT user_id FROM public.orgs_membership WHERE org_id = {})").format(org.pk)
        _copy_rows(
            archive, "postgres/shared/people.csv", sql.SQL("id, email, name"), "public", "accounts_user", members
        )
        for table in _names(SHARED):
            _copy(archive, f"postgres/shared/{table}.csv", "public", table, "org_id", org)
        for table in _names(OWN, org.schema_name):
            _copy(archive, f"postgres/own/{table}.csv", org.schema_name, table, None, org)


def _names(question: str, *args: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(question, args)
        return [name for (name,) in cursor.fetchall() if name not in LEFT_OUT]


def _copy(archive: zipfile.ZipFile, name: str, schema: str, table: str, by: str | None, org: Organisation) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [f'"{schema}"."{table}"'])
        columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in cursor.fetchall())
    where = sql.SQL("{} = {}").format(sql.Identifier(by), org.pk) if by else sql.SQL("true")
    _copy_rows(archive, name, columns, schema, table, where)


def _copy_rows(
    archive: zipfile.ZipFile, name: str, columns: sql.Composable, schema: str, table: str, where: sql.Composable
) -> None:
    rows = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT csv, HEADER)")
    question = rows.format(columns, sql.Identifier(schema, table), where)
    with (
        archive.open(name, "w", force_zip64=True) as file,
        connection.cursor() as cursor,
        cursor.copy(question) as lines,
    ):
        for line in lines:
            file.write(line)


def _write_warehouse(archive: zipfile.ZipFile, org: Organisation) -> None:
    for table, without in WAREHOUSE_TABLES.items():
        question = f"SELECT * EXCEPT ({without}) FROM {table} WHERE org_id = {{org_id:UUID}}"  # noqa: S608 - our names
        with (
            archive.open(f"warehouse/{table}.ndjson", "w", force_zip64=True) as file,
            stream(org.pk, f"orgs.export.{table}", question) as pieces,
        ):
            for piece in pieces:
                file.write(piece)


def read_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
