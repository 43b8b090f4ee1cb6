"""Received lines for reading: indented JSON, the member that broke a rule marked. Pure: no Django, no I/O."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

MOST_CHARACTERS = 60_000
MOST_LINES = 1_500
INDENT = 2


@dataclass(frozen=True)
class Row:
    """One line of the indented text; `marked` belongs to the member that is to blame."""

    text: str
    marked: bool


def pretty(line: bytes, field: str = "") -> list[Row]:
    """Indented where it is JSON, else as it is; cut off where nobody reads on."""
    try:
        text = msgspec.json.format(line, indent=INDENT).decode("utf-8", "replace")
    except (msgspec.DecodeError, RecursionError):
        return [Row(line.decode("utf-8", "replace")[:MOST_CHARACTERS], False)]
    rows = text[:MOST_CHARACTERS].split("\n")[:MOST_LINES]
    marked = set(_marked(rows, _steps(field))) if field else set()
    cut = [Row("… and more, which is not shown", False)] if len("\n".join(rows)) < len(text) else []
    return [Row(text, number in marked) for number, text in enumerate(rows)] + cut


def indented(value: Any) -> str:
    return json.dumps(value, indent=INDENT, ensure_ascii=False)


def _steps(field: str) -> list[str]:
    """From the decoder's `source.platform` or `items[2].id`; places in lists are not followed."""
    return [step.split("[")[0] for step in field.split(".") if step]


def _marked(rows: list[str], steps: list[str]) -> Iterator[int]:
    """The lines of the member at the end of the steps, or of the last step that is there."""
    begin, depth, found = 1, 1, -1
    for step in steps:
        place = _find(rows, step, begin, depth)
        if place < 0:
            break
        found, begin, depth = place, place + 1, depth + 1
    if found < 0:
        return
    yield found
    indent = _indent(rows[found])
    for number in range(found + 1, len(rows)):
        deeper = _indent(rows[number]) > indent
        if not deeper and rows[number].strip()[:1] not in ("]", "}"):
            return
        yield number
        if not deeper:
            return


def _find(rows: list[str], name: str, begin: int, depth: int) -> int:
    wanted = f"{' ' * INDENT * depth}{json.dumps(name, ensure_ascii=False)}:"
    for number in range(begin, len(rows)):
        if rows[number].startswith(wanted):
            return number
        if _indent(rows[number]) < INDENT * depth:
            return -1
    return -1


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
