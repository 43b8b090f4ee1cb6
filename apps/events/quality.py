"""The rules an event's values must keep, each with its stable code. Shapes and types are `canonical`'s."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from apps.common.money import is_currency
from apps.events.canonical import NO_METADATA, NO_PROPERTIES, Event, Properties, Rejection

SLUG = re.compile(r"[a-z0-9_]{1,40}")
# The roll-ups count time from 1970 in 32 bits, and nobody measured campaigns before this.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE = timedelta(minutes=5)
OLDEST = timedelta(days=90)
ZERO = Decimal(0)
MOST_MONEY = Decimal(10) ** 18

CODES: Mapping[str, str] = {
    "malformed_json": "the line is not a JSON object",
    "line_too_long": "the line is longer than 1 MB",
    "missing_field": "a required field is missing",
    "wrong_type": "a field has the wrong type",
    "unknown_event_type": "the event type is not one of the known ones",
    "timestamp_in_future": "the time is more than 5 minutes ahead",
    "timestamp_too_old": "the time is more than 90 days ago; what is older is taken as history only",
    "timestamp_before_2000": "the time is before the year 2000",
    "negative_money": "an amount of money is negative",
    "money_out_of_range": "an amount of money is not a finite number below 10^18",
    "unknown_currency": "the currency is not an ISO 4217 code",
}


class Window(Struct, frozen=True):
    """The times that a batch may have: up to `latest`, and not before `oldest`."""

    latest: datetime
    oldest: datetime

    @classmethod
    def at(cls, now: datetime, *, history: bool) -> "Window":
        return cls(now + FUTURE, EARLIEST if history else now - OLDEST)


def check(event: Event, properties: Properties, window: Window) -> Rejection | None:
    """The first rule that the event breaks, if any."""
    return check_time(event.timestamp, window) or check_platform(event) or check_money(event, properties)


def check_time(moment: datetime, window: Window) -> Rejection | None:
    if moment > window.latest:
        return _rejection("timestamp_in_future", "timestamp", moment.isoformat())
    if moment < window.oldest:
        code = "timestamp_before_2000" if moment < EARLIEST else "timestamp_too_old"
        return _rejection(code, "timestamp", moment.isoformat())
    return None


def check_platform(event: Event) -> Rejection | None:
    platform, dsp = event.source.platform, event.metadata.dsp
    if platform is not None and not is_slug(platform):
        return _not_a_slug("source.platform")
    return None if dsp is None or is_slug(dsp) else _not_a_slug("metadata.dsp")


@lru_cache(4096)
def is_slug(text: str) -> bool:
    return SLUG.fullmatch(text) is not None


def check_money(event: Event, properties: Properties) -> Rejection | None:
    proof = event.metadata
    if proof is not NO_METADATA and not (is_money(proof.clearing_price) and is_money(proof.bid_price)):
        return _not_money(event, properties)
    if properties is NO_PROPERTIES:
        return None
    if not (is_money(properties.revenue) and is_money(properties.cost)):
        return _not_money(event, properties)
    if properties.currency is not None and not is_currency(properties.currency):
        return _rejection("unknown_currency", "properties.currency", properties.currency)
    return None


def is_money(amount: Decimal | None) -> bool:
    return amount is None or (amount.is_finite() and ZERO <= amount < MOST_MONEY)


def _not_money(event: Event, properties: Properties) -> Rejection:
    amounts = {
        "metadata.clearing_price": event.metadata.clearing_price,
        "metadata.bid_price": event.metadata.bid_price,
        "properties.revenue": properties.revenue,
        "properties.cost": properties.cost,
    }
    field, amount = next((field, amount) for field, amount in amounts.items() if not is_money(amount))
    negative = amount is not None and amount.is_finite() and -MOST_MONEY < amount < ZERO
    return _rejection("negative_money" if negative else "money_out_of_range", field, str(amount))


def _not_a_slug(field: str) -> Rejection:
    return Rejection("wrong_type", field, f"{field} must be 1 to 40 lower-case letters, digits or underscores.")


def _rejection(code: str, field: str, value: str) -> Rejection:
    return Rejection(code, field, f"{field} is {value}: {CODES[code]}.")
