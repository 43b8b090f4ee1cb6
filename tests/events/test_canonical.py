"""Lines become events, or rejections with a stable code and the field."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.canonical import Rejection, decode
from apps.events.preparing import PART, Sorted, sort

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROOF_FORM = b"""{"event_type": "impression", "timestamp": "2026-11-15T10:30:00Z", "campaign_id": "madhive_12345",
"cohort_id": "eco_urban_renters_10013", "proof_hash": "0x7d3f", "metadata": {"dsp": "beeswax",
"publisher": "discovery_plus", "geo": {"zip": "10013", "dma": "501"}, "device": "ctv", "creative_id": "cr_789",
"bid_price": 23.50, "clearing_price": 19.00}, "attribution": {"data_contributors": [
{"id": "broadcaster_x", "signal_type": "viewing_behavior", "weight": 0.3}]}}"""
WEBHOOK_FORM = b"""{"event_type": "conversion", "timestamp": "2026-11-12T14:30:00Z", "user_id": "user_123",
"properties": {"revenue": 99.99, "currency": "USD"}}"""


def sort_one(lines: list[bytes], *, now: datetime, history: bool) -> Sorted:
    parts = list(sort(lines, now=now, history=history))
    return parts[0] if parts else Sorted([], [])


def rejection(line: bytes, *, history: bool = False) -> Rejection:
    found = sort_one([line], now=NOW, history=history).rejected
    assert len(found) == 1
    return found[0].why


@pytest.mark.parametrize("line", [PROOF_FORM, WEBHOOK_FORM])
def test_both_forms_are_read(line: bytes) -> None:
    assert not isinstance(decode(line), Rejection)
    assert len(sort_one([line], now=NOW, history=False).accepted) == 1


def line(**fields: str) -> bytes:
    members = {"event_type": '"impression"', "timestamp": '"2026-11-20T00:00:00Z"', **fields}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items() if value) + "}").encode()


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (b"not json", "malformed_json", ""),
        (b'{"event_type": "impression"', "malformed_json", ""),
        (b'{"event_type": "\xff"}', "malformed_json", ""),
        (b"[]", "wrong_type", ""),
        (line(timestamp=""), "missing_field", "timestamp"),
        (line(event_type=""), "missing_field", "event_type"),
        (line(event_type='"view"'), "unknown_event_type", "event_type"),
        (line(timestamp='"yesterday"'), "wrong_type", "timestamp"),
        (line(timestamp='"2026-11-20T00:00:00"'), "wrong_type", "timestamp"),
        (line(timestamp='"2026-11-21T12:05:01Z"'), "timestamp_in_future", "timestamp"),
        (line(timestamp='"2026-08-22T00:00:00Z"'), "timestamp_too_old", "timestamp"),
        (line(properties='{"revenue": -0.01}'), "negative_money", "properties.revenue"),
        (line(properties='{"cost": "-2E-18"}'), "negative_money", "properties.cost"),
        (line(properties='{"revenue": "NaN"}'), "money_out_of_range", "properties.revenue"),
        (line(properties='{"revenue": 1e30}'), "money_out_of_range", "properties.revenue"),
        (line(properties='{"currency": "usd"}'), "unknown_currency", "properties.currency"),
        (line(properties='"none"'), "wrong_type", "properties"),
        (line(user_id="true"), "wrong_type", "user_id"),
        (line(source='{"platform": "Bad Slug"}'), "wrong_type", "source.platform"),
        (line(metadata='{"clearing_price": -1}'), "negative_money", "metadata.clearing_price"),
        (line(metadata='{"bid_price": "-Infinity"}'), "money_out_of_range", "metadata.bid_price"),
        (line(metadata='{"clearing_price": "sNaN"}'), "money_out_of_range", "metadata.clearing_price"),
        (line(metadata='{"dsp": "Bad Slug"}'), "wrong_type", "metadata.dsp"),
    ],
)
def test_each_rule_has_its_code_and_field(text: bytes, code: str, field: str) -> None:
    found = rejection(text)
    assert (found.code, found.field) == (code, field)
    assert found.message


def test_five_minutes_ahead_and_ninety_days_back_are_still_fine() -> None:
    ahead = line(timestamp='"2026-11-21T12:05:00Z"')
    back = line(timestamp=f'"{(NOW - timedelta(days=90)).isoformat()}"')
    assert len(sort_one([ahead, back], now=NOW, history=False).accepted) == 2


def test_history_takes_what_is_old() -> None:
    assert len(sort_one([line(timestamp='"2018-01-16T00:00:00Z"')], now=NOW, history=True).accepted) == 1


def test_but_nothing_from_before_2000() -> None:
    found = rejection(line(timestamp='"1969-07-20T20:17:00Z"'), history=True)
    assert (found.code, found.field) == ("timestamp_before_2000", "timestamp")


def test_an_id_above_two_to_the_53_is_kept_digit_by_digit() -> None:
    accepted = sort_one(
        [line(event_id="9007199254740993", campaign_id="9007199254740993")], now=NOW, history=False
    ).accepted
    assert accepted[0].event_id == "9007199254740993"


def test_without_an_id_the_content_is_the_id() -> None:
    batch = sort_one([line(user_id='"1"'), line(user_id='"1"'), line(user_id='"2"')], now=NOW, history=False)
    ids = [one.event_id for one in batch.accepted]
    assert ids[0] == ids[1] != ids[2]


def test_money_is_exact() -> None:
    accepted = sort_one([line(properties='{"revenue": 0.1}')], now=NOW, history=False).accepted
    assert str(accepted[0].properties.revenue) == "0.1"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(noise: bytes) -> None:
    assert isinstance(decode(noise), tuple | Rejection)


@given(st.lists(st.one_of(st.just(WEBHOOK_FORM), st.just(PROOF_FORM), st.binary(max_size=20)), max_size=30))
def test_every_line_ends_somewhere(lines: list[bytes]) -> None:
    batch = sort_one(lines, now=NOW, history=False)
    assert len(batch.accepted) + len(batch.rejected) == len(lines)


def test_places_go_on_across_parts() -> None:
    lines = [b"x" if number in {1, PART + 1} else WEBHOOK_FORM for number in range(PART + 2)]
    places = [one.place for part in sort(lines, now=NOW, history=False) for one in part.rejected]
    assert places == [1, PART + 1]
