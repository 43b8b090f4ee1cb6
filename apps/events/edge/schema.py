"""The JSON Schema of an event, from the very types that decode it."""

from functools import cache
from typing import Any

import msgspec

from apps.events.canonical import NO_PROPERTIES, Event, Properties

# `properties` is kept as it comes; the schema says which of its members have a meaning.
Described = msgspec.defstruct("Event", [("properties", Properties, NO_PROPERTIES)], bases=(Event,), frozen=True)
DECIMAL = {"type": "string", "format": "decimal"}
# Amounts come as numbers or, to be exact, as text.
AMOUNT = {"anyOf": [{"type": "number"}, DECIMAL]}


def components(ref_template: str) -> dict[str, Any]:
    """The types by name, referring to each other by `ref_template`."""
    _, found = msgspec.json.schema_components([Described], ref_template=ref_template)
    return {name: _with_amounts(schema) for name, schema in found.items()}


@cache
def document() -> bytes:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "/api/v1/schema/event.json",
        "title": "Event",
        "$ref": "#/$defs/Event",
    }
    return msgspec.json.encode({**head, "$defs": components("#/$defs/{name}")})


def _with_amounts(schema: Any) -> Any:
    """msgspec describes decimals as text only, though it reads numbers too; defaults say nothing."""
    if schema == DECIMAL:
        return AMOUNT
    if isinstance(schema, dict):
        return {name: _with_amounts(inner) for name, inner in schema.items() if name != "default"}
    return [_with_amounts(one) for one in schema] if isinstance(schema, list) else schema
