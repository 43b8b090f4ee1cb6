"""Text tables: which encoding, which delimiter, and their rows as a stream."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from apps.common.errors import InvalidInput
from apps.events.importing import Progress, open_file, unpacked
from apps.events.reported.cells import GLANCE_ROWS, GLANCE_SIZE, LONGEST_ROW, MOST_COLUMNS, Row
from apps.events.reported.header import SEARCHED, find_header, known_names
from apps.events.reported.refusals import refuse

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Bytes that say nothing in Windows-1252; a text that has one is ISO 8859-1.
UNDEFINED_IN_1252 = b"\x81\x8d\x8f\x90\x9d"
HEAD = 1 << 16
MOST_UNPACKED = 2 << 30


@dataclass
class Text:
    """A text file as a source of rows; it is opened anew for each reading. `is_cut`: the last one ended early."""

    path: Path
    encoding: str
    delimiter: str
    is_glance: bool
    is_cut: bool = False

    sheet = ""

    def rows(self, progress: Progress) -> Iterator[Row]:
        with open_bytes(self.path, progress) as stream:
            errors = "replace" if self.is_glance else "strict"
            lines = Lines(io.TextIOWrapper(stream, self.encoding, errors, newline=""))
            for row in read_rows(lines, self.delimiter):
                yield row
                if self.is_glance and (lines.characters > GLANCE_SIZE or row.line > GLANCE_ROWS):
                    self.is_cut = True
                    return

    def close(self) -> None:
        """Nothing stays open."""


class Lines:
    """Lines of a text, for a reader that gathers as many of them as a row needs: `characters` so far, and `row` of
    the row that is being read. One that never ends is refused before it fills memory."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self.characters = self.row = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_ROW + 1):
            self.characters += len(line)
            self.row += len(line)
            if self.row > LONGEST_ROW:
                raise csv.Error(f"more than {LONGEST_ROW:,} characters without an end")
            yield line


def open_text(path: Path, wanted: Sequence[str], *, is_glance: bool) -> Text:
    def open_anew() -> BinaryIO:
        return open_bytes(path, _ignore)

    encoding = detect_encoding(open_anew, GLANCE_SIZE if is_glance else MOST_UNPACKED)
    with open_anew() as stream:
        head = io.TextIOWrapper(stream, encoding, newline="", errors="replace").read(HEAD)
    return Text(path, encoding, detect_delimiter(head, wanted, whole=len(head) < HEAD), is_glance)


def detect_encoding(open_anew: Callable[[], BinaryIO], most: int) -> str:
    """By the mark at its beginning, by the place of zero bytes, or by whether all of it is UTF-8, as far as `most`."""
    with open_anew() as stream:
        head = stream.read(HEAD)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name
        if b"\x00" in head:
            return _utf16_without_mark(head)
        return _utf8_or_latin(head, stream, most)


def _utf16_without_mark(head: bytes) -> str:
    """Digits, delimiters and line ends have their zero byte second in little-endian, first in big-endian."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if min(first, second) * 3 > max(first, second) or max(first, second) * 20 < len(head):
        raise refuse(
            "not_a_workbook", "This is neither a text file nor an .xlsx workbook: it has bytes that no text has."
        )
    return "utf-16-le" if second > first else "utf-16-be"


def _utf8_or_latin(head: bytes, stream: BinaryIO, most: int) -> str:
    decoder, part, undefined, is_utf8 = codecs.getincrementaldecoder("utf-8")(), head, False, True
    while True:
        undefined = undefined or any(byte in part for byte in UNDEFINED_IN_1252)
        if is_utf8:
            try:
                decoder.decode(part, final=not part)
            except UnicodeDecodeError:
                is_utf8 = False
        most -= len(part)
        if not part or most < 0 or (undefined and not is_utf8):
            break
        part = stream.read(1 << 20)
    return "utf-8" if is_utf8 else "latin-1" if undefined else "cp1252"


def detect_delimiter(head: str, wanted: Sequence[str], *, whole: bool) -> str:
    """The one that gives the header most of the names we know, then the most even rows, then the most columns."""

    def fitness(delimiter: str) -> tuple[int, int, float, int]:
        try:
            rows = list(islice(read_rows(Lines(io.StringIO(head, newline="")), delimiter), SEARCHED + 1))
        except InvalidInput:
            return (0, 0, 0.0, 0)
        if not whole and len(rows) <= SEARCHED:
            rows = rows[:-1]
        place = find_header(rows, wanted)
        if place is None:
            return (0, 0, 0.0, 0)
        width = len(rows[place].cells)
        below = [row for row in rows[place + 1 :] if row.cells]
        even = sum(len(row.cells) == width for row in below) / len(below) if below else 1.0
        return (known_names(rows[place]), int(width > 1), even, width)

    return max(DELIMITERS, key=fitness)


def read_rows(lines: Lines, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells[:MOST_COLUMNS])
            line, lines.row = reader.line_num + 1, 0
    except csv.Error as error:
        raise refuse(
            "unreadable_line",
            f"Line {line:,} cannot be read ({error}). Is a quotation mark opened there and not closed?",
        ) from error
    except UnicodeDecodeError as error:
        raise refuse(
            "unreadable_line", f"A character near line {line:,} cannot be read as {error.encoding}."
        ) from error


def open_bytes(path: Path, progress: Progress) -> BinaryIO:
    return io.BufferedReader(_Bounded(unpacked(open_file(path), progress)), 1 << 20)


class _Bounded(io.RawIOBase):
    """A file's bytes, unpacked, up to more than any report has."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, MOST_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        try:
            part = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise refuse(
                "unreadable_line",
                "The file is cut off or damaged: its gzip stream does not end as it should. Fetch it again.",
            ) from error
        self._left -= len(part)
        if self._left < 0:
            raise refuse("unpacks_too_large", f"The file unpacks to more than {MOST_UNPACKED >> 30} GB; split it.")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _ignore(done: int) -> None:
    """Looking at a file is no progress."""
