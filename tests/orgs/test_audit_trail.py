"""The audit trail: added to only, sealed into a chain, and every change of it found."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from apps.orgs.actor import SERVICE, Actor, declare
from apps.orgs.audit import record, seal_entries, verify_trail
from apps.orgs.models import AuditEntry
from apps.orgs.permissions import Role
from tests.support.world import World

pytestmark = pytest.mark.django_db(databases=["default", "provisioning"])


def run(sql: str, *args: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, args)


@pytest.fixture
def entry(world: World) -> AuditEntry:
    declare(SERVICE)
    record(org=world.orgs["buyer"], actor=SERVICE, action="test.done", target="thing/1", number=1)
    seal_entries()
    return AuditEntry.objects.filter(action="test.done").latest("pk")


def test_a_trail_as_written_verifies(entry: AuditEntry) -> None:
    verified = verify_trail()
    assert verified.findings == []
    assert verified.entries >= 1
    assert len(verified.digest) == 32


@pytest.mark.parametrize(
    "sql", ["UPDATE public.orgs_auditentry SET actor = 'x'", "DELETE FROM public.orgs_auditentry",
            "TRUNCATE public.orgs_auditentry", "DELETE FROM public.orgs_auditseal",
            "INSERT INTO public.orgs_auditseal VALUES (0, 0, now(), '', '')"],
)  # fmt: skip
def test_the_application_changes_nothing(entry: AuditEntry, sql: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        run(sql)


@pytest.fixture
def owner(world: World) -> Iterator[CursorWrapper]:
    """The tables' owner in a transaction that leaves nothing, and one sealed entry in it."""
    with transaction.atomic(using="provisioning"):
        declare(SERVICE, "provisioning")
        for number in range(3):
            record(org=world.orgs["buyer"], actor=SERVICE, action="test.done", using="provisioning", number=number)
        seal_entries("provisioning")
        with connections["provisioning"].cursor() as cursor:
            yield cursor
        transaction.set_rollback(True, using="provisioning")


LATEST = "(SELECT max(id) FROM public.orgs_auditentry)"


@pytest.mark.parametrize(
    "sql",
    ["TRUNCATE public.orgs_auditentry", "DELETE FROM public.orgs_auditseal",
     f"UPDATE public.orgs_auditentry SET actor = 'x' WHERE id = {LATEST}"],
)  # fmt: skip
def test_nor_does_the_owner(owner: CursorWrapper, sql: str) -> None:
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(using="provisioning"):
        owner.execute(sql)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (f"UPDATE public.orgs_auditentry SET actor = 'x' WHERE id = {LATEST}", "the entry was changed"),
        (f"UPDATE public.orgs_auditentry SET at = at + interval '1 us' WHERE id = {LATEST}", "the entry was removed"),
        (f"DELETE FROM public.orgs_auditentry WHERE id = {LATEST}", "the entry was removed"),
        (f"DELETE FROM public.orgs_auditseal WHERE entry_id = {LATEST} - 1", "is missing"),
        (f"UPDATE public.orgs_auditseal SET content = sha256('') WHERE entry_id = {LATEST}", "does not follow"),
    ],
)
def test_whoever_passes_both_walls_is_found_out(owner: CursorWrapper, sql: str, message: str) -> None:
    for table in ("orgs_auditentry", "orgs_auditseal"):
        owner.execute(f"ALTER TABLE public.{table} DISABLE TRIGGER USER")
    owner.execute(sql)
    assert message in " ".join(finding.message for finding in verify_trail("provisioning").findings)


def test_an_entry_that_was_slipped_in_later_has_no_seal(owner: CursorWrapper) -> None:
    owner.execute(
        "INSERT INTO public.orgs_auditentry (at, actor, action, detail)"
        " VALUES (now() - interval '2 minutes', 'x', 'test.slipped', '{}')"
    )
    assert verify_trail("provisioning").unsealed >= 1


def test_a_chain_made_anew_lacks_the_digest_noted_before(entry: AuditEntry) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    digest = out.getvalue().split()[-1]
    call_command("verify_audit", expect=digest, stdout=StringIO())
    with pytest.raises(CommandError, match="made anew"):
        call_command("verify_audit", expect="00" * 32, stdout=StringIO())
    with pytest.raises(CommandError, match="64 hexadecimal digits"):
        call_command("verify_audit", expect="no digest", stdout=StringIO())


def test_seven_years_are_kept_and_older_ones_go(owner: CursorWrapper) -> None:
    """A year that was dropped leaves its seals: the chain holds."""
    owner.execute(
        "CREATE TABLE public.orgs_auditentry_2001 PARTITION OF public.orgs_auditentry"
        " FOR VALUES FROM ('2001-01-01Z') TO ('2002-01-01Z')"
    )
    owner.execute(
        "INSERT INTO public.orgs_auditentry (at, actor, action, detail) VALUES ('2001-02-03Z', 'x', 'test.old', '{}')"
    )
    seal_entries("provisioning")
    owner.execute("SELECT public.keep_audit_partitions(7)")
    assert owner.fetchone() == (1,)
    owner.execute("SELECT count(*) FROM public.orgs_auditentry WHERE action = 'test.old'")
    assert owner.fetchone() == (0,)
    assert verify_trail("provisioning").findings == []
    with pytest.raises(DatabaseError, match="7 years at least"), transaction.atomic(using="provisioning"):
        owner.execute("SELECT public.keep_audit_partitions(1)")


def test_each_organisation_sees_its_own(entry: AuditEntry, world: World) -> None:
    declare(Actor("someone", frozenset({(world.orgs["rival"].pk, Role.ORG_ADMIN)})))
    assert not AuditEntry.objects.filter(pk=entry.pk).exists()
