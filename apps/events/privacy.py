"""Takes personal data out of a line before the line is stored anywhere.

IP addresses become an HMAC under the organisation's key, e-mail addresses and phone numbers the base64 SHA-256 of
their normal form (UID2's rules, so that they can be matched later). A line that is not JSON has them blotted out.

E-mail addresses are found wherever they stand; IP addresses and phone numbers by the name of their member.
"""

import base64
import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any

import msgspec
import re2

from apps.events.canonical import LONGEST_LINE

# Names of members, in lower case and without anything but letters and digits.
IP_NAMES = frozenset(
    [
        "ip", "ipaddress", "ipaddr", "ipv4", "ipv6", "ipv4address", "ipv6address", "clientip", "userip", "deviceip",
        "remoteip", "remoteaddr", "xforwardedfor", "forwardedfor",
    ]
)  # fmt: skip
PHONE_NAMES = frozenset(
    ["phone", "phonenumber", "telephone", "tel", "mobile", "mobilenumber", "mobilephone", "cellphone", "msisdn"]
)
OPTIONS = re2.Options()
OPTIONS.case_sensitive = False
# A line without any of these cannot hold what is looked for; most lines pass at this gate. RE2, because the standard
# library's `re` takes twenty times as long. `zip` is in most events and no address.
PERHAPS = re2.compile(
    rb'@|%40|\\u|[^z]ip"|ip[^a-z0-9"]*v[46]|addr|forwarded|phone|msisdn|tel"|mobile[^a-z0-9"]*number|mobile"\s*:',
    OPTIONS,
)
# RE2 here too: its time grows with the text and not with its square, whatever a sender makes up.
EMAIL = re2.compile(r"[\pL\pN_.+%'-]+(?:@|%40)[\pL\pN_-]+(?:\.[\pL\pN_-]+)+")
LOOSE = re2.compile(
    rb"\d{4}-\d\d-\d\d"  # a date, which stays
    rb"|[\w.+%'-]+(?:@|%40)[\w.-]+"
    rb"|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    rb"|(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}|[0-9a-fA-F:]*::[0-9a-fA-F:]*"
    rb"|\+?\(?\d[\d ().-]{7,}\d"
)
DATE = re2.compile(rb"\d{4}-\d\d-\d\d")
# Amounts keep their digits: a double has sixteen.
DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")


def scrub(line: bytes, key: bytes) -> bytes:
    """The line without raw personal data; a JSON object that has none comes back untouched."""
    if not PERHAPS.search(line):
        return line if _looks_like_object(line) else blot(line)
    if len(line) > LONGEST_LINE:
        return blot(line)
    try:
        return ENCODER.encode(_scrub(DECODER.decode(line), key))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return blot(line)


def blot(line: bytes) -> bytes:
    """What is not JSON, with everything taken out that looks like an address or a telephone number."""
    if b"\x00" in line:
        return b"[not text]"
    return bytes(LOOSE.sub(lambda found: found[0] if DATE.fullmatch(found[0]) else b"[removed]", line))


def _looks_like_object(line: bytes) -> bool:
    text = line.strip()
    return text[:1] == b"{" and text[-1:] == b"}"


def hash_email(address: str) -> str:
    """UID2: trimmed, lower case; for gmail.com dots and `+…` of the name are dropped."""
    name, _, domain = address.strip().lower().replace("%40", "@").partition("@")
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
        return {field: _scrub(inner, key, re.sub(r"[^a-z0-9]", "", field.lower())) for field, inner in value.items()}
    if isinstance(value, list):
        return [_scrub(inner, key, name) for inner in value]
    if isinstance(value, str) and value:
        return _scrub_text(value, key, name)
    if name in PHONE_NAMES and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return hash_phone(str(value))
    return value


def _scrub_text(value: str, key: bytes, name: str) -> str:
    if name in IP_NAMES and not value.startswith("ip-"):
        return hash_ip(value, key)
    if name in PHONE_NAMES and re.search(r"\d{5}", re.sub(r"\D", "", value)):
        return hash_phone(value)
    return str(EMAIL.sub(lambda found: hash_email(found[0]), value)) if "@" in value or "%40" in value else value
