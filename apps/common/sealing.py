"""Secrets as the database keeps them: encrypted under a key that is derived from `CREDENTIALS_KEY` and from what the
secret is for, so that a value copied elsewhere opens nothing there."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.common.errors import InvalidInput


def seal(purpose: str, secret: str) -> bytes:
    return _box(purpose).encrypt(secret.encode())


def unseal(purpose: str, sealed: bytes) -> str:
    try:
        return _box(purpose).decrypt(sealed).decode()
    except InvalidToken as error:
        raise InvalidInput(
            "The stored secret cannot be read since this installation's own secret was changed. Enter it again."
        ) from error


def _box(purpose: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.CREDENTIALS_KEY.encode())))
