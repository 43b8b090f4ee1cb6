"""Takes personal data out of a line before the line is stored anywhere.

IP addresses become an HMAC under the organisation's key, e-mail addresses and phone numbers the base64 SHA-256 of
their normal form (UID2's rules, so that they can be matched later). A line that is not JSON has them blotted out.
"""

import base64
import hashlib
import hmac
import re
from typing import Any

import msgspec

MARKERS = (b'"ip', b"@", b'"email', b'"phone', b"ip_address")
IP_KEYS = frozenset({"ip", "ip_address", "ipv6_address", "client_ip"})
EMAIL_KEYS = frozenset({"email", "email_address", "e_mail"})
PHONE_KEYS = frozenset({"phone", "phone_number", "mobile"})
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_LOOSE = re.compile(
    rb"[\w.+-]+@[\w-]+\.[\w.-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\b"
)


def scrub(line: bytes, key: bytes) -> bytes:
    """The line without raw personal data; a line that has none comes back untouched."""
    if not any(marker in line for marker in MARKERS):
        return line
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _LOOSE.sub(b"[removed]", line)
    return msgspec.json.encode(_scrub(value, key))


def hash_email(address: str) -> str:
    """UID2: trimmed, lower case; for gmail.com dots and `+…` of the name are dropped."""
    name, _, domain = address.strip().lower().partition("@")
    if domain == "gmail.com":
        name = name.split("+")[0].replace(".", "")
    return _sha256(f"{name}@{domain}")


def hash_phone(number: str) -> str:
    return _sha256("+" + re.sub(r"\D", "", number))


def hash_ip(address: str, key: bytes) -> str:
    return "ip-" + hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()[:32]


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _scrub(value: Any, key: bytes, name: str = "") -> Any:
    if isinstance(value, dict):
        return {field: _scrub(inner, key, field.lower()) for field, inner in value.items()}
    if isinstance(value, list):
        return [_scrub(inner, key, name) for inner in value]
    return _scrub_text(value, key, name) if isinstance(value, str) and value else value


def _scrub_text(value: str, key: bytes, name: str) -> str:
    if name in IP_KEYS and not value.startswith("ip-"):
        return hash_ip(value, key)
    if name in PHONE_KEYS:
        return hash_phone(value)
    return hash_email(value) if name in EMAIL_KEYS or EMAIL.match(value) else value
