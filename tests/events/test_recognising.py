"""Formats know their own files by how they begin."""

import gzip
from pathlib import Path

import pytest

from apps.events.formats.reds import FEEDS
from apps.events.formats.registry import recognise
from apps.events.uploads.looking import beginning_of, look_at

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real input is not at {SHARED}")
TIME, GUID = "2026-11-24T10:00:00.123", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"


def recognised(text: str) -> str:
    found = recognise(beginning_of(text.encode()))
    return found.name if found else ""


def reds(feed: str, *more: str, **values: str) -> str:
    known = {"LogEntryTime": TIME, "ProcessedTime": TIME, "TDID": GUID, "IPAddress": "203.0.113.0", **values}
    return "\t".join([*(known.get(column, "x") for column in FEEDS[feed]["5"]), *more]) + "\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"event_type": "click"}\n', "ndjson"),
        ('\ufeff\n  {"event_type": "click"}\n', "ndjson"),
        ("path;total_conversions;total_conversion_value;total_null\n", "paths"),
        ("event_timestamp | campaign_id | event_type | cost_usd\n", "reds-pipes"),
        ("auction_id,bid_time_epoch_in_usecs,clearing_price_micros_usd,campaign_id\n", "beeswax-win"),
        ("auction_id,bid_time_epoch_in_usecs,bid_price_micros_usd,campaign_id\n", "beeswax-bid"),
        ("conversion_id,rx_timestamp_utc,value,user_id\n", "beeswax-conversion"),
        (reds("impressions", AdvertiserCostInUSD="0.01"), "reds-impressions"),
        (reds("impressions", "new", "newer", AdvertiserCostInUSD="1E-5"), "reds-impressions"),
        (reds("clicks"), "reds-clicks"),
        (reds("clicks", "1", "2", "3", "4"), "reds-clicks"),
        (reds("conversions", MonetaryValueCurrency="EUR"), "reds-conversions"),
        (reds("videoevents", VideoEvent="midpoint"), "reds-video"),
        ("Campaign,Day,Cost\nautumn,2026-11-01,12.5\n", ""),
        ("hello", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_formats_are_recognised(text: str, name: str) -> None:
    assert recognised(text) == name


@needs_shared
@pytest.mark.parametrize("kind", ["win", "bid", "conversion"])
def test_the_vendors_samples_are_recognised(kind: str) -> None:
    look = look_at(SHARED / "events" / "beeswax" / "batch" / "samples" / f"{kind}_log.csv.gz")
    assert look.format == f"beeswax-{kind}"
    assert look.exact


def test_lines_of_a_large_file_are_estimated(tmp_path: Path) -> None:
    line = b'{"event_type": "click"}' + b" " * 177 + b"\n"
    plain, packed = tmp_path / "plain.ndjson", tmp_path / "packed.ndjson.gz"
    plain.write_bytes(line * 150_000)
    packed.write_bytes(gzip.compress(line * 150_000, 1))
    for path in (plain, packed):
        look = look_at(path)
        assert not look.exact
        assert look.lines is not None
        assert abs(look.lines - 150_000) < 15_000
