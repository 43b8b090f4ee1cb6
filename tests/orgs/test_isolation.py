"""One sweep over every URL and API route: with another organisation's ids, whoever asks, there is nothing there."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.events.models import Upload
from apps.orgs.actor import SERVICE, Actor, acting, declare, in_schema_of
from apps.orgs.api_keys import create_api_key
from apps.orgs.models import AuditEntry, Edit, Organisation
from apps.orgs.people import invite
from apps.orgs.permissions import Role, Scope
from tests.support.world import PERSONAS, YESTERDAY_NOON, World, watch_bucket

MARK = "only-rivals-know-this"
NOTHING = {404, 405}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MEMBERS = [persona for persona, org, _ in PERSONAS if org == "buyer"]


@dataclass(frozen=True)
class Route:
    """An address below `/o/<org>/` or `/api/`, as a format, and the kinds of its arguments."""

    name: str
    path: str
    kinds: dict[str, str]


def routes(patterns: Any = None, path: str = "", names: str = "", kinds: Any = None) -> Iterator[Route]:
    for one in get_resolver().url_patterns if patterns is None else patterns:
        found = {**(kinds or {}), **{name: type(c).__name__ for name, c in one.pattern.converters.items()}}
        route = path + str(one.pattern).removeprefix("^")
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route, f"{names}{one.namespace}:" if one.namespace else names, found)
        elif isinstance(one, URLPattern) and one.name and names in {"org:", "api:"}:
            yield Route(names + one.name, "/" + route, found)


ROUTES = sorted(routes(), key=lambda route: route.name)
OF_ORGANISATIONS = [route for route in ROUTES if "org" in route.kinds]
OF_THINGS = [route for route in ROUTES if set(route.kinds) - {"org"}]


@pytest.fixture
def theirs(world: World, db: None) -> dict[str, list[Any]]:
    """Ids of the rival's things, by the kind of argument that they stand for."""
    rival, admin = world.orgs["rival"], Actor("a", frozenset({(world.orgs["rival"].pk, Role.ORG_ADMIN)}))
    with acting(SERVICE):
        key, _ = create_api_key(actor=SERVICE, org=rival, name=MARK, scopes=["pixel"])
        asked, _ = invite(actor=admin, org=rival, email=f"{MARK}@rival.example", role="viewer")
        edit = Edit.objects.create(
            org_id=rival.pk, actor="x", field="organisation.name", row_id=rival.pk, before=MARK, after=MARK
        )
        entry = AuditEntry.objects.filter(org=rival).latest("pk")
    watched = watch_bucket(rival)
    with acting(SERVICE), in_schema_of(rival):
        upload = Upload.objects.create(name=f"{MARK}.csv", size=1)
    ids = [key.pk, asked.pk, edit.pk, watched, upload.pk, rival.pk, world.personas["stranger"].pk]
    return {
        "UUIDConverter": ids,
        "IntConverter": [entry.pk],
        "StringConverter": [
            f"golden-purchase-retail-rivals-secret-0-{YESTERDAY_NOON:%Y%m%d}", "rivals-secret", "theirs", str(key.pk),
            "organisation.name",
        ],
        "SlugConverter": ["rivals-secret", "theirs"],
    }  # fmt: skip


def addresses(route: Route, org: str, theirs: dict[str, list[Any]]) -> Iterator[str]:
    """The route's addresses with each of the ids; of several arguments all take their turn together."""
    named = {name: theirs.get(kind, theirs["StringConverter"]) for name, kind in route.kinds.items() if name != "org"}
    for number in range(max([len(ids) for ids in named.values()], default=1)):
        path = route.path
        for name in route.kinds:
            value = org if name == "org" else named[name][number % len(named[name])]
            path = _filled(path, name, value)
        yield path


def _filled(path: str, name: str, value: Any) -> str:
    start = next(path.index(begin) for begin in _openings(path, name))
    end = path.index(">", start)
    return path[:start] + str(value) + path[end + 1 :]


