"""What a file is, before any of it is imported: its format, how many lines, and how its first rows would be taken."""

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from apps.common.errors import InvalidInput
from apps.events.canonical import Rejection
from apps.events.edge.judging import judge
from apps.events.formats.base import Beginning, Format, ReadOptions
from apps.events.formats.registry import recognise
from apps.events.importing import GZIP, open_file, start_of_today, unpacked
from apps.events.privacy import blot
from apps.events.quality import Window
from apps.events.uploads.reports import PERFORMANCE, looks_like_report

# What a workbook begins with.
ZIP = b"PK\x03\x04"
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
BEGINNING = 256_000
COUNTED = 16_000_000
TOO_OLD = "timestamp_too_old"
SHOWN_ROWS = 20
SHOWN_COLUMNS = 14
SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Look:
    """`lines` is None where nobody can say; not `exact` where it is taken from the beginning."""

    format: str
    lines: int | None
    exact: bool


@dataclass(frozen=True)
class Cell:
    text: str
    wrong: bool = False


@dataclass(frozen=True)
class PreviewRow:
    number: int
    cells: Sequence[Cell]
    problem: str = ""


@dataclass(frozen=True)
class Preview:
    columns: Sequence[str]
    rows: Sequence[PreviewRow]
    error: str = ""

    @property
    def problems(self) -> int:
        return sum(bool(row.problem) for row in self.rows)


def look_at(path: Path) -> Look:
    """Never raises for what is in the file: a damaged one has no format."""
    try:
        with opened(path) as (stream, _):
            beginning = stream.read(BEGINNING)
        if beginning.startswith(ZIP):
            return Look(PERFORMANCE if looks_like_report(path) else "", None, False)
        found = recognise(beginning_of(beginning))
        lines, exact = count_lines(path)
    except InvalidInput:
        return Look("", None, False)
    name = found.name if found else PERFORMANCE if looks_like_report(path) else ""
    return Look(name, lines, exact)


def beginning_of(data: bytes) -> Beginning:
    utf_16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return Beginning(data.decode("utf-16" if utf_16 else "utf-8-sig", "replace").splitlines()[:20])


def count_lines(path: Path) -> tuple[int, bool]:
    """Lines of the file; of a large one, as many as its beginning makes likely."""
    with opened(path) as (stream, consumed):
        count = done = 0
        last = b""
        while done < COUNTED and (piece := stream.read(1 << 20)):
            count, done, last = count + piece.count(b"\n"), done + len(piece), piece
        count += bool(last) and not last.endswith(b"\n")
        if not stream.read(1):
            return count, True
        size = path.stat().st_size
        whole = max(size * done / max(consumed[0], 1), _unpacked_size(path))
        return round(count * whole / done), False


def _unpacked_size(path: Path) -> int:
    """As the last four bytes of gzip say; 0 for other files, and less than it is above 4 GB."""
    with path.open("rb") as file:
        if file.read(2) != GZIP:
            return 0
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def preview(path: Path, file_format: Format, *, key: bytes, history: bool) -> Preview:
    """The first rows as events, personal data taken out as on import, and what is wrong with each."""
    window = Window.at(datetime.now(UTC), history=history)
    try:
        with opened(path) as (stream, _):
            lines = islice(file_format.read(stream, ReadOptions(end=start_of_today())), SHOWN_ROWS)
            verdicts = [judge(line, key, window) for line in lines]
    except InvalidInput as error:
        return Preview((), (), error.message)
    if not verdicts:
        return Preview((), (), "The file has no events: there is a header at most.")
    flat = [_flat(verdict.line) for verdict in verdicts]
    columns = list(dict.fromkeys(name for fields in flat for name in fields))[:SHOWN_COLUMNS]
    rows = [
        PreviewRow(
            number,
            [Cell(_shown(fields.get(name, "")), bool(why and why.field == name)) for name in columns],
            _words(why),
        )
        for number, (fields, why) in enumerate(zip(flat, (one.why for one in verdicts), strict=True), start=1)
    ]
    return Preview(columns, rows)


def first_lines(path: Path) -> list[str]:
    """How a file begins that no format knows, without personal data."""
    try:
        with opened(path) as (stream, _):
            lines = beginning_of(stream.read(20_000)).lines[:5]
    except InvalidInput:
        return []
    return [blot(line.encode()).decode("utf-8", "replace")[:400] for line in lines]


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, list[int]]]:
    """The unpacked stream, and how many bytes of the file itself were read; damage becomes `InvalidInput`."""
    consumed = [0]

    def progress(count: int) -> None:
        consumed[0] = count

    try:
        with open_file(path) as raw:
            yield cast(BinaryIO, unpacked(raw, progress)), consumed
    except DAMAGED as error:
        raise InvalidInput("The file is cut off or damaged: its gzip stream does not end as it should.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not in UTF-8.") from error


def _words(why: Rejection | None) -> str:
    if why is None:
        return ""
    return "Older than 90 days. Say that this is history to take it." if why.code == TOO_OLD else why.message


def _flat(line: bytes) -> dict[str, str]:
    """A line's fields by dotted name; what is no JSON object stands whole under `line`."""
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return {"line": line.decode("utf-8", "replace")}
    return dict(_leaves(fields))


def _leaves(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict) and value and prefix.count(".") < 3:
            yield from _leaves(value, f"{prefix}{name}.")
        elif value is not None and value != {}:
            yield f"{prefix}{name}", value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
