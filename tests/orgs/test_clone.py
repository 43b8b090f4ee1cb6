"""An organisation's schema is the template's, down to the names that later migrations use."""

import pytest
from django.db import DatabaseError, connections, transaction

from apps.orgs.models import TEMPLATE_SCHEMA
from tests.support.world import World

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
KEYS = """
SELECT k.conname, k.contype, replace(pg_get_constraintdef(k.oid), n.nspname || '.', '')
FROM pg_constraint AS k JOIN pg_namespace AS n ON n.oid = k.connamespace WHERE n.nspname = %s
"""
INDEXES = """
SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'i'
"""
pytestmark = pytest.mark.django_db(databases=["default", "provisioning"])


def rows(sql: str, schema: str) -> set[tuple[object, ...]]:
    with connections["provisioning"].cursor() as cursor:
        cursor.execute(sql, [schema])
        return set(cursor.fetchall())


@pytest.mark.parametrize("sql", [COLUMNS, KEYS, INDEXES])
def test_nothing_of_the_template_is_missing(sql: str, world: World) -> None:
    template = rows(sql, TEMPLATE_SCHEMA)
    assert len(template) > 5
    assert rows(sql, world.orgs["buyer"].schema_name) == template


def test_what_cannot_be_cloned_is_refused(world: World) -> None:
    with transaction.atomic(using="provisioning"), connections["provisioning"].cursor() as cursor:
        cursor.execute(f"CREATE VIEW {TEMPLATE_SCHEMA}.something AS SELECT 1 AS one")
        with pytest.raises(DatabaseError, match="more than tables"), transaction.atomic(using="provisioning"):
            cursor.execute("SELECT public.clone_tenant(%s, 'org_never')", [TEMPLATE_SCHEMA])
        transaction.set_rollback(True, using="provisioning")