def _openings(path: str, name: str) -> list[str]:
    kinds = ("<", "<uuid:", "<int:", "<str:", "<slug:", "<path:")
    return [kind + name + ">" for kind in kinds if kind + name + ">" in path]


def ask(client: Client, path: str, org: str) -> Iterator[Any]:
    """To read it, and to write: as a form, or below `/api/` as JSON."""
    headers = {"X-Organisation": org, "Tus-Resumable": "1.0.0"}
    yield client.get(path, headers=headers)
    is_api = path.startswith("/api/")
    yield client.post(path, b"{}" if is_api else b"", content_type=JSON if is_api else FORM, headers=headers)


def test_the_sweep_knows_the_routes() -> None:
    assert len(OF_ORGANISATIONS) > 40
    assert {"org:api_key", "org:audit_entry", "org:person", "org:watched_source"} <= {route.name for route in OF_THINGS}


@pytest.mark.parametrize("persona", [*MEMBERS, "data_owner", None])
def test_another_organisation_is_not_there(
    persona: str | None, world: World, as_persona: Any, theirs: dict[str, list[Any]]
) -> None:
    """Under the rival's own name: every address, as everybody who does not belong to it; a super admin does."""
    if persona == "super_admin":
        return
    client = as_persona(persona)
    # Signed out, everything leads to the sign-in, or is not asked this way.
    allowed = {404} if persona else {302, 404, 405}
    for route in OF_ORGANISATIONS:
        path = next(addresses(route, world.slug("rival"), theirs))
        for answer in ask(client, path, world.slug("rival")):
            assert answer.status_code in allowed, (route.name, path, answer.status_code)
            assert MARK.encode() not in answer.content, (route.name, path)


@pytest.mark.parametrize("persona", [*MEMBERS, "super_admin", "data_owner", None])
def test_another_organisations_things_are_not_there(
    persona: str | None, world: World, as_persona: Any, theirs: dict[str, list[Any]]
) -> None:
    """Under one's own organisation's name, with the rival's ids: pages and API, reading and writing. For super admins,
    too: what is the rival's is not the buyer's."""
    org = "owner" if persona == "data_owner" else "buyer"
    client = as_persona(persona)
    for route in OF_THINGS:
        # Whose role does not reach is refused at the first; who may everything else is asked for all.
        asked = None if persona in {"org_admin", "super_admin"} else 1
        for path in islice(addresses(route, world.slug(org), theirs), asked):
            for answer in ask(client, path, world.slug(org)):
                where = (route.name, path, answer.status_code)
                assert answer.status_code < 500, where
                assert MARK.encode() not in answer.content, where
                assert b"rivals-secret" not in _without_address(answer.content, path), where
                shown = {302} if persona is None else SHOWS_NOTHING.get(route.name, set())
                assert answer.status_code in NOTHING | REFUSED | shown, where


# Refused before anybody looked for the thing: the role, the form, the method's own headers.
REFUSED = {400, 401, 403, 412, 415, 422}
# Pages about a name that somebody typed, which say that there is nothing of that name here.
SHOWS_NOTHING: dict[str, set[int]] = {"org:quarantine": {200}, "org:source": {200}}


def _without_address(content: bytes, path: str) -> bytes:
    """What was asked for is told back; nothing else may be."""
    return b"" if "rivals-secret" in path else content


def test_a_key_sees_its_own_organisation_whatever_it_names(world: World, theirs: dict[str, list[Any]]) -> None:
    with acting(SERVICE):
        _, key = create_api_key(
            actor=SERVICE, org=world.orgs["buyer"], name="swept", scopes=[s for s in Scope if s is not Scope.PIXEL]
        )
    client = Client(headers={"X-API-Key": key})
    for route in (one for one in ROUTES if one.name.startswith("api:")):
        for path in addresses(route, "", theirs):
            for answer in ask(client, path, world.slug("rival")):
                assert answer.status_code < 500, (route.name, path)
                assert MARK.encode() not in answer.content, (route.name, path)
                assert b"rivals-secret" not in _without_address(answer.content, path), (route.name, path)
                if set(route.kinds):
                    assert answer.status_code in {400, 404, 405, 415}, (route.name, path, answer.status_code)


