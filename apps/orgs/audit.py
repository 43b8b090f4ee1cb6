"""The audit trail: what was done, by whom, from where, to which organisation. Added to, never changed.

Every entry is sealed some seconds later into one chain of hashes over all organisations; sealing apart from writing
keeps requests of different people from waiting for each other. What a seal is made over: `audit_content` in the
database, a JSON text of the entry's columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from apps.orgs.actor import Actor
from apps.orgs.models import AuditEntry, AuditSeal, Organisation

KEEP_YEARS = 7
AT_A_TIME = 5_000


def record(
    *,
    org: Organisation | None,
    actor: Actor,
    action: str,
    target: str = "",
    using: str = DEFAULT_DB_ALIAS,
    **detail: Any,
) -> None:
    """Add one entry, in the transaction of what it records."""
    AuditEntry.objects.using(using).create(
        org=org, actor=actor.audit_name, action=action, target=target, origin=actor.origin, detail=detail
    )


def seal_entries(using: str = DEFAULT_DB_ALIAS) -> int:
    """Seal what is not sealed yet; answers how many entries that were."""
    sealed = 0
    while count := _call("seal_audit()", using):
        sealed += count
    return sealed


def keep_partitions() -> int:
    """Make room for the next year; drop years that are older than seven. Answers how many were dropped."""
    return _call(f"keep_audit_partitions({KEEP_YEARS})", DEFAULT_DB_ALIAS)


@dataclass(frozen=True)
class Finding:
    """Something that should not be."""

    entry_id: int
    message: str


@dataclass(frozen=True)
class Verified:
    """`digest` is the last seal's: whoever notes it down can tell later whether anything before it was changed."""

    entries: int
    unsealed: int
    digest: bytes
    findings: list[Finding]


def verify_trail(using: str = DEFAULT_DB_ALIAS) -> Verified:
    """Make every seal again, from the entries themselves; to be done by one who may see all of them.

    Entries of years that were dropped keep their seals, so that the chain holds over them.
    """
    digest, place, entries, findings = b"", 0, 0, list[Finding]()
    kept_since = datetime(timezone.now().year - KEEP_YEARS, 1, 1, tzinfo=UTC)
    for link in _links(using):
        place += 1
        if link.seal_id != place:
            findings.append(Finding(link.entry_id, f"seal {place} is missing"))
        elif link.digest != sha256(digest + link.content).digest():
            findings.append(Finding(link.entry_id, f"seal {place} does not follow from the one before"))
        place, digest = link.seal_id, link.digest
        if link.text is not None:
            entries += 1
            if sha256(link.text.encode()).digest() != link.content:
                findings.append(Finding(link.entry_id, "the entry was changed"))
        elif link.entry_at >= kept_since:
            findings.append(Finding(link.entry_id, "the entry was removed"))
    return Verified(entries, _count_unsealed(using), digest, findings)


def has_seal(digest: bytes) -> bool:
    return AuditSeal.objects.filter(digest=digest).exists()


@dataclass(frozen=True)
class _Link:
    """A seal, and what the entry that it was made over says now."""

    seal_id: int
    entry_id: int
    entry_at: datetime
    content: bytes
    digest: bytes
    text: str | None


def _links(using: str) -> Iterator[_Link]:
    after = 0
    with connections[using].cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT s.id, s.entry_id, s.entry_at, s.content, s.digest, public.audit_content(e)"
                " FROM public.orgs_auditseal AS s"
                " LEFT JOIN public.orgs_auditentry AS e ON e.id = s.entry_id AND e.at = s.entry_at"
                " WHERE s.id > %s ORDER BY s.id LIMIT %s",
                [after, AT_A_TIME],
            )
            rows = cursor.fetchall()
            for seal_id, entry_id, entry_at, content, digest, text in rows:
                yield _Link(seal_id, entry_id, entry_at, bytes(content), bytes(digest), text)
            if len(rows) < AT_A_TIME:
                return
            after = rows[-1][0]


def _count_unsealed(using: str) -> int:
    """Entries older than a minute without a seal; younger ones are still to be sealed."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM public.orgs_auditentry AS e WHERE e.at < now() - interval '1 minute'"
            " AND NOT EXISTS (SELECT FROM public.orgs_auditseal AS s WHERE s.entry_id = e.id)"
        )
        return int(cursor.fetchone()[0])


def _call(function: str, using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT public.{function}")
        return int(cursor.fetchone()[0])
