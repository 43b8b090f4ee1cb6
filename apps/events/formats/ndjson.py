"""Canonical events, one JSON object a line: taken as they are."""

from collections.abc import Iterator
from typing import BinaryIO

from apps.common.errors import InvalidInput
from apps.events.formats.base import Beginning, Format, ReadOptions, lines


def read(stream: BinaryIO, options: ReadOptions) -> Iterator[bytes]:
    first = True
    for line in lines(stream):
        line = line.removeprefix(b"\xef\xbb\xbf") if first else line
        if not line.strip():
            continue
        if first and not line.lstrip().startswith(b"{"):
            begin = line[:40].decode("utf-8", "replace")
            raise InvalidInput(f"This is not NDJSON: the first line must be a JSON object, it begins with {begin!r}.")
        first = False
        yield line


def recognises(beginning: Beginning) -> bool:
    return next((line for line in beginning.lines if line.strip()), "").lstrip().startswith("{")


FORMAT = Format("ndjson", "canonical events, one JSON object a line", read, recognises)
