"""The Trade Desk's REDS: tab-separated logs without a header, and the simplified form with pipes and a header.

There is no public list of columns, and feeds grow at their end; the sets that are known stand in `reds_feeds.json`, by
feed and version. A row may have more columns than its set, not fewer. Times are UTC.
"""

import io
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from apps.common.errors import InvalidInput
from apps.events.formats.base import Beginning, Format, ReadOptions, event_id_of, lines, table, text_lines

FEEDS: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(
    Path(__file__).with_name("reds_feeds.json").read_text(encoding="utf-8")
)
NOBODY = frozenset({"", "00000000-0000-0000-0000-000000000000"})
PIPE_COLUMNS = ("event_timestamp", "campaign_id", "event_type")
# DeviceType as the platform numbers it.
DEVICES = {"1": "other", "2": "desktop", "3": "mobile", "4": "tablet", "5": "ctv", "6": "roku"}
# So many distinct lines are remembered, to tell a second event from the same one: those of some minutes.
REMEMBERED = 300_000
# By what a row without a header shows which feed it is of: columns whose values have a form of their own.
FORMS: Mapping[str, re.Pattern[str]] = {
    "LogEntryTime": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*"),
    "ProcessedTime": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*|"),
    "IPAddress": re.compile(r"[0-9a-fA-F]*[.:][0-9a-fA-F.:]+|"),
    "MonetaryValueCurrency": re.compile(r"[A-Z]{3}|"),
    "AdvertiserCostInUSD": re.compile(r"-?[\d.]+(?:[eE][-+]?\d+)?|"),
    "VideoEvent": re.compile(r"[A-Za-z]\w*"),
}
Row = Mapping[str, str]


def read_feed(
    feed: str, make: Callable[[Row], dict[str, Any]], stream: BinaryIO, options: ReadOptions
) -> Iterator[bytes]:
    versions = sorted(FEEDS[feed].values(), key=len, reverse=True)
    columns: Sequence[str] = ()
    for number, line in enumerate(lines(stream), start=1):
        if not line:
            continue
        values = line.decode("utf-8", "replace").split("\t")
        if not columns:
            columns = _columns(feed, versions, len(values))
        if len(values) < len(columns):
            raise InvalidInput(
                f"Line {number} has {len(values)} columns; {feed} need {len(columns)}, separated by tabs.",
                code="unreadable_line",
            )
        yield msgspec.json.encode(make(dict(zip(columns, values, strict=False))))


