"""Conversion paths: `path;total_conversions;total_conversion_value;total_null`, one line a distinct path.

Each path becomes its journeys: one person each, an impression per step an hour apart, and for a converting journey a
conversion an hour after the last step. The path's value is shared over its conversions so that the shares sum to it
exactly. The file has no times: journeys end within the 20 days before `ReadOptions.end`, spread evenly.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain, repeat
from typing import BinaryIO

import msgspec

from apps.common.errors import InvalidInput
from apps.events.formats.base import Beginning, Format, ReadOptions, table, text_lines

COLUMNS = ("path", "total_conversions", "total_conversion_value", "total_null")
HOUR = timedelta(hours=1)
SPREAD_MINUTES = 20 * 24 * 60
# Coprime with SPREAD_MINUTES, so that consecutive journeys fall on different days.
STRIDE = 7_919
# Of a whole file: a line of 20 bytes may stand for billions, and all of them become lines of the log.
MOST_EVENTS = 10_000_000
STEP = Decimal(1).scaleb(-18)


def read(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    journey = events = 0
    for number, row in enumerate(
        table(text_lines(text), delimiter=";", needed=COLUMNS, what="conversion path"), start=2
    ):
        conversions, value, nulls = _numbers(row, number)
        name = hashlib.blake2s(f"{number};{';'.join(row[c] for c in COLUMNS)}".encode(), digest_size=8).hexdigest()
        steps = [step.strip() for step in row["path"].split(">")]
        events += conversions + (conversions + nulls) * len(steps)
        if events > MOST_EVENTS:
            raise InvalidInput(
                f"Line {number}: up to here the file stands for {events:,} events; {MOST_EVENTS:,} are taken at most. "
                "Split it."
            )
        for index, share in enumerate(chain(split(value, conversions), repeat(None, nulls))):
            end = options.end - timedelta(minutes=journey * STRIDE % SPREAD_MINUTES)
            yield from _journey(f"{name}-{index}", steps, end=end, share=share)
            journey += 1


def split(value: Decimal, parts: int) -> Iterator[Decimal]:
    """`value` in `parts` shares of 18 decimals that sum to it exactly; the first ones carry the remainder."""
    share, rest = divmod(int(value.scaleb(18)), max(parts, 1))
    return (Decimal(share + (index < rest)) * STEP for index in range(parts))


def _journey(person: str, steps: Sequence[str], *, end: datetime, share: Decimal | None) -> Iterator[bytes]:
    start = end - len(steps) * HOUR
    for place, channel in enumerate(steps):
        yield _event(f"{person}-{place}", "impression", start + place * HOUR, person, channel)
    if share is not None:
        properties = {"revenue": msgspec.Raw(f"{share:f}".encode())}
        yield _event(f"{person}-conversion", "conversion", end, person, steps[-1], properties=properties)


def _event(event_id: str, kind: str, moment: datetime, person: str, channel: str, **more: object) -> bytes:
    event = {
        "event_id": f"path-{event_id}",
        "event_type": kind,
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "user_id": f"path-{person}",
        "source": {"platform": "csv", "channel": channel},
        **more,
    }
    return msgspec.json.encode(event)


def _numbers(row: Mapping[str, str], number: int) -> tuple[int, Decimal, int]:
    try:
        conversions, nulls = int(row["total_conversions"]), int(row["total_null"])
        value = Decimal(row["total_conversion_value"])
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(f"Line {number}: conversions, value and nulls must be numbers.") from error
    if conversions < 0 or nulls < 0 or not value.is_finite() or value < 0:
        raise InvalidInput(f"Line {number}: conversions, value and nulls must not be negative.")
    return conversions, value, nulls


def recognises(beginning: Beginning) -> bool:
    return beginning.has_columns(";", COLUMNS)


FORMAT = Format(
    "paths",
    "conversion paths (path;total_conversions;total_conversion_value;total_null)",
    read,
    recognises,
    has_header=True,
)
