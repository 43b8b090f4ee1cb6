"""The attribution webhook's form of a conversion, as an event."""

from http import HTTPStatus
from typing import Any

import msgspec

from apps.events.edge.http import Problem

CONVERSIONS = ("conversion", "purchase")
# The webhook's words for an outcome, and the properties that they are.
OUTCOME = {"value": "revenue", "currency": "currency"}
RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


def as_conversion(body: bytes) -> bytes:
    """The attribution webhook says by its address what the event is, and may say beside it what it is worth."""
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # judged like any other
    if not isinstance(event, dict):
        return body
    if event.get("event_type", "conversion") not in CONVERSIONS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "unknown_event_type",
            f"Here arrive events of type {' or '.join(CONVERSIONS)}; send others to /api/v1/events.",
            pointer="/event_type",
        )
    if OUTCOME.keys() & event.keys():
        body = _with_outcome(body, event.get("properties"))
    # Put in front, so that amounts keep their digits.
    return (
        body
        if "event_type" in event
        else body.replace(b"{", b'{"event_type":"conversion"' + (b"," if event else b""), 1)
    )


def _with_outcome(body: bytes, properties: Any) -> bytes:
    """With the outcome among the properties, whose own word counts before it; amounts in their very digits."""
    if not isinstance(properties, dict | None):
        return body
    event = RAW.decode(body)
    inner = RAW.decode(event["properties"]) if properties else {}
    for name, own in OUTCOME.items():
        if name in event and own not in inner and bytes(event[name]) != b"null":
            inner[own] = event.pop(name)
    return msgspec.json.encode({**event, "properties": inner})