def read_pipes(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    """Lines have no id of their own: the second of two equal lines is a second event, in every import the same one."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=None)
    seen: OrderedDict[bytes, int] = OrderedDict()
    for row in table(_trimmed(text), delimiter="|", needed=PIPE_COLUMNS, what="REDS (pipes)"):
        digest = blake2b("|".join(map(str, row.values())).encode(), digest_size=12).digest()
        seen[digest] = seen.pop(digest, 0) + 1
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        yield msgspec.json.encode(_piped(row, f"reds-{digest.hex()}-{seen[digest]}"))


def _columns(feed: str, versions: Sequence[Sequence[str]], found: int) -> Sequence[str]:
    """The longest set that the first row can fill."""
    for columns in versions:
        if len(columns) <= found:
            return columns
    least = min(map(len, versions))
    raise InvalidInput(
        f"This is not a REDS {feed} file: its first line has {found} columns separated by tabs; at least {least} are "
        "needed, and there is no header.",
        code="wrong_header",
    )


def _impression(row: Row) -> dict[str, Any]:
    return {
        "event_id": event_id_of("ttd-impression", row["ImpressionId"]),
        "event_type": "impression",
        "timestamp": _moment(row["LogEntryTime"]),
        "user_id": _person(row),
        "cohort_id": row["AudienceID"] or None,
        "source": {
            "platform": "ttd",
            "campaign_id": row["CampaignId"] or None,
            "line_item_id": row["AdGroupId"] or None,
            "creative_id": row["CreativeId"] or None,
            "publisher": row["SupplyVendorPublisherID"] or row["SupplyVendor"] or None,
            "placement": row["Site"] or None,
        },
        "context": {
            "device": {"type": DEVICES.get(row["DeviceType"], row["DeviceType"].lower()) or None},
            "geo": {
                "country": row["Country"] or None,
                "region": row["Region"] or None,
                "city": row["City"] or None,
                "postal_code": row["ZipCode"] or None,
            },
        },
        "properties": {"cost": _number(row["AdvertiserCostInUSD"]), "currency": "USD", "deal": row["DealID"]},
    }


def _click(row: Row) -> dict[str, Any]:
    return {
        "event_id": event_id_of("ttd-click", row["ClickId"]),
        "event_type": "click",
        "timestamp": _moment(row["LogEntryTime"]),
        "user_id": _person(row),
        "source": {"platform": "ttd", "campaign_id": row["CampaignId"] or None, "keyword": row["Keyword"] or None},
        "properties": {"impression_id": row["DisplayImpressionId"]},
    }


def _conversion(row: Row) -> dict[str, Any]:
    money = {"revenue": _number(row["MonetaryValue"]), "currency": row["MonetaryValueCurrency"] or "USD"}
    return {
        "event_id": event_id_of("ttd-conversion", row["ConversionId"]),
        "event_type": "conversion",
        "timestamp": _moment(row["LogEntryTime"]),
        "user_id": _person(row),
        "source": {"platform": "ttd"},
        "properties": {
            **(money if row["MonetaryValue"] else {}),
            "conversion_type": row["ConversionType"],
            "order_id": row["OrderId"],
        },
    }


def _video(row: Row) -> dict[str, Any]:
    return {
        "event_id": event_id_of("ttd-video", row["ImpressionId"], row["VideoEvent"]),
        "event_type": "custom",
        "timestamp": _moment(row["LogEntryTime"]),
        "source": {"platform": "ttd"},
        "properties": {
            "name": "video",
            "impression_id": row["ImpressionId"],
            "video_event": row["VideoEvent"],
            "measurable": row["CreativeIsTrackable"],
            "viewable": row["CreativeWasViewable"],
            "seconds": row["VideoPlayTimeInSeconds"],
            "viewable_seconds": row["VideoViewableTimeInSeconds"],
        },
    }


def _piped(row: Row, event_id: str) -> dict[str, Any]:
    money = {"cost": _number(row.get("cost_usd", "")), "revenue": _number(row.get("conversion_value", ""))}
    return {
        "event_id": event_id,
        "event_type": row["event_type"],
        "timestamp": _moment(row["event_timestamp"]),
        "cohort_id": row.get("audience_id") or None,
        "source": {
            "platform": "ttd",
            "campaign_id": row["campaign_id"] or None,
            "line_item_id": row.get("line_item_id") or None,
        },
        "properties": {name: amount for name, amount in money.items() if amount} | {"currency": "USD"},
    }


def _person(row: Row) -> str | None:
    return row["TDID"] if row["TDID"] not in NOBODY else row.get("DeviceID") or None


def _moment(text: str) -> str:
    """`2025-01-15 14:30:25` and `2025-01-15T14:30:25.1234567`, both UTC."""
    head, _, fraction = text.strip().replace(" ", "T").removesuffix("Z").partition(".")
    return f"{head}.{fraction[:6]}Z" if fraction else f"{head}Z"


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text.strip() or "0")
    except InvalidOperation:
        return text  # the rules of events turn it away, and say why


def _trimmed(text: io.TextIOWrapper) -> Iterator[str]:
    """Without the spaces around pipes."""
    for line in text_lines(text):
        yield "|".join(cell.strip() for cell in line.split("|")) + "\n"


def is_feed(feed: str, beginning: Beginning) -> bool:
    row = next((line for line in beginning.lines if line), "").split("\t")
    return any(_has_form(columns, row) for columns in FEEDS[feed].values())


def _has_form(columns: Sequence[str], row: Sequence[str]) -> bool:
    """Whether the row can be of these columns: enough of them, and each value in the form that its column has."""
    if len(row) < len(columns):
        return False
    values = dict(zip(columns, row, strict=False))
    return all(form.fullmatch(values[name]) for name, form in FORMS.items() if name in values)


def has_pipes(beginning: Beginning) -> bool:
    return beginning.has_columns("|", PIPE_COLUMNS)


def _feed(name: str, description: str, feed: str, make: Callable[[Row], dict[str, Any]]) -> Format:
    return Format(name, description, partial(read_feed, feed, make), partial(is_feed, feed))


# The widest first: a row of many columns has those of a narrower feed, too.
FORMATS = (
    _feed("reds-impressions", "TTD REDS impressions", "impressions", _impression),
    _feed("reds-conversions", "TTD REDS conversions", "conversions", _conversion),
    _feed("reds-clicks", "TTD REDS clicks", "clicks", _click),
    _feed("reds-video", "TTD REDS video events", "videoevents", _video),
    Format("reds-pipes", "REDS in its simplified form (pipes, with a header)", read_pipes, has_pipes, has_header=True),
)
