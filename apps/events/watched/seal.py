"""Access keys of watched buckets, as they are kept: encrypted under a key of the organisation's own.

That key is derived from `CREDENTIALS_KEY` and the organisation's id, so that a value copied into another
organisation's schema opens nothing there.
"""

import base64
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.common.errors import InvalidInput


def seal(org_id: UUID, secret: str) -> bytes:
    return _box(org_id).encrypt(secret.encode())


def unseal(org_id: UUID, sealed: bytes) -> str:
    try:
        return _box(org_id).decrypt(sealed).decode()
    except InvalidToken as error:
        raise InvalidInput(
            "The stored access key cannot be read since this installation's secret was changed. Enter it again."
        ) from error


def _box(org_id: UUID) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=f"watched-source:{org_id}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.CREDENTIALS_KEY.encode())))