def shared_tables() -> list[tuple[str, str]]:
    """Every table of the public schema with a column for an organisation: named so, or a reference to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname, a.attname FROM pg_class AS c"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " LEFT JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)"
            "   AND k.confrelid = 'public.orgs_organisation'::regclass"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            "   AND (a.attname = 'org_id' OR k.oid IS NOT NULL) ORDER BY 1"
        )
        return [(table, column) for table, column in cursor.fetchall() if table not in OPEN]


# Demanded by django-tenants and empty.
OPEN = {"orgs_domain"}


@pytest.mark.django_db
def test_every_shared_table_of_organisations_is_closed(world: World) -> None:
    """Enabled, forced (so that the owner is bound as well), and by the one function."""
    with connection.cursor() as cursor:
        for table, _ in shared_tables():
            cursor.execute(
                "SELECT c.relrowsecurity, c.relforcerowsecurity, array_agg(pg_get_expr(p.polqual, p.polrelid))"
                " FROM pg_class AS c LEFT JOIN pg_policy AS p ON p.polrelid = c.oid WHERE c.oid = %s::regclass"
                " GROUP BY c.oid",
                [f"public.{table}"],
            )
            enabled, forced, policies = cursor.fetchone()
            assert (enabled, forced, len(policies)) == (True, True, 1), table
            assert "check_row_access" in policies[0], table


@pytest.mark.django_db
def test_raw_sql_sees_the_own_organisations_rows_in_every_table(world: World, theirs: dict[str, list[Any]]) -> None:
    own, other = world.orgs["buyer"].pk, world.orgs["rival"].pk
    tables = shared_tables()
    assert {"orgs_membership", "orgs_apikey", "orgs_edit", "orgs_identityprovider"} <= {table for table, _ in tables}
    for actor, visible in (
        (Actor("member", frozenset({(own, Role.ORG_ADMIN)})), {own}), (Actor("nobody"), set()),
    ):  # fmt: skip
        declare(actor)
        for table, column in tables:
            assert organisations_in(table, column) <= visible, (actor.name, table)
    declare(Actor("member", frozenset({(own, Role.ORG_ADMIN)})))
    for table, column in tables:
        if table == "orgs_auditentry":
            continue
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute(f"UPDATE public.{table} SET {column} = {column} WHERE {column} = %s", [other])
            assert cursor.rowcount == 0, table
            cursor.execute(f"DELETE FROM public.{table} WHERE {column} = %s", [other])
            assert cursor.rowcount == 0, table


def organisations_in(table: str, column: str) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {column} FROM public.{table} WHERE {column} IS NOT NULL")
        return {found for (found,) in cursor.fetchall()}


def test_a_task_has_no_rights_that_it_did_not_ask_for(committed: World) -> None:
    """Celery's workers keep their connections: what one task was allowed, the next one is not."""
    from celery import shared_task

    from apps.orgs.tasks import purge_edits

    @shared_task(name="tests.organisations_seen")
    def organisations_seen() -> list[str]:
        return list(Organisation.objects.values_list("slug", flat=True))

    purge_edits.apply().get()
    assert organisations_seen.apply().get() == []
    with pytest.raises(ZeroDivisionError), acting(SERVICE):
        raise ZeroDivisionError
    assert organisations_seen.apply().get() == []


def test_a_command_has_no_rights_that_it_did_not_ask_for(committed: World) -> None:
    from io import StringIO

    from django.core.management import CommandError, call_command

    from apps.orgs.tasks import seal_audit

    seal_audit.apply().get()
    call_command("verify_audit", stdout=StringIO())
    assert list(Organisation.objects.all()) == []
    with pytest.raises(CommandError):
        call_command("create_api_key", "there-is-no-such-org", name="x", stdout=StringIO(), stderr=StringIO())
    assert list(Organisation.objects.all()) == []
