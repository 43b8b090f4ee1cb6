"""The formats that files may have, by name."""

from apps.common.errors import InvalidInput
from apps.events.formats import beeswax, ndjson, paths, reds
from apps.events.formats.base import Beginning, Format

FORMATS: dict[str, Format] = {one.name: one for one in (ndjson.FORMAT, paths.FORMAT, *beeswax.FORMATS, *reds.FORMATS)}


def get_format(name: str) -> Format:
    if name not in FORMATS:
        raise InvalidInput(f"There is no format {name!r}; use one of {', '.join(sorted(FORMATS))}.")
    return FORMATS[name]


def recognise(beginning: Beginning) -> Format | None:
    """The first format that takes the file for its own."""
    return next((one for one in FORMATS.values() if one.recognises(beginning)), None)
