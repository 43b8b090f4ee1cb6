"""The Trade Desk's REDS in both forms."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.common.errors import InvalidInput
from apps.events.canonical import Rejection, decode
from apps.events.formats.base import ReadOptions
from apps.events.formats.reds import FEEDS
from apps.events.formats.registry import get_format

OPTIONS = ReadOptions(end=datetime(2026, 11, 21, tzinfo=UTC))
PIPES = """event_timestamp | campaign_id | line_item_id | event_type | cost_usd | audience_id | user_id_type |\
 conversion_value
2025-01-15 14:30:25 | 12345 | 67890 | impression | 0.0025 | aud_abc123 | UID2 | 0.00
2025-01-15 14:30:25 | 12345 | 67890 | impression | 0.0025 | aud_abc123 | UID2 | 0.00
2025-01-15 14:45:33 | 12345 | 67890 | conversion | 0.00 | aud_abc123 | UID2 | 150.00
"""


def read(name: str, text: str) -> list[dict[str, Any]]:
    lines = list(get_format(name).read(io.BytesIO(text.encode()), OPTIONS))
    assert not [line for line in lines if isinstance(decode(line), Rejection)]
    return [json.loads(line) for line in lines]


def row(feed: str, *more: str, **values: str) -> str:
    return "\t".join([*(values.get(column, "") for column in FEEDS[feed]["5"]), *more]) + "\n"


def test_an_impression_costs_what_the_advertiser_pays() -> None:
    (made,) = read(
        "reds-impressions",
        row(
            "impressions", LogEntryTime="2025-01-15T14:30:25.1234567", ImpressionId="i-1", CampaignId="c",
            AdGroupId="g", TDID="t-1", AdvertiserCostInUSD="0.0025", MediaCost="0.001", DeviceType="5",
            ZipCode="10013", IPAddress="203.0.113.9",
        ),
    )  # fmt: skip
    assert (made["event_id"], made["timestamp"]) == ("ttd-impression-i-1", "2025-01-15T14:30:25.123456Z")
    assert (made["user_id"], made["source"]["line_item_id"], made["context"]["device"]["type"]) == ("t-1", "g", "ctv")
    assert made["properties"]["cost"] == "0.0025"
    assert "203.0.113.9" not in json.dumps(made)


def test_columns_that_were_added_later_are_passed_over() -> None:
    (made,) = read("reds-clicks", row("clicks", "new", "newer", LogEntryTime="2025-01-15 14:30:25", ClickId="k"))
    assert (made["event_id"], made["event_type"]) == ("ttd-click-k", "click")


def test_a_conversion_has_value_and_currency() -> None:
    (made,) = read(
        "reds-conversions",
        row(
            "conversions", LogEntryTime="2025-01-15 14:30:25", ConversionId="v", MonetaryValue="19.90",
            MonetaryValueCurrency="EUR", TDID="00000000-0000-0000-0000-000000000000",
        ),
    )  # fmt: skip
    assert (made["properties"]["revenue"], made["properties"]["currency"]) == ("19.90", "EUR")
    assert made["user_id"] is None


def test_a_video_event_is_kept_for_measurement() -> None:
    (made,) = read(
        "reds-video", row("videoevents", LogEntryTime="2025-01-15 14:30:25", ImpressionId="i", VideoEvent="start")
    )
    assert (made["event_type"], made["properties"]["video_event"]) == ("custom", "start")


def test_equal_lines_of_the_simple_form_are_events_of_their_own_in_every_import_the_same() -> None:
    first, second = read("reds-pipes", PIPES), read("reds-pipes", PIPES)
    assert first == second
    assert len({one["event_id"] for one in first}) == 3
    assert [one["properties"].get("revenue") for one in first] == [None, None, "150.00"]


def test_another_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 46 are needed"):
        read("reds-impressions", "a\tb\n")
    with pytest.raises(InvalidInput, match="Line 2 has 1 columns"):
        read("reds-clicks", row("clicks", ClickId="k") + "short\n")
    with pytest.raises(InvalidInput, match="these seem to be by commas"):
        read("reds-pipes", "event_timestamp,campaign_id\n")
