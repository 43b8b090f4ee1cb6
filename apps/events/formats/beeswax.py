"""Beeswax batch logs (gzipped CSV with a header): wins, with the clicks joined to them, and conversions.

The clearing price is the media cost of that one impression in millionths of a dollar. Times ending in `_utc` are UTC
and `bid_time_epoch_in_usecs` is exact. `N/A`, `UNKNOWN`, `-1` and unexpanded macros such as `[VALUE]` stand for "not
known".
"""

import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

import msgspec

from apps.events.formats.base import Format, ReadOptions, table

UNKNOWN = frozenset({"", "N/A", "UNKNOWN", "-1", "0.0.0.0"})  # noqa: S104 - a value in the log, not an address to bind
MACRO = re.compile(r"^(\[.*\]|\{\{.*\}\}|\$\{.*\})$")
NO_PERSON = frozenset({"mid.00000000-0000-0000-0000-000000000000", "bito.0000000000000000000000"})
MICROS = Decimal(1_000_000)
WIN_COLUMNS = ("auction_id", "bid_time_epoch_in_usecs", "clearing_price_micros_usd", "campaign_id")
CONVERSION_COLUMNS = ("conversion_id", "rx_timestamp_utc", "value", "user_id")
DEVICES = {"CONNECTED_TV": "ctv", "SET_TOP_BOX": "ctv", "MOBILE": "mobile", "TABLET": "tablet", "PC": "desktop"}


def read_wins(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    for row in table(_text(stream), delimiter=",", needed=WIN_COLUMNS, what="Beeswax win log"):
        impression = _win(row)
        yield msgspec.json.encode(impression)
        if row.get("clicks", "0") not in {"", "0"}:
            yield msgspec.json.encode(_click(row, impression))


def read_conversions(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    for row in table(_text(stream), delimiter=",", needed=CONVERSION_COLUMNS, what="Beeswax conversion log"):
        yield msgspec.json.encode(_conversion(row))


def _win(row: Mapping[str, str]) -> dict[str, Any]:
    return _without_empty(
        {
            "event_id": f"beeswax-{row['auction_id']}",
            "event_type": "impression",
            "timestamp": _from_epoch(row["bid_time_epoch_in_usecs"]),
            "user_id": _person(row),
            "source": _without_empty(
                {
                    "platform": "beeswax",
                    "channel": (_known(row.get("placement_type")) or "").lower() or None,
                    "campaign_id": _known(row["campaign_id"]),
                    "line_item_id": _known(row.get("line_item_id")),
                    "creative_id": _known(row.get("creative_id")),
                    "publisher": _known(row.get("publisher_name")) or _known(row.get("domain")),
                    "placement": _known(row.get("placement")),
                }
            ),
            "context": {
                "device": _without_empty({"type": DEVICES.get(row.get("platform_device_type", ""))}),
                "geo": _without_empty(
                    {
                        "country": _known(row.get("geo_country")),
                        "region": _known(row.get("geo_region")),
                        "postal_code": _known(row.get("geo_zip")),
                    }
                ),
            },
            "properties": {
                "cost": _micros(row["clearing_price_micros_usd"]),
                "currency": "USD",
                "exchange": _known(row.get("inventory_source")) or "",
            },
        }
    )


def _click(row: Mapping[str, str], impression: Mapping[str, Any]) -> dict[str, Any]:
    """The click joined to a win: its own time is spreadsheet-mangled in exports, so it takes the impression's."""
    click = {name: value for name, value in impression.items() if name != "properties"}
    return {**click, "event_id": f"beeswax-{row['auction_id']}-click", "event_type": "click"}


def _conversion(row: Mapping[str, str]) -> dict[str, Any]:
    value = _known(row["value"])
    return _without_empty(
        {
            "event_id": f"beeswax-conversion-{row['conversion_id']}",
            "event_type": "conversion",
            "timestamp": row["rx_timestamp_utc"].replace("/", "-").replace(" ", "T") + "Z",
            "user_id": _known(row["user_id"]),
            "source": {"platform": "beeswax"},
            "properties": _without_empty(
                {
                    "tag_id": _known(row.get("tag_id")),
                    "order_id": _known(row.get("order")),
                    "auction_id": _known(row.get("auction_id")),
                    "revenue": None if value is None else _number(value),
                }
            ),
        }
    )


def _person(row: Mapping[str, str]) -> str | None:
    user_id = _known(row.get("user_id"))
    return _known(row.get("platform_device_ifa")) if user_id is None or user_id in NO_PERSON else user_id


def _known(value: str | None) -> str | None:
    return None if value is None or value in UNKNOWN or MACRO.match(value) else value


def _from_epoch(text: str) -> str:
    try:
        return datetime.fromtimestamp(int(text) / 1_000_000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return text


def _micros(text: str) -> Decimal | str:
    amount = _number(text)
    return amount / MICROS if isinstance(amount, Decimal) else amount


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(stream: BinaryIO) -> io.TextIOWrapper:
    """Text with any line end: some logs have a bare carriage return, which the csv module takes only translated."""
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=None)


WINS = Format("beeswax-win", "Beeswax win log: impressions and the clicks joined to them", read_wins)
CONVERSIONS = Format("beeswax-conversion", "Beeswax conversion log", read_conversions)
