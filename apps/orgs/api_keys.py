"""API keys: made, looked up, taken back. A key is `prc_` and 32 random bytes; the database has its SHA-256 only."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.public import Notice, list_emails, notify
from apps.common.addresses import read_range
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import ApiKey, Membership, Organisation, Status
from apps.orgs.permissions import Permission, Scope, roles_with

PREFIX = "prc_"
FORM = re.compile(rf"{PREFIX}[\w-]{{43}}", re.ASCII)
FORM_IN_WORDS = f"An API key is {PREFIX} and 43 characters."
SHOWN = 12
NOTED_EVERY = timedelta(minutes=5)
LONGEST_NAME = 80
MOST_RANGES = 50
# How much longer a rotated key may work.
OVERLAPS = (timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=7))


@dataclass(frozen=True)
class KeyHolder:
    """Whom a valid key stands for, and how much they may send."""

    key_id: UUID
    name: str
    org_id: UUID
    identity_key: bytes
    scopes: frozenset[str]
    events_per_second: int
    networks: tuple[str, ...] = ()


def create_api_key(
    *,
    actor: Actor,
    org: Organisation,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    networks: Sequence[str] = (),
    replaces: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Answers the stored row and the key itself, which nobody can read again."""
    if unknown := sorted(set(scopes) - set(Scope)):
        raise InvalidInput(f"There is no scope {', '.join(unknown)}; there are: {', '.join(Scope)}.")
    if not scopes:
        raise InvalidInput(f"Name at least one scope: {', '.join(Scope)}.")
    if not name.strip():
        raise InvalidInput("Give the key a name that says who uses it.")
    if len(name.strip()) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"A key's name is one line of at most {LONGEST_NAME} characters.")
    ranges = _ranges(networks, scopes)
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        made = ApiKey.objects.create(
            org_id=org.pk,
            name=name.strip(),
            prefix=key[:SHOWN],
            digest=digest_of(key),
            scopes=sorted(set(scopes)),
            created_by=actor.name,
            expires_at=expires_at,
            networks=ranges,
            replaces=replaces,
        )
        record(org=org, actor=actor, action="api_key.created", key=str(made.pk), name=made.name, scopes=made.scopes,
               networks=ranges, **({"replaces": str(replaces.pk)} if replaces else {}))  # fmt: skip
    return made, key


