"""The canonical event: one shape for every source, and how a line of JSON becomes one.

Both forms that sources send are read: the canonical one (`source`, `utm`, `context`, `properties`) and the proof one
(`campaign_id`, `cohort_id`, `metadata`, `attribution.data_contributors`). Rules about values (time, money) live in
`quality`; what leaves for ClickHouse lives in `columns`.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from apps.events.plain_words import not_json, unknown_choice, wrong_value

EventType = Literal[
    "page_view", "click", "impression", "form_submit", "add_to_cart", "checkout_start",
    "purchase", "conversion", "lead", "signup", "login", "custom", "attribution",
]  # fmt: skip
Text = Annotated[str, Meta(max_length=1024)]
# Vendors send ids as numbers too, some above 2^53: they are kept digit by digit.
Id = Annotated[str, Meta(max_length=256)] | int
# Which characters a slug may have is `quality`'s rule: a pattern here would cost a third of the decoding.
Platform = Annotated[str, Meta(max_length=40)]
Moment = Annotated[datetime, Meta(tz=True)]


class Source(Struct, frozen=True, gc=False):
    platform: Platform | None = None
    connector_id: Text | None = None
    campaign_id: Id | None = None
    ad_group_id: Id | None = None
    ad_id: Id | None = None
    line_item_id: Id | None = None
    creative_id: Id | None = None
    publisher: Text | None = None
    channel: Text | None = None
    keyword: Text | None = None
    placement: Text | None = None


class Utm(Struct, frozen=True, gc=False):
    source: Text | None = None
    medium: Text | None = None
    campaign: Text | None = None
    content: Text | None = None
    term: Text | None = None


class Device(Struct, frozen=True, gc=False):
    type: Text | None = None


class Geo(Struct, frozen=True, gc=False):
    country: Text | None = None
    region: Text | None = None
    city: Text | None = None
    postal_code: Text | None = None
    zip: Text | None = None
    dma: Id | None = None


# What an event without these has: the very same object, so that `is` tells.
NOWHERE = Geo()


class Context(Struct, frozen=True, gc=False):
    device: Device = Device()
    geo: Geo = NOWHERE


class Metadata(Struct, frozen=True, gc=False):
    """The proof form's delivery facts; prices are per thousand impressions (CPM)."""

    dsp: Platform | None = None
    publisher: Text | None = None
    geo: Geo = NOWHERE
    device: Text | None = None
    creative_id: Id | None = None
    bid_price: Decimal | None = None
    clearing_price: Decimal | None = None


class Contributor(Struct, frozen=True, gc=False):
    id: Text
    signal_type: Text = ""
    weight: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0


class Attribution(Struct, frozen=True, gc=False):
    data_contributors: Annotated[tuple[Contributor, ...], Meta(max_length=100)] = ()


ConsentStatus = Literal["granted", "denied", "unknown"]


class Consent(Struct, frozen=True, gc=False):
    status: ConsentStatus = "unknown"
    source: Text | None = None


class Properties(Struct, frozen=True, gc=False):
    """The properties with a meaning of their own; the whole object is kept as it came."""

    revenue: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None


LONGEST_LINE = 1_000_000
NO_PROPERTIES = Properties()
NO_METADATA = Metadata()
NO_CONTEXT = Context()
NOTHING = msgspec.Raw(b"{}")


class Event(Struct, frozen=True, gc=False):
    event_type: EventType
    timestamp: Moment
    event_id: Id | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: Id | None = None
    device_id: Id | None = None
    source: Source = Source()
    utm: Utm = Utm()
    context: Context = NO_CONTEXT
    properties: msgspec.Raw = NOTHING
    consent: Consent = Consent()
    campaign_id: Id | None = None
    cohort_id: Id | None = None
    metadata: Metadata = NO_METADATA
    attribution: Attribution = Attribution()


EVENT_TYPES, CONSENTS = list(get_args(EventType)), list(get_args(ConsentStatus))
EVENT = msgspec.json.Decoder(Event)
PROPERTIES = msgspec.json.Decoder(Properties)
_AT = re.compile(r" - at `\$\.?(.*)`$")


class Rejection(Struct, frozen=True):
    """Why a line is not an event: a stable code, the field, and a sentence for people."""

    code: str
    field: str
    message: str


def decode(line: bytes) -> tuple[Event, Properties] | Rejection:
    """One line of JSON as an event and its properties, or why it is none."""
    if len(line) > LONGEST_LINE:
        return Rejection("line_too_long", "", f"A line has at most {LONGEST_LINE:,} bytes.")
    try:
        event = EVENT.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return explain(error)
    raw = event.properties
    if raw is NOTHING:
        return event, NO_PROPERTIES
    try:
        return event, PROPERTIES.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return explain(error, within="properties")


def explain(error: Exception, *, within: str = "") -> Rejection:
    """Translate a decoder's complaint about a line, or about the member `within` it, into one of the quality codes."""
    if isinstance(error, RecursionError):
        return Rejection("malformed_json", "", "This JSON is nested too deeply.")
    text = str(error)
    at = _AT.search(text)
    field, message = ".".join(filter(None, (within, at.group(1) if at else ""))), _AT.sub("", text)
    if not isinstance(error, msgspec.ValidationError):
        return Rejection("malformed_json", "", not_json(text))
    if missing := re.search(r"missing required field `(\w+)`", message):
        field = ".".join(filter(None, (field, missing.group(1))))
        return Rejection("missing_field", field, f"The field {field} is required.")
    if field == "event_type" and "enum value" in message:
        return Rejection("unknown_event_type", field, unknown_choice(message, EVENT_TYPES))
    if field == "consent.status" and "enum value" in message:
        return Rejection("wrong_type", field, unknown_choice(message, CONSENTS))
    return Rejection("wrong_type", field, wrong_value(message))
