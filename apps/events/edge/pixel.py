"""The pixel and the tag: events from web pages, whose key stands in the page and may do nothing else."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

# One transparent dot.
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90400000000002c00000000010001000002024401003b")
# Any page may send; no cookie of ours comes along.
OPEN = [(b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store")]
IMAGE = [(b"content-type", b"image/gif"), *OPEN]
SCRIPT = [(b"content-type", b"text/javascript; charset=utf-8"), (b"cache-control", b"public, max-age=3600")]
TAG = Path(__file__).with_name("tag.js")


def _money(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text  # the rules of events turn it away, and say why


# What a parameter of `/p.gif` becomes in the event.
PLACES: Mapping[str, tuple[tuple[str, ...], Callable[[str], object]]] = {
    "e": (("event_type",), str),
    "id": (("event_id",), str),
    "u": (("user_id",), str),
    "a": (("anonymous_id",), str),
    "s": (("session_id",), str),
    "pl": (("source", "platform"), str),
    "cid": (("source", "campaign_id"), str),
    "li": (("source", "line_item_id"), str),
    "cr": (("source", "creative_id"), str),
    "pub": (("source", "publisher"), str),
    "v": (("properties", "revenue"), _money),
    "cur": (("properties", "currency"), str),
    "url": (("properties", "url"), str),
    "ref": (("properties", "referrer"), str),
    "cs": (("consent", "status"), str),
    "c": (("consent", "source"), str),
}


def event_of(query: str) -> bytes:
    """The event that a pixel's URL stands for; without an id each load is one of its own."""
    event: dict[str, Any] = {
        "event_type": "page_view",
        "timestamp": datetime.now(UTC).isoformat(),
        "event_id": str(uuid4()),
    }
    for name, text in parse_qsl(query):
        if name in PLACES:
            (*path, last), read = PLACES[name]
            inner = event
            for step in path:
                inner = inner.setdefault(step, {})
            inner[last] = read(text)
    return msgspec.json.encode(event)


@cache
def tag() -> bytes:
    return TAG.read_bytes()
