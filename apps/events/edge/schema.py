"""The JSON Schema of an event, from the very types that decode it."""

from functools import cache

import msgspec

from apps.events.canonical import NO_PROPERTIES, Event, Properties

# `properties` is kept as it comes; the schema says which of its members have a meaning.
Described = msgspec.defstruct("Event", [("properties", Properties, NO_PROPERTIES)], bases=(Event,), frozen=True)


@cache
def document() -> bytes:
    (schema,), components = msgspec.json.schema_components([Described], ref_template="#/$defs/{name}")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "/api/v1/schema/event.json",
        "title": "Event",
    }
    return msgspec.json.encode({**head, **schema, "$defs": components})
