"""Raw personal data never gets past the door."""

import json

import pytest

from apps.events.privacy import IP_NAMES, PHONE_NAMES, hash_email, hash_phone, scrub

KEY, OTHER = b"k" * 32, b"o" * 32


def test_published_uid2_hashes() -> None:
    assert hash_email("user@example.com") == "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="
    assert hash_email(" JANE.SAOIRSE@gmail.com ") == "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="
    assert hash_email("janesaoirse+shop@gmail.com") == hash_email("JANE.SAOIRSE@gmail.com")


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        (b'{"context":{"ip":"203.0.113.9"}}', b"203.0.113.9"),
        (b'{"user_id":"Ann@Example.com"}', b"Ann@Example.com"),
        (b'{"user_id":"ann\\u0040example.com"}', b"example"),
        (b'{"\\u0069p":"203.0.113.9"}', b"203.0.113.9"),
        (b'{"note":"call ann@example.com, soon"}', b"ann@example.com"),
        (b'{"url":"https://shop.example/?mail=ann@example.com&x=1"}', b"ann@example.com"),
        (b'{"properties":{"customer":[{"email":"ann@example.com"}]}}', b"ann@example.com"),
        (b'{"broken": "ann@example.com", "ip": 198.51.100.7', b"ann@example.com"),
        (b'{"broken": "ann@example.com", "ip": 198.51.100.7', b"198.51.100.7"),
        (b"click,203.0.113.9,+1 415 555 1234", b"203.0.113.9"),
        (b"click,203.0.113.9,+1 415 555 1234", b"555 1234"),
        (b'{"url":"https://shop.example/?mail=jane%40example.com"}', b"jane"),
        ("{'mail': 'ann@example.com'}".encode("utf-16"), b"a\x00n\x00n"),
        (b'{"ip": "2001:db8::7", ', b"2001:db8::7"),
        (b'{"phone": "+1 (212) 555-0100", ', b"555-0100"),
    ],
)
def test_what_must_be_gone(line: bytes, gone: bytes) -> None:
    assert gone not in scrub(line, KEY)


def test_amounts_beside_an_address_keep_their_digits() -> None:
    numbers = b"[1234567890123.123456789012345678,0.1,-0.0,12345678901234567890,1E+400]"
    kept = scrub(b'{"user_id":"ann@example.com","properties":{"revenue":' + numbers + b"}}", KEY)
    assert numbers in kept


@pytest.mark.parametrize("name", sorted(IP_NAMES))
def test_an_address_is_found_under_every_name(name: str) -> None:
    known = {name, name.upper(), name.title(), name.replace("addr", "_addr"), name.replace("ip", "ip_").rstrip("_")}
    for spelling in known:
        for value in ("203.0.113.9", "2001:db8::7"):
            for indent in (None, 1):
                line = json.dumps({"context": {spelling: value}}, indent=indent).encode()
                assert value.encode() not in scrub(line, KEY), line


@pytest.mark.parametrize("name", sorted(PHONE_NAMES))
@pytest.mark.parametrize("value", ["+1 212 555 0100", 12125550100])
def test_a_number_is_found_under_every_name(name: str, value: str | int) -> None:
    hashed = hash_phone("12125550100").encode()
    for spelling in (name, name.upper(), name.title(), name.replace("number", "_number")):
        for separators in ((",", ":"), (", ", " : ")):
            line = json.dumps({spelling: value}, separators=separators).encode()
            assert hashed in scrub(line, KEY), line


def test_an_ip_hash_depends_on_the_organisation_and_is_stable() -> None:
    line = b'{"context":{"ip":"203.0.113.9"}}'
    assert scrub(line, KEY) == scrub(line, KEY) != scrub(line, OTHER)
    assert scrub(scrub(line, KEY), KEY) == scrub(line, KEY)


@pytest.mark.parametrize(
    "line",
    [
        b'{"event_type": "click",  "user_id": "u1"}',
        b'{"context": {"device": {"type": "mobile"}, "geo": {"zip": "10013"}}}',
    ],
)
def test_a_line_without_personal_data_is_untouched(line: bytes) -> None:
    assert scrub(line, KEY) is line


def test_a_made_up_line_takes_time_in_proportion_to_its_length() -> None:
    """A quadratic pattern would take minutes here."""
    word = b"a" * 900_000
    assert scrub(b'{"x":"' + word + b' @"}', KEY)
    assert scrub(word + b" @ " + b":" * 50_000, KEY)


def test_what_is_nested_too_deeply_is_blotted() -> None:
    assert b"ann@" not in scrub(b"[" * 5_000 + b'"ann@example.com"' + b"]" * 5_000, KEY)


def test_what_only_looks_like_an_address_stays() -> None:
    line = b'{"url":"https://medium.com/@user.name/post"}'
    assert scrub(line, KEY) == line
