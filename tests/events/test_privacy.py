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
        (b'{"billing_phone":"212 555 0115"}', b"0115"),
        (b'{"customer_phone":"212-555-0142 x12"}', b"0142"),
        (b'{"work_tel":"2125550142"}', b"0142"),
        (b'{"phone_home":2125550142}', b"0142"),
        (b'{"user_id":"212-555-0142"}', b"0142"),
        (b'{"text":"ring +12125550116"}', b"0116"),
        (b'{"text":"ring\\n+1 (212) 555-0116."}', b"0116"),
        (b'{"text":"ring \\u002b12125550116"}', b"0116"),
        (b'{"url":"https://x.com/?a=b&tel=%2B12125550123"}', b"0123"),
        (b'{"url":"https://x.com/?billing%5Bphone%5D=212-555-0123&x=1"}', b"0123"),
        (b'{"url":"https://x.com/?mobile=+12125550123"}', b"0123"),
        (b'{"addr":"198.51.100.8"}', b"198.51"),
        (b'{"text":"from 198.51.100.8, twice"}', b"198.51"),
        (b'{"text":"from\\n198.51.100.8."}', b"198.51"),
        (b'{"url":"http://198.51.100.8:80/x?from=198.51.100.9"}', b"198.51"),
        (b'{"text":"192.0.2.1 198.51.100.8"}', b"198.51"),
        (b'{"text":"+12125550115 +12125550116 2026-11-01"}', b"0116"),
        (b'{"text":"from 2001:db8::7"}', b"2001:db8"),
        (b'{"url":"https://x.com/?ip=2001%3Adb8%3A%3A7"}', b"db8"),
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
        b'{"user_agent": "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"}',
        b'{"timestamp": "2026-11-01T12:30:45+00:00", "price": "1.25", "mac": "a1b2c3"}',
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


@pytest.mark.parametrize(
    "line",
    [
        b'{"url":"https://medium.com/@user.name/post"}',
        b'{"app_version":"10.2.3.4","version":"1.2.3.4"}',
        b'{"text":"999.1.2.3 and 1.2.3.4.5, v1.2.3.4 and aa:bb:cc:dd:ee:ff, std::vector"}',
        b'{"headphones":"WH-1000XM512345","phone_calls":1234567,"phone_model":"9005551234","hotel":"5551234567"}',
        b'{"lift":"+40.7128000","url":"https://x.com/?q=shoes+12345678901&hotel=12345678901"}',
        b'{"phone":"' + hash_phone("12125550100").encode() + b'"}',
    ],
)
def test_what_only_looks_like_an_address_or_a_number_stays(line: bytes) -> None:
    assert scrub(line, KEY) == line


def test_a_number_has_one_hash_wherever_it_stands() -> None:
    hashed = hash_phone("12125550166").encode()
    for line in (
        b'{"user_id":"+12125550166"}',
        b'{"text":"ring +1 212-555-0166"}',
        b'{"url":"https://x.com/?tel=%2B12125550166"}',
    ):
        assert hashed in scrub(line, KEY), line
        assert scrub(scrub(line, KEY), KEY) == scrub(line, KEY)


def test_a_long_name_is_not_remembered() -> None:
    name = b"x" * 100_000 + b"_phone"
    assert b"0142" not in scrub(b'{"' + name + b'":"212-555-0142"}', KEY)
