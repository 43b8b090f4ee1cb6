"""What stands in an embedded PostgreSQL before the first migration: two roles and one database.

Only this module connects as superuser. Tables and the rights on them come from migrations.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

DATABASE = "precise"
OWNER = "precise_owner"  # owns the database; migrations and making an organisation
APP = "precise_app"  # everything else; owns nothing, bound by row-level security


def make(superuser_url: str, passwords: Mapping[str, str], *, fresh: bool) -> None:
    """Idempotent; `fresh` throws the database away first."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, password in passwords.items():
            _make_role(connection, role, password)
        if fresh:
            connection.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", DATABASE))
        _make_database(connection)


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        connection.execute(_named("CREATE ROLE {}", role))
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    statement = sql.SQL("ALTER ROLE {} " + rights + " PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _make_database(connection: psycopg.Connection) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        connection.execute(_named("CREATE DATABASE {} OWNER {}", DATABASE, OWNER))
    connection.execute(_named("REVOKE ALL ON DATABASE {} FROM PUBLIC", DATABASE))
    connection.execute(_named("GRANT CONNECT ON DATABASE {} TO {}", DATABASE, APP))


def _exists(connection: psycopg.Connection, question: str, name: str) -> bool:
    return connection.execute(question.encode(), [name]).fetchone() is not None


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
