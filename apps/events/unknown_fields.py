"""Members of a line that nothing reads: ignored by ingest, and told to whoever asks. Pure: no Django, no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from apps.events.canonical import Event, Properties

Tree = Mapping[str, Any]
# Described by senders' own documents, with a meaning that is known and no column: not worth a word.
PASSED = frozenset(
    [
        "/received_at", "/processed_at", "/workspace_id", "/version", "/proof_hash", "/context/ip",
        "/context/user_agent", "/context/locale", "/context/timezone", "/context/page", "/context/device/os",
        "/context/device/browser", "/context/device/screen_resolution",
    ]
)  # fmt: skip
# Other vendors' words.
MEANT = {"value": "/properties/revenue", "amount": "/properties/revenue", "campaign": "/campaign_id"}
MOST = 20
LONGEST = 80


@dataclass(frozen=True)
class Unknown:
    """Where it stands (RFC 6901), and a sentence for people."""

    pointer: str
    message: str


def unknown_fields(line: bytes) -> list[Unknown]:
    """The first of them, in their order; none of a line that is no object."""
    try:
        event = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = _walk(event, known_fields(), "") if isinstance(event, dict) else iter(())
    return [one for one, _ in zip(found, range(MOST), strict=False)]


@cache
def known_fields() -> Tree:
    """Names by what stands below them; None where that is free or a single value."""
    tree = _tree(inspect.type_info(Event))
    return {**tree, "properties": None} if tree else {}


def _tree(kind: inspect.Type) -> Tree | None:
    if isinstance(kind, inspect.StructType):
        return {field.encode_name: _tree(field.type) for field in kind.fields}
    return _tree(kind.item_type) if isinstance(kind, inspect.VarTupleType) else None


def _walk(value: Any, known: Tree, at: str) -> Iterator[Unknown]:
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _walk(inner, known, f"{at}/{place}") if isinstance(inner, dict) else ()
    for name, inner in value.items() if isinstance(value, dict) else ():
        pointer = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in known:
            if known[name]:
                yield from _walk(inner, known[name], pointer)
        elif pointer not in PASSED:
            yield Unknown(pointer[:LONGEST], f"Unknown field {pointer[:LONGEST]}, ignored{_hint(name, known, at)}")


def _hint(name: str, known: Tree, at: str) -> str:
    near = get_close_matches(name[:LONGEST].lower(), known, n=1, cutoff=0.75)
    meant = f"{at}/{near[0]}" if near else _elsewhere().get(name.lower(), "")
    return f"; did you mean {meant}?" if meant else "."


@cache
def _elsewhere() -> Mapping[str, str]:
    """Names that have their place in another member."""
    inner = {name: f"/{outer}/{name}" for outer, below in known_fields().items() for name in below or ()}
    own = {field: f"/properties/{field}" for field in Properties.__struct_fields__}
    return {**inner, **own, **MEANT, **{name: f"/{name}" for name in known_fields()}}
