"""Brings PostgreSQL's schemas up to date under the owner role: the shared one, the template, each organisation's.

An organisation's schema is migrated only when its record of applied migrations differs from the template's, which one
query tells for all of them: a deployment without migrations costs the same with one organisation as with a thousand.
"""

from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.db import connections, transaction
from psycopg import sql

from apps.orgs.actor import SERVICE, declare
from apps.orgs.models import TEMPLATE_SCHEMA, Organisation

PROVISIONING = "provisioning"
Say = Callable[[str], None]


def migrate_postgres(say: Say) -> None:
    """Apply what is missing to every schema; `say` is told what takes time."""
    if _missing_in("public"):
        say("Migrating the shared schema")
        _migrate("public")
    if _make_template() or _missing_in(TEMPLATE_SCHEMA):
        say("Migrating the template of organisations' schemas")
        _migrate(TEMPLATE_SCHEMA)
    behind = schemas_behind()
    for place, schema in enumerate(behind, start=1):
        say(f"Migrating organisation schema {place} of {len(behind)}")
        _migrate(schema)


def schemas_behind() -> list[str]:
    """Schemas of organisations whose applied migrations are not the template's."""
    with transaction.atomic(using=PROVISIONING):
        declare(SERVICE, PROVISIONING)
        schemas = list(Organisation.objects.using(PROVISIONING).values_list("schema_name", flat=True))
    wanted = _applied([TEMPLATE_SCHEMA]).get(TEMPLATE_SCHEMA)
    applied = _applied(schemas)
    return [schema for schema in schemas if applied.get(schema) != wanted]


def _applied(schemas: list[str]) -> dict[str, int]:
    """How many migrations each schema has; all in one query."""
    if not schemas:
        return {}
    one = sql.SQL("SELECT {name} AS schema, count(*) FROM {table}")
    parts = [one.format(name=sql.Literal(name), table=sql.Identifier(name, "django_migrations")) for name in schemas]
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return dict(cursor.fetchall())


def _missing_in(schema: str) -> bool:
    """Whether code has migrations that the schema has not."""
    from django.db.migrations.executor import MigrationExecutor

    connection: Any = connections[PROVISIONING]
    connection.set_schema(schema, include_public=False)
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return bool(plan)
    finally:
        connection.set_schema_to_public()


def _make_template() -> bool:
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [TEMPLATE_SCHEMA])
        if cursor.fetchone():
            return False
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(TEMPLATE_SCHEMA)))
    return True


def _migrate(schema: str) -> None:
    which = {"shared": True} if schema == "public" else {"tenant": True, "schema_name": schema}
    call_command("migrate_schemas", interactive=False, verbosity=0, **which)
