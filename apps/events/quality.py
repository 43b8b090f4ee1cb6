"""The rules an event's values must keep, each with its stable code. Shapes and types are `canonical`'s."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from apps.common.money import is_currency
from apps.events.canonical import Event, Properties, Rejection

SLUG = re.compile(r"[a-z0-9_]{1,40}")
FUTURE = timedelta(minutes=5)
OLDEST = timedelta(days=90)
MONEY_FIELDS = ("properties.revenue", "properties.cost", "metadata.clearing_price", "metadata.bid_price")
NO_MONEY = (None, None, None, None)
MOST_MONEY = Decimal(10) ** 18

CODES: Mapping[str, str] = {
    "malformed_json": "the line is not a JSON object",
    "line_too_long": "the line is longer than 1 MB",
    "missing_field": "a required field is missing",
    "wrong_type": "a field has the wrong type",
    "unknown_event_type": "the event type is not one of the known ones",
    "timestamp_in_future": "the time is more than 5 minutes ahead",
    "timestamp_too_old": "the time is more than 90 days ago and the import does not say --history",
    "negative_money": "an amount of money is negative",
    "money_out_of_range": "an amount of money is not a finite number below 10^18",
    "unknown_currency": "the currency is not an ISO 4217 code",
}


class Window(Struct, frozen=True):
    """The times that a batch may have: up to `latest`, and not before `oldest` unless it is history."""

    latest: datetime
    oldest: datetime | None

    @classmethod
    def at(cls, now: datetime, *, history: bool) -> "Window":
        return cls(now + FUTURE, None if history else now - OLDEST)


def check(event: Event, properties: Properties, window: Window) -> Rejection | None:
    """The first rule that the event breaks, if any."""
    return check_time(event.timestamp, window) or check_platform(event) or check_money(event, properties)


def check_time(moment: datetime, window: Window) -> Rejection | None:
    if moment > window.latest:
        return _rejection("timestamp_in_future", "timestamp", moment.isoformat())
    if window.oldest is not None and moment < window.oldest:
        return _rejection("timestamp_too_old", "timestamp", moment.isoformat())
    return None


def check_platform(event: Event) -> Rejection | None:
    for field, slug in (("source.platform", event.source.platform), ("metadata.dsp", event.metadata.dsp)):
        if slug is not None and not is_slug(slug):
            return Rejection("wrong_type", field, f"{field} must be 1 to 40 lower-case letters, digits or underscores.")
    return None


@lru_cache(4096)
def is_slug(text: str) -> bool:
    return SLUG.fullmatch(text) is not None


def check_money(event: Event, properties: Properties) -> Rejection | None:
    proof = event.metadata
    amounts = (properties.revenue, properties.cost, proof.clearing_price, proof.bid_price)
    if amounts != NO_MONEY and (broken := check_amounts(amounts)):
        return broken
    if properties.currency is not None and not is_currency(properties.currency):
        return _rejection("unknown_currency", "properties.currency", properties.currency)
    return None


def check_amounts(amounts: tuple[Decimal | None, ...]) -> Rejection | None:
    for field, amount in zip(MONEY_FIELDS, amounts, strict=True):
        if amount is None:
            continue
        if not amount.is_finite() or abs(amount) >= MOST_MONEY:
            return _rejection("money_out_of_range", field, str(amount))
        if amount < 0:
            return _rejection("negative_money", field, str(amount))
    return None


def _rejection(code: str, field: str, value: str) -> Rejection:
    return Rejection(code, field, f"{field} is {value}: {CODES[code]}.")
