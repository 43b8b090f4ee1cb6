"""The database's own wall, asked with raw SQL under the application's role."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.orgs.actor import ANONYMOUS, SERVICE, Actor, acting, declare
from apps.orgs.permissions import Role
from apps.orgs.selectors import buyer_names
from tests.support.world import World


def visible_slugs() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM public.orgs_organisation")
        return {slug for (slug,) in cursor.fetchall()}


@pytest.mark.django_db
def test_the_application_role_is_no_superuser_and_cannot_bypass() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_every_shared_table_with_an_organisation_has_a_forced_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid)"
            " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
        )
        tables = {name: (forced, policies) for name, forced, policies in cursor.fetchall()}
    assert tables.keys() >= {
        "orgs_membership",
        "orgs_auditentry",
        "ingest_log_logrecord",
        "orgs_apikey",
        "orgs_identityprovider",
    }
    assert set(tables.values()) == {(True, 1)}


@pytest.mark.django_db
def test_without_an_actor_nothing_is_visible(world: World) -> None:
    declare(ANONYMOUS)
    assert visible_slugs() == set()


@pytest.mark.django_db
def test_a_member_sees_the_own_organisation_only(world: World) -> None:
    org = world.orgs["buyer"]
    declare(Actor("someone", frozenset({(org.pk, Role.VIEWER)})))
    assert visible_slugs() == {org.slug}


@pytest.mark.django_db
def test_staff_see_all(world: World) -> None:
    declare(SERVICE)
    assert visible_slugs() >= {org.slug for org in world.orgs.values()}


@pytest.mark.django_db
def test_a_row_for_another_organisation_is_refused(world: World) -> None:
    declare(Actor("someone", frozenset({(world.orgs["buyer"].pk, Role.ORG_ADMIN)})))
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.orgs_auditentry (org_id, actor, action, detail, at) VALUES (%s, 'x', 'x', '{}', now())",
            [world.orgs["rival"].pk],
        )


@pytest.mark.parametrize(("role", "allowed"), [("viewer", True), ("super_admin", False), ("campaign_manager", False)])
@pytest.mark.django_db
def test_an_organisation_cannot_make_platform_staff(world: World, role: str, allowed: bool) -> None:
    org = world.orgs["buyer"]
    declare(Actor("someone", frozenset({(org.pk, Role.ORG_ADMIN)})))
    insert = (
        "INSERT INTO public.orgs_membership (org_id, user_id, role, created_at) VALUES (%s, %s, %s, now())"
        " RETURNING role"
    )
    arguments = [org.pk, world.personas["stranger"].pk, role]
    with transaction.atomic(), connection.cursor() as cursor:
        if allowed:
            cursor.execute(insert, arguments)
            return
        with pytest.raises(DatabaseError, match="row-level security"):
            cursor.execute(insert, arguments)
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_names_of_buyers_are_for_data_owners(world: World) -> None:
    buyer = world.orgs["rival"].pk
    declare(Actor("a data owner", frozenset({(world.orgs["owner"].pk, Role.DATA_OWNER)})))
    assert list(buyer_names([buyer])) == [buyer]
    declare(Actor("a buyer", frozenset({(world.orgs["buyer"].pk, Role.ORG_ADMIN)})))
    assert buyer_names([buyer]) == {}


@pytest.mark.parametrize(
    "change", ["UPDATE public.orgs_auditentry SET actor = 'x'", "DELETE FROM public.orgs_auditentry"]
)
@pytest.mark.django_db
def test_the_audit_trail_cannot_be_changed(world: World, change: str) -> None:
    declare(SERVICE)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_rights_end_with_the_transaction_even_after_an_exception(committed: World) -> None:
    with pytest.raises(ZeroDivisionError), acting(SERVICE):
        raise ZeroDivisionError
    assert visible_slugs() == set()
    with acting(SERVICE):
        assert visible_slugs()
    assert visible_slugs() == set()