def rotate_api_key(*, actor: Actor, org: Organisation, key_id: UUID, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new key that may what this one may; this one works for `overlap` longer, so that nobody is cut off."""
    if overlap not in OVERLAPS:
        raise InvalidInput("A rotated key works for an hour, a day or a week longer, or not at all.")
    with transaction.atomic():
        now = timezone.now()
        old = ApiKey.objects.select_for_update().filter(org=org, pk=key_id, revoked_at=None).first()
        if old is None or (old.expires_at and old.expires_at <= now):
            raise NotFound(f"{org.slug} has no valid key of this id.")
        if old.replaced_by.exists():
            raise Conflict(f"{old.name} was rotated already; rotate the key that replaced it.")
        made, key = create_api_key(
            actor=actor, org=org, name=old.name, scopes=old.scopes, expires_at=old.expires_at, networks=old.networks,
            replaces=old,
        )  # fmt: skip
        old.expires_at = min(now + overlap, old.expires_at or now + overlap)
        old.save(update_fields=["expires_at"])
        record(
            org=org, actor=actor, action="api_key.rotated", target=f"api-key/{old.pk}", name=old.name,
            until=old.expires_at.isoformat(),
        )  # fmt: skip
    return made, key


def limit_addresses(*, actor: Actor, org: Organisation, key_id: UUID, networks: Sequence[str]) -> ApiKey:
    """From where the key works; none: from everywhere. Doors that cache keys follow within five seconds."""
    with transaction.atomic():
        found = ApiKey.objects.select_for_update().filter(org=org, pk=key_id, revoked_at=None).first()
        if found is None:
            raise NotFound(f"{org.slug} has no valid key of this id.")
        before, after = found.networks, _ranges(networks, found.scopes)
        if after != before:
            found.networks = after
            found.save(update_fields=["networks"])
            record(
                org=org, actor=actor, action="api_key.addresses_changed", target=f"api-key/{found.pk}",
                before={"networks": before}, after={"networks": after},
            )  # fmt: skip
    return found


def _ranges(networks: Sequence[str], scopes: Sequence[str]) -> list[str]:
    ranges = []
    for text in networks:
        try:
            ranges.append(read_range(text))
        except ValueError as error:
            raise InvalidInput(
                f"{text.strip()[:60]!r} is no address range; one looks like 203.0.113.0/24 or 2001:db8::/32."
            ) from error
    if len(ranges) > MOST_RANGES:
        raise InvalidInput(f"At most {MOST_RANGES} address ranges; {len(ranges)} were named.")
    if ranges and Scope.PIXEL in scopes:
        raise InvalidInput("A pixel's key is used by visitors' browsers: its addresses cannot be limited.")
    return sorted(set(ranges))


def revoke_api_key(*, actor: Actor, org: Organisation, prefix: str = "", key_id: UUID | None = None) -> ApiKey:
    """The key named by its first characters or by its id. Doors that cache keys let it in for five seconds more."""
    named = Q(pk=key_id) if key_id else Q(prefix=prefix[:SHOWN])
    with transaction.atomic():
        found = ApiKey.objects.select_for_update().filter(named, org=org, revoked_at=None).first()
        if found is None:
            raise NotFound(f"{org.slug} has no valid key {f'that starts with {prefix!r}' if prefix else 'of this id'}.")
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])
        record(org=org, actor=actor, action="api_key.revoked", key=str(found.pk), name=found.name)
    return found


def revoke_keys_of(*, actor: Actor, org: Organisation, user_id: UUID) -> int:
    """The valid keys that this person made for the organisation; answers how many."""
    names = {str(user_id), *list_emails([user_id]).values()}
    made = list(ApiKey.objects.filter(org=org, created_by__in=names, revoked_at=None).values_list("pk", flat=True))
    for key_id in made:
        revoke_api_key(actor=actor, org=org, key_id=key_id)
    return len(made)


def warn_of_expiring_keys() -> int:
    """Tell administrators once of each key that expires within a week; answers how many keys. As the platform."""
    now = timezone.now()
    soon = ApiKey.objects.filter(
        revoked_at=None, warned_at=None, expires_at__gt=now, expires_at__lte=now + timedelta(days=7)
    ).exclude(org__status=Status.ARCHIVED)
    told = 0
    for key in soon.select_related("org"):
        # The conditional update claims it: two runs at once warn once.
        if not ApiKey.objects.filter(pk=key.pk, warned_at=None).update(warned_at=now):
            continue
        told += 1
        day = timezone.localdate((key.expires_at or now) - timedelta(seconds=1), ZoneInfo(key.org.time_zone))
        context = {"org": key.org.name, "slug": key.org.slug, "key": key.name, "prefix": key.prefix, "day": str(day)}
        admins = Membership.objects.filter(org=key.org, role__in=roles_with(Permission.MANAGE_API_KEYS), is_active=True)
        for user_id in admins.values_list("user", flat=True).distinct():
            notify(user_id, Notice.KEY_EXPIRES, **context)
    return told


def find_key(digest: bytes) -> ApiKey | None:
    """The key with this digest and its organisation, if the one is valid and the other active."""
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    keys = ApiKey.objects.filter(valid, digest=digest, revoked_at=None, org__status=Status.ACTIVE)
    found: ApiKey | None = keys.select_related("org").first()
    if found is not None:
        _note_use(found)
    return found


def list_api_keys(org: Organisation) -> list[ApiKey]:
    """All there ever were, the newest first."""
    return list(ApiKey.objects.filter(org=org).order_by("-created_at"))


def _note_use(key: ApiKey) -> None:
    """Every five minutes at most, and never by waiting for whoever notes the same."""
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < NOTED_EVERY:
        return
    row = ApiKey.objects.filter(pk=key.pk)
    if row.select_for_update(skip_locked=True).values_list("pk").first():
        row.update(last_used_at=now)


def find_key_holder(digest: bytes) -> KeyHolder | None:
    """Who holds the key with this digest, and how much they may send."""
    found = find_key(digest)
    if found is None:
        return None
    org = found.org
    return KeyHolder(
        found.pk, found.name, org.pk, bytes(org.identity_key), frozenset(found.scopes), org.events_per_second,
        tuple(found.networks),
    )  # fmt: skip


def digest_of(key: str) -> bytes:
    return sha256(key.encode()).digest()
