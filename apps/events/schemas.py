"""One question to a table that every organisation has in its own schema, asked of all of them at once."""

from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg import sql

from apps.orgs.public import SERVICE, Organisation, acting


def ask_everywhere(model: type[Model], question: str, params: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Rows over all active organisations; `question` has `{org}`, the organisation's id, and `{table}`."""
    with acting(SERVICE):
        orgs = list(Organisation.objects.filter(status="active").values_list("pk", "schema_name"))
        if not orgs:
            return []
        parts = [
            sql.SQL(question).format(org=sql.Literal(pk), table=sql.Identifier(schema, model._meta.db_table))
            for pk, schema in orgs
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(" UNION ALL ").join(parts), params * len(parts))
            return list(cursor.fetchall())
