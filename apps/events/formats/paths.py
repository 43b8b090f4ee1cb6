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
from typing import BinaryIO

from apps.common.errors import InvalidInput
from apps.events.formats.base import Format, ReadOptions, table

COLUMNS = ("path", "total_conversions", "total_conversion_value", "total_null")
HOUR = timedelta(hours=1)
SPREAD_MINUTES = 20 * 24 * 60
# Coprime with SPREAD_MINUTES, so that consecutive journeys fall on different days.
STRIDE = 7_919
STEP = Decimal(1).scaleb(-18)


def read(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    journey = 0
    for number, row in enumerate(table(text, delimiter=";", needed=COLUMNS, what="conversion path"), start=2):
        conversions, value, nulls = _numbers(row, number)
        name = hashlib.blake2s(f"{number};{';'.join(row[c] for c in COLUMNS)}".encode(), digest_size=8).hexdigest()
        shares = split(value, conversions)
        for index in range(conversions + nulls):
            end = options.end - timedelta(minutes=journey * STRIDE % SPREAD_MINUTES)
            share = shares[index] if index < conversions else None
            yield from _journey(f"{name}-{index}", _steps(row["path"]), end=end, share=share)
            journey += 1


def split(value: Decimal, parts: int) -> Sequence[Decimal]:
    """`value` in `parts` shares of 18 decimals that sum to it exactly; the first ones carry the remainder."""
    if not parts:
        return []
    units = int(value.scaleb(18))
    share, rest = divmod(units, parts)
    return [Decimal(share + (index < rest)) * STEP for index in range(parts)]


def _journey(person: str, steps: Sequence[str], *, end: datetime, share: Decimal | None) -> Iterator[bytes]:
    start = end - len(steps) * HOUR
    for place, channel in enumerate(steps):
        yield _event(f"{person}-{place}", "impression", start + place * HOUR, person, channel)
    if share is not None:
        revenue = f',"properties":{{"revenue":{share:f}}}'
        yield _event(f"{person}-conversion", "conversion", end, person, steps[-1], revenue)


def _event(event_id: str, kind: str, moment: datetime, person: str, channel: str, more: str = "") -> bytes:
    return (
        f'{{"event_id":"path-{event_id}","event_type":"{kind}","timestamp":"{moment:%Y-%m-%dT%H:%M:%SZ}",'
        f'"user_id":"path-{person}","source":{{"platform":"csv","channel":"{channel}"}}{more}}}'
    ).encode()


def _steps(path: str) -> Sequence[str]:
    return [step.strip().replace("\\", "").replace('"', "") for step in path.split(">")]


def _numbers(row: Mapping[str, str], number: int) -> tuple[int, Decimal, int]:
    try:
        conversions, nulls = int(row["total_conversions"]), int(row["total_null"])
        value = Decimal(row["total_conversion_value"])
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(f"Line {number}: conversions, value and nulls must be numbers.") from error
    if conversions < 0 or nulls < 0 or not value.is_finite() or value < 0:
        raise InvalidInput(f"Line {number}: conversions, value and nulls must not be negative.")
    return conversions, value, nulls


FORMAT = Format("paths", "conversion paths (path;total_conversions;total_conversion_value;total_null)", read)
