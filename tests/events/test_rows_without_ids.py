"""Rows to which the vendor gave no id: each is an event of its own, by the hash of its line."""

import csv
import io
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from apps.events.canonical import Event, decode
from apps.events.formats.base import ReadOptions, event_id_of
from apps.events.formats.beeswax import COLUMNS
from apps.events.formats.reds import FEEDS
from apps.events.formats.registry import get_format

OPTIONS = ReadOptions(end=datetime(2026, 11, 21, tzinfo=UTC))
AT = "1732456805000001"
# The columns that make a row one of its kind, by format; and where the id stands.
ROWS = {
    "beeswax-win": ({"bid_time_epoch_in_usecs": AT, "clearing_price_micros_usd": "1", "clicks": "1"}, "auction_id"),
    "beeswax-bid": ({"bid_time_epoch_in_usecs": AT, "bid_price_micros_usd": "1"}, "auction_id"),
    "beeswax-conversion": ({"rx_timestamp_utc": "2024/11/24 14:00:05", "value": "1"}, "conversion_id"),
    "reds-impressions": ({"LogEntryTime": "2024-11-24T14:00:05", "AdvertiserCostInUSD": "0.1"}, "ImpressionId"),
    "reds-clicks": ({"LogEntryTime": "2024-11-24T14:00:05"}, "ClickId"),
    "reds-conversions": ({"LogEntryTime": "2024-11-24T14:00:05"}, "ConversionId"),
    "reds-video": ({"LogEntryTime": "2024-11-24T14:00:05", "VideoEvent": "start"}, "ImpressionId"),
}
NOBODYS = ["", " ", "N/A", "UNKNOWN", "-1", "0", "[AUCTION_ID]", "${ID}", "{{ID}}", "%%TTD_IMPRESSIONID%%",
           "00000000-0000-0000-0000-000000000000"]  # fmt: skip


def written(name: str, *rows: dict[str, str]) -> bytes:
    """A file of the format, whose rows have a second column that tells them apart."""
    vendor, _, kind = name.partition("-")
    columns = COLUMNS[kind] if vendor == "beeswax" else FEEDS["videoevents" if kind == "video" else kind]["5"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if vendor == "beeswax" else "\t", lineterminator="\n")
    if vendor == "beeswax":
        writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def ids(name: str, *rows: dict[str, str]) -> list[str]:
    """As the ingestor gives them."""
    found = []
    for line in get_format(name).read(io.BytesIO(written(name, *rows)), OPTIONS):
        event, _ = decode(line)
        assert isinstance(event, Event), line
        found.append(str(event.event_id) if event.event_id is not None else sha256(line).hexdigest())
    return found


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.parametrize("nobodys", NOBODYS)
def test_what_stands_for_no_id_makes_no_two_events_one(name: str, nobodys: str) -> None:
    base, column = ROWS[name]
    told_apart = [{"campaign_id": "a", "CampaignId": "a", "user_id": "a", "TDID": "a", "OrderId": "a", "Site": "a",
                   "VideoPlayTimeInSeconds": "1"},
                  {"campaign_id": "b", "CampaignId": "b", "user_id": "b", "TDID": "b", "OrderId": "b", "Site": "b",
                   "VideoPlayTimeInSeconds": "2"}]  # fmt: skip
    found = ids(name, *({**base, column: nobodys, **more} for more in told_apart))
    assert len(found) == len(set(found)) >= 2


@pytest.mark.parametrize("name", sorted(ROWS))
def test_an_id_of_the_vendors_makes_two_rows_one_event(name: str) -> None:
    base, column = ROWS[name]
    found = ids(name, {**base, column: "1732456805000001.7"}, {**base, column: "1732456805000001.7", "deal_id": "x"})
    assert len(set(found)) == len(found) / 2


def test_an_id_is_made_of_all_its_parts_or_not_at_all() -> None:
    assert event_id_of("a", "1", "click") == "a-1-click"
    assert event_id_of("a", None) is event_id_of("a", "1", "N/A") is None
    assert json.dumps(event_id_of("a", "0x0")) == '"a-0x0"'
