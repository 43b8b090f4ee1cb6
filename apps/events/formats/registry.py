"""The formats that files may have, by name."""

from apps.common.errors import InvalidInput
from apps.events.formats import beeswax, ndjson, paths, reds
from apps.events.formats.base import Format

FORMATS: dict[str, Format] = {one.name: one for one in (ndjson.FORMAT, paths.FORMAT, *beeswax.FORMATS, *reds.FORMATS)}


def get_format(name: str) -> Format:
    if name not in FORMATS:
        raise InvalidInput(f"There is no format {name!r}; use one of {', '.join(sorted(FORMATS))}.")
    return FORMATS[name]
