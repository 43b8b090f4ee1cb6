"""API keys: made, looked up, taken back. A key is `prc_` and 32 random bytes; the database has its SHA-256 only."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.common.errors import InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import ApiKey, Organisation, Status
from apps.orgs.permissions import Scope

PREFIX = "prc_"
SHOWN = 12


@dataclass(frozen=True)
class KeyHolder:
    """Whom a valid key stands for, and how much they may send."""

    key_id: UUID
    name: str
    org_id: UUID
    identity_key: bytes
    scopes: frozenset[str]
    events_per_second: int


def create_api_key(
    *, actor: Actor, org: Organisation, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Answers the stored row and the key itself, which nobody can read again."""
    if unknown := sorted(set(scopes) - set(Scope)):
        raise InvalidInput(f"There is no scope {', '.join(unknown)}; there are: {', '.join(Scope)}.")
    if not scopes:
        raise InvalidInput(f"Name at least one scope: {', '.join(Scope)}.")
    if not name.strip():
        raise InvalidInput("Give the key a name that says who uses it.")
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        made = ApiKey.objects.create(
            org=org,
            name=name.strip(),
            prefix=key[:SHOWN],
            digest=digest_of(key),
            scopes=sorted(set(scopes)),
            created_by=actor.name,
            expires_at=expires_at,
        )
        record(org=org, actor=actor, action="api_key.created", key=str(made.pk), name=made.name, scopes=made.scopes)
    return made, key


def revoke_api_key(*, actor: Actor, org: Organisation, prefix: str) -> ApiKey:
    """Doors that cache keys let it in for five seconds more at most."""
    with transaction.atomic():
        found = ApiKey.objects.select_for_update().filter(org=org, prefix=prefix[:SHOWN], revoked_at=None).first()
        if found is None:
            raise NotFound(f"{org.slug} has no valid key that starts with {prefix!r}.")
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])
        record(org=org, actor=actor, action="api_key.revoked", key=str(found.pk), name=found.name)
    return found


def find_key(digest: bytes) -> ApiKey | None:
    """The key with this digest and its organisation, if the one is valid and the other active."""
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    keys = ApiKey.objects.filter(valid, digest=digest, revoked_at=None, org__status=Status.ACTIVE)
    return keys.select_related("org").first()


def find_key_holder(digest: bytes) -> KeyHolder | None:
    """Who holds the key with this digest, and how much they may send."""
    found = find_key(digest)
    if found is None:
        return None
    org = found.org
    return KeyHolder(
        found.pk, found.name, org.pk, bytes(org.identity_key), frozenset(found.scopes), org.events_per_second
    )


def digest_of(key: str) -> bytes:
    return sha256(key.encode()).digest()
