"""Takes personal data out of a line before the line is stored anywhere.

IP addresses become an HMAC under the organisation's key, e-mail addresses and phone numbers the base64 SHA-256 of
their normal form (UID2's rules, so that they can be matched later). A line that is not JSON has them blotted out.

E-mail addresses, IP addresses and international phone numbers are found wherever they stand; whatever else is a phone
number, by the name of its member or of its parameter in a URL.
"""

import base64
import hashlib
import hmac
import re
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote_plus

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
# Members that have `phone` in their name and count something.
COUNTS = re.compile(r"calls|clicks|impressions|conversions|views|costs?$|rate|count|sales|leads|installs|model|type")
TEL = re.compile(r"(?:^|[^A-Za-z])(?i:tel|mobile|cell)$|[a-z](?:Tel|Mobile|Cell)$")
PERSON_NAMES = frozenset(["userid", "anonymousid", "customerid", "personid", "externalid"])
# Four numbers with dots between them are a version there.
VERSION = re.compile(r"version|build|firmware|useragent|sdk|browser|os$")
LONGEST_KNOWN_NAME = 64
OPTIONS = re2.Options()
OPTIONS.case_sensitive = False
# A line without any of these cannot hold what is looked for; most lines pass at this gate. RE2, because the standard
# library's `re` takes twenty times as long. `zip` is in most events and no address, `Chrome/120.0.0.0` is a version.
PERHAPS = re2.compile(
    rb'@|%40|\\u|[^z]ip["=]|ip[^a-z0-9"]*v[46]|addr|forwarded|phone|msisdn|tel["=]|mobile[^a-z0-9"]*number'
    rb'|(?:mobile|cell)(?:"\s*:|=)'
    rb"|(?:[^a-z0-9]|\\[nrt])(?:\+|%2b)[ (]?[1-9](?:[ ().-]{0,2}\d){6}"
    rb'|id"\s*:\s*"\(?\d{3}[ ).-]{1,2}\d{3}[ .-]\d{4}"'
    rb"|(?:[^\w./-]|[/\\]/|\\[nrt])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d"
    rb"|[0-9a-f]:[0-9a-f]{0,4}:[0-9a-f]{0,4}:|[0-9a-f]::",
    OPTIONS,
)
# RE2 here too: its time grows with the text and not with its square, whatever a sender makes up.
EMAIL = re2.compile(r"[\pL\pN_.+%'-]+(?:@|%40)[\pL\pN_-]+(?:\.[\pL\pN_-]+)+")
# An international number, written with its plus; in a URL a plus between words is a space.
PHONE = re2.compile(r"(^|[^\w+])(?:\+|%2[Bb])([ (]?[1-9](?:[ ().-]{0,2}\d){6,14})")
NATIONAL = re.compile(r"\(?\d{3}[ ).-]{1,2}\d{3}[ .-]\d{4}")
PHONE_SHAPED = re.compile(r"[\d\s().+/-]+(?:(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)
# The whole word that perhaps is an address.
DOTTED = re2.compile(r"(^|[^\w./-]|//)(\d{1,3}\.\d[\w.-]*)")
COLONS = re2.compile(r"\w+:[\w:]*:[\w:]*")
PARAMETER = re2.compile(r"((?:^|[?&;#])([\w.%\[\]-]{1,64})=)([^&;#\s]+)")
HASHED = re.compile(r"[A-Za-z0-9+/]{43}=|[0-9a-fA-F]{64}")
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
        return {field: _scrub(inner, key, _meaning_of(field)) for field, inner in value.items()}
    if isinstance(value, list):
        return [_scrub(inner, key, name) for inner in value]
    if isinstance(value, str) and value:
        return _scrub_text(value, key, name)
    if name in ("phone", "like phone") and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return hash_phone(str(value)) if name == "phone" or _is_phone(str(value)) else value
    return value


def _meaning_of(name: str) -> str:
    return _meaning(name) if len(name) <= LONGEST_KNOWN_NAME else _meaning.__wrapped__(name)


@lru_cache(4096)
def _meaning(name: str) -> str:
    """What a member or a parameter of this name holds, as far as it matters here."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in IP_NAMES:
        return "ip"
    if plain in PHONE_NAMES:
        return "phone"
    if ("phone" in plain and not COUNTS.search(plain)) or TEL.search(name):
        return "like phone"
    if plain in PERSON_NAMES:
        return "person"
    return "version" if VERSION.search(plain) else ""


def _scrub_text(value: str, key: bytes, name: str) -> str:
    if name == "ip" and not value.startswith("ip-"):
        return hash_ip(value, key)
    if HASHED.fullmatch(value):
        return value
    if name == "phone" and re.search(r"\d{5}", re.sub(r"\D", "", value)):
        return hash_phone(value)
    if (name == "like phone" and _is_phone(value)) or (name == "person" and NATIONAL.fullmatch(value)):
        return hash_phone(value)
    return _scrub_words(value, key, name)


def _scrub_words(value: str, key: bytes, name: str) -> str:
    """Whatever the text is about: the addresses and numbers that stand in it."""
    if "=" in value:
        value = str(PARAMETER.sub(lambda found: found[1] + _scrub_parameter(found[2], found[3], key), value))
    if "@" in value or "%40" in value:
        value = str(EMAIL.sub(lambda found: hash_email(found[0]), value))
    if "+" in value or "%2" in value:
        value = str(PHONE.sub(lambda found: found[1] + _hash_if_phone(found[0][len(found[1]) :]), value))
    if "." in value and name != "version":
        value = str(DOTTED.sub(lambda found: found[1] + _hash_if_ip(found[2], key), value))
    return str(COLONS.sub(lambda found: _hash_if_ip(found[0], key), value)) if value.count(":") > 1 else value


def _scrub_parameter(name: str, value: str, key: bytes) -> str:
    meaning, text = _meaning(name), unquote_plus(value)
    if meaning == "ip":
        return _hash_if_ip(text, key) if _is_ip(text) else value
    return hash_phone(text) if meaning in ("phone", "like phone") and _is_phone(text) else value


def _hash_if_phone(written: str) -> str:
    digits = re.sub(r"\D", "", unquote_plus(written.replace("+", "")))
    # One dot only makes a decimal number.
    return written if written.count(".") == 1 else hash_phone(digits)


def _is_phone(text: str) -> bool:
    return 7 <= sum(map(str.isdigit, text)) <= 20 and PHONE_SHAPED.fullmatch(text) is not None


def _hash_if_ip(word: str, key: bytes) -> str:
    """A full stop may end the sentence after an address."""
    address = word.rstrip(".-")
    return hash_ip(address, key) + word[len(address) :] if _is_ip(address) else word


def _is_ip(text: str) -> bool:
    """Of some machine in the world: a loopback address is nobody's."""
    try:
        return not ip_address(text).is_loopback
    except ValueError:
        return False
