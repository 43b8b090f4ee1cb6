"""Beeswax batch logs (gzipped CSV): wins, with the clicks joined to them, conversions, and bids.

The clearing price is the media cost of that one impression in millionths of a dollar. Times ending in `_utc` are UTC
and `bid_time_epoch_in_usecs` is exact. `N/A`, `UNKNOWN`, `-1` and unexpanded macros such as `[VALUE]` stand for "not
known". Deliveries have no header; their columns are the vendor's published ones, by position, in
`beeswax_columns.json`. Columns that were added later stand behind these and are passed over.

A bid is not an impression: nothing was shown and nothing was paid. It becomes a `custom` event named `bid`, kept
because win rates need it, with its price as a property that is neither `cost` nor `revenue`, without a currency and
without a person, so that no figure of spend, impressions or reach changes by importing bids.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from apps.events.canonical import LONGEST_LINE
from apps.events.formats.base import Beginning, Format, ReadOptions, event_id_of, table, text_lines

COLUMNS: Mapping[str, Sequence[str]] = json.loads(
    Path(__file__).with_name("beeswax_columns.json").read_text(encoding="utf-8")
)
UNKNOWN = frozenset({"", "N/A", "UNKNOWN", "-1", "0.0.0.0"})  # noqa: S104 - a value in the log, not an address to bind
MACRO = re.compile(r"^(\[.*\]|\{\{.*\}\}|\$\{.*\})$")
NO_PERSON = frozenset({"mid.00000000-0000-0000-0000-000000000000", "bito.0000000000000000000000"})
MICROS = Decimal(1_000_000)
WIN_COLUMNS = ("auction_id", "bid_time_epoch_in_usecs", "clearing_price_micros_usd", "campaign_id")
CONVERSION_COLUMNS = ("conversion_id", "rx_timestamp_utc", "value", "user_id")
BID_COLUMNS = ("auction_id", "bid_time_epoch_in_usecs", "bid_price_micros_usd", "campaign_id")
# What a bid keeps as properties, by the vendor's own names.
BID_PROPERTIES = (
    "auction_id", "bid_price_micros_usd", "exchange_bid_price_micros_usd", "bid_floor_micros", "bid_shade",
    "inventory_source", "deal_id", "environment_type",
)  # fmt: skip
# An auction's id begins with its time in microseconds.
AUCTION_TIME = re.compile(r"(\d{16})\.")
RECEIVED = re.compile(r"\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d")
DEVICES = {"CONNECTED_TV": "ctv", "SET_TOP_BOX": "ctv", "MOBILE": "mobile", "TABLET": "tablet", "PC": "desktop"}


def read_wins(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    for row in _rows(stream, "win", WIN_COLUMNS):
        impression = _win(row)
        yield msgspec.json.encode(impression)
        if row.get("clicks", "0") not in {"", "0"}:
            yield msgspec.json.encode(_click(row, impression))


def read_conversions(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    for row in _rows(stream, "conversion", CONVERSION_COLUMNS):
        yield msgspec.json.encode(_conversion(row))


def read_bids(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    for row in _rows(stream, "bid", BID_COLUMNS):
        yield msgspec.json.encode(_bid(row))


def _rows(stream: BinaryIO, kind: str, needed: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """Rows by the file's own header, or by the published positions where the first line is none."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=None)
    first = text.readline(LONGEST_LINE)
    lines: Iterable[str] = chain([first], text_lines(text))
    if first and not _is_header(first, COLUMNS[kind]):
        lines = chain([",".join(COLUMNS[kind]) + "\n"], lines)
    # Any line end: some logs have a bare carriage return, which the csv module takes only translated.
    return table(lines, delimiter=",", needed=needed, what=f"Beeswax {kind} log")


def _is_header(line: str, columns: Sequence[str]) -> bool:
    """Whether it names something, or is too short for a row; `table` says what a wrong header lacks."""
    cells = next(csv.reader([line]))
    return bool(set(columns).intersection(cells)) or len(cells) < len(columns) // 2


def _win(row: Mapping[str, str]) -> dict[str, Any]:
    return _without_empty(
        {
            "event_id": event_id_of("beeswax", row["auction_id"]),
            "event_type": "impression",
            "timestamp": _from_epoch(row["bid_time_epoch_in_usecs"]),
            "user_id": _person(row),
            **_surroundings(row),
            "properties": {
                "cost": _micros(row["clearing_price_micros_usd"]),
                "currency": "USD",
                "exchange": _known(row.get("inventory_source")) or "",
            },
        }
    )


def _bid(row: Mapping[str, str]) -> dict[str, Any]:
    """An auction may see several bids: `auction_adgroup_id` tells them apart."""
    its_own = event_id_of("beeswax-bid", row.get("auction_adgroup_id"))
    return _without_empty(
        {
            "event_id": its_own or event_id_of("beeswax-bid", row["auction_id"]),
            "event_type": "custom",
            "timestamp": _bid_time(row),
            **_surroundings(row),
            "properties": {
                "name": "bid",
                **{name: value for name in BID_PROPERTIES if (value := _known(row.get(name))) is not None},
            },
        }
    )


def _surroundings(row: Mapping[str, str]) -> dict[str, Any]:
    """Where the ad was to be shown, and for whom it was bought."""
    return {
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
    }


def _click(row: Mapping[str, str], impression: Mapping[str, Any]) -> dict[str, Any]:
    """The click joined to a win: its own time is spreadsheet-mangled in exports, so it takes the impression's."""
    click = {name: value for name, value in impression.items() if name not in {"event_id", "properties"}}
    return _without_empty(
        {"event_id": event_id_of("beeswax", row["auction_id"], "click"), **click, "event_type": "click"}
    )


def _conversion(row: Mapping[str, str]) -> dict[str, Any]:
    value = _known(row["value"])
    return _without_empty(
        {
            "event_id": event_id_of("beeswax-conversion", row["conversion_id"]),
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


def _bid_time(row: Mapping[str, str]) -> str:
    """Exports that went through a spreadsheet have `1.52666E+15` as epoch; the auction's id still has the time."""
    epoch, begun = row["bid_time_epoch_in_usecs"], AUCTION_TIME.match(row["auction_id"])
    return _from_epoch(epoch if epoch.isdigit() or begun is None else begun[1])


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


def is_log(kind: str, needed: Sequence[str], beginning: Beginning) -> bool:
    """By its header; without one, by the number of columns and the time that stands where it should."""
    if beginning.has_columns(",", needed):
        return True
    cells, columns = next(csv.reader(beginning.lines[:1]), []), COLUMNS[kind]
    if len(cells) != len(columns):
        return False
    values = dict(zip(columns, cells, strict=True))
    return bool(AUCTION_TIME.match(values.get("auction_id", "")) or RECEIVED.match(values.get("rx_timestamp_utc", "")))


def _log(
    kind: str, description: str, needed: Sequence[str], read: Callable[[BinaryIO, ReadOptions], Iterator[bytes]]
) -> Format:
    return Format(f"beeswax-{kind}", description, read, partial(is_log, kind, needed), has_header=True)


FORMATS = (
    _log("win", "Beeswax win log: impressions and the clicks joined to them", WIN_COLUMNS, read_wins),
    _log("conversion", "Beeswax conversion log", CONVERSION_COLUMNS, read_conversions),
    _log("bid", "Beeswax bid log: custom events named bid, outside every figure", BID_COLUMNS, read_bids),
)
