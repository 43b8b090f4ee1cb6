"""What is said of a wrong line is for people: no decoder's words, and what would be right."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.canonical import Rejection, decode
from apps.events.edge.http import Problem
from apps.events.edge.judging import items_of
from apps.events.quality import CODES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("x" * 2_000) | st.just(-1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "event_type", "timestamp", "event_id", "user_id", "source", "utm", "context", "properties", "consent", "metadata",
    "attribution",
)  # fmt: skip


def told(members: str = "", *, at: str = '"2026-11-20T00:00:00Z"') -> str:
    found = decode(f'{{"event_type":"click","timestamp":{at}{members}}}'.encode())
    assert isinstance(found, Rejection)
    return found.message


@pytest.mark.parametrize(
    ("message", "right"),
    [
        (told(at="5"), "This is a whole number; give a time such as 2026-01-31T12:00:00Z."),
        (told(at='"soon"'), "This is no time; give one such as 2026-01-31T12:00:00Z."),
        (told(at='"2026-11-20T00:00:00"'), "This time lacks its zone; end it with Z or with +02:00."),
        (told(',"user_id":{}'), "This is an object {…}; give a whole number or text."),
        (told(f',"user_id":"{"x" * 300}"'), "This is too long; give at most 256 characters."),
        (told(',"consent":{"status":"maybe"}'), "'maybe' is not known; use one of granted, denied, unknown."),
        (told(',"properties":{"revenue":"x"}'), "This is no amount; give a number such as 19.90."),
        (
            told(',"attribution":{"data_contributors":[{"id":"a","weight":-1}]}'),
            "This number is out of range; give at least 0.",
        ),
    ],
)
def test_what_would_be_right(message: str, right: str) -> None:
    assert message == right


@pytest.mark.parametrize("line", [b"", b"{", b'{"event_type":'])
def test_an_empty_or_cut_line(line: bytes) -> None:
    found = decode(line)
    assert isinstance(found, Rejection)
    assert found.message == "This is empty or ends too early; send one whole JSON object."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[1,", "The body is not one whole JSON array."),
        (b"[1 2]", "The body is not one whole JSON array: expected ',' or ']' at byte 4."),
    ],
)
def test_a_batch_that_is_no_array(body: bytes, words: str) -> None:
    with pytest.raises(Problem, match=re.escape(words)):
        items_of(body)


def test_an_unknown_type_is_answered_by_the_known_ones() -> None:
    found = decode(b'{"event_type":"nope","timestamp":"2026-11-20T00:00:00Z"}')
    assert isinstance(found, Rejection)
    assert found.message.startswith("'nope' is not known; use one of page_view, click, impression,")


@given(st.sampled_from(FIELDS), JSON, st.sampled_from(["platform", "geo", "device", "status", "data_contributors"]))
def test_no_word_of_the_decoder_gets_out(field: str, value: object, inner: str) -> None:
    for wrong in (value, {inner: value}, [{inner: value}]):
        event = {"event_type": "click", "timestamp": "2026-11-20T00:00:00Z", field: wrong}
        found = decode(json.dumps(event).encode())
        if isinstance(found, Rejection):
            assert not any(word in found.message for word in ("Expected", "Invalid", "enum", "RFC3339", "`")), found


def test_no_code_speaks_of_the_command_line() -> None:
    assert not [meaning for meaning in CODES.values() if "--" in meaning]
