"""API keys: shown once, kept as digests, taken back at once."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.common.errors import InvalidInput, NotFound
from apps.orgs.actor import SERVICE, declare
from apps.orgs.api_keys import create_api_key, digest_of, find_key_holder, revoke_api_key
from apps.orgs.models import ApiKey, AuditEntry, Organisation, Status
from apps.orgs.permissions import Scope
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def org(world: World) -> Organisation:
    declare(SERVICE)
    return world.orgs["buyer"]


def test_a_key_finds_its_organisation_and_is_not_stored(org: Organisation) -> None:
    row, key = create_api_key(actor=SERVICE, org=org, name="shop", scopes=[Scope.WRITE_EVENTS])
    holder = find_key_holder(digest_of(key))
    assert holder is not None
    assert (holder.org_id, holder.scopes) == (org.pk, {"events:write"})
    assert key.startswith(row.prefix)
    assert len(row.prefix) < len(key) / 2
    stored = ApiKey.objects.filter(pk=row.pk).values().get()
    assert key not in str(stored)
    assert AuditEntry.objects.filter(org=org, action="api_key.created").exists()


def test_a_revoked_an_expired_and_an_unknown_key_find_nobody(org: Organisation) -> None:
    _, revoked = create_api_key(actor=SERVICE, org=org, name="a", scopes=[Scope.PIXEL])
    revoke_api_key(actor=SERVICE, org=org, prefix=revoked)
    past = timezone.now() - timedelta(seconds=1)
    _, expired = create_api_key(actor=SERVICE, org=org, name="b", scopes=[Scope.PIXEL], expires_at=past)
    assert [find_key_holder(digest_of(key)) for key in (revoked, expired, "prc_unknown")] == [None, None, None]


def test_a_key_of_a_suspended_organisation_finds_nobody(org: Organisation) -> None:
    _, key = create_api_key(actor=SERVICE, org=org, name="a", scopes=[Scope.PIXEL])
    Organisation.objects.filter(pk=org.pk).update(status=Status.SUSPENDED)
    assert find_key_holder(digest_of(key)) is None


def test_another_organisation_cannot_revoke_it(org: Organisation, world: World) -> None:
    _, key = create_api_key(actor=SERVICE, org=org, name="a", scopes=[Scope.PIXEL])
    with pytest.raises(NotFound):
        revoke_api_key(actor=SERVICE, org=world.orgs["rival"], prefix=key)


def test_a_key_needs_a_name_and_known_scopes(org: Organisation) -> None:
    with pytest.raises(InvalidInput, match="no scope everything"):
        create_api_key(actor=SERVICE, org=org, name="a", scopes=["everything"])
    with pytest.raises(InvalidInput, match="Give the key a name"):
        create_api_key(actor=SERVICE, org=org, name=" ", scopes=[Scope.PIXEL])


def test_the_commands_make_and_revoke(org: Organisation) -> None:
    out = StringIO()
    call_command("create_api_key", org.slug, "--name", "shop", stdout=out)
    key = out.getvalue().strip()
    declare(SERVICE)
    assert find_key_holder(digest_of(key)) is not None
    call_command("revoke_api_key", org.slug, key[:12], stdout=StringIO())
    declare(SERVICE)
    assert find_key_holder(digest_of(key)) is None
    with pytest.raises(CommandError, match="no valid key"):
        call_command("revoke_api_key", org.slug, key[:12])
