"""Access keys of watched buckets, as they are kept: each opens in its own organisation only."""

from uuid import UUID

from apps.common import sealing


def seal(org_id: UUID, secret: str) -> bytes:
    return sealing.seal(_purpose(org_id), secret)


def unseal(org_id: UUID, sealed: bytes) -> str:
    return sealing.unseal(_purpose(org_id), sealed)


def _purpose(org_id: UUID) -> str:
    return f"watched-source:{org_id}"
