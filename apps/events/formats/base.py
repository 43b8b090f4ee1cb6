"""What a file format is: a reader that turns a byte stream into lines of canonical JSON.

A reader renames and rescales; it does not judge. A value it cannot read stays as it is, so that the ingestor's rules
give it their code and the line goes to quarantine. A file that is not of the format at all is refused here.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, TextIO

from apps.common.errors import InvalidInput
from apps.events.canonical import LONGEST_LINE

# A cell may be as long as a line: lists of deals and of segments are. The csv module's own limit is an eighth of that.
csv.field_size_limit(LONGEST_LINE)
# What vendors write where they have no id: nothing, a word, noughts, or a macro that nobody replaced.
NO_ID = re.compile(r"\s*|N/A|UNKNOWN|null|None|-1|[0.:-]+|\[.*\]|\{\{.*\}\}|\$\{.*\}|%%.*%%", re.IGNORECASE)


@dataclass(frozen=True)
class ReadOptions:
    """What a reader may need besides the file: the moment before which generated times must end."""

    end: datetime


@dataclass(frozen=True)
class Beginning:
    """The first lines of a file, unpacked, by which a format recognises it."""

    lines: Sequence[str]

    def has_columns(self, delimiter: str, needed: Sequence[str]) -> bool:
        """Whether the first line is a header with these."""
        header = next(csv.reader(self.lines[:1], delimiter=delimiter), [])
        return set(needed) <= {name.strip() for name in header}


def event_id_of(prefix: str, *ids: str | None) -> str | None:
    """An event's id by the vendor's own; without these it has none, and its line's hash counts."""
    if any(one is None or NO_ID.fullmatch(one) for one in ids):
        return None
    return "-".join([prefix, *(one for one in ids if one)])


def never(beginning: Beginning) -> bool:
    return False


Reader = Callable[[BinaryIO, ReadOptions], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    name: str
    description: str
    read: Reader
    recognises: Callable[[Beginning], bool] = never
    has_header: bool = False


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their end (\\n or \\r\\n). A longer one than 1 MB is cut to its first 1,000,001 bytes."""
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            _skip_line(stream)
        yield line.rstrip(b"\r\n")


def text_lines(text: TextIO) -> Iterator[str]:
    """Lines of text as they are; one without an end within 1 MB is refused rather than gathered in memory."""
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InvalidInput(f"A line is longer than {LONGEST_LINE:,} characters.", code="line_too_long")
        yield line


def table(text: Iterable[str], *, delimiter: str, needed: tuple[str, ...], what: str) -> Iterator[Mapping[str, str]]:
    """Rows of a delimited file with a header; another header than `what` needs is refused."""
    reader = csv.DictReader(text, delimiter=delimiter, restkey="_more", restval="")
    header = reader.fieldnames or []
    if missing := [name for name in needed if name not in header]:
        shown = ", ".join(header[:4]) or "nothing"
        hint = _other_delimiter(header, delimiter)
        raise InvalidInput(
            f"This is not a {what} file: the header lacks {', '.join(missing)}.{hint} It begins with: {shown[:120]}.",
            code="wrong_header",
        )
    try:
        yield from reader
    except csv.Error as error:
        raise InvalidInput(f"Line {reader.line_num} cannot be read: {error}.", code="unreadable_line") from error


def _other_delimiter(header: object, delimiter: str) -> str:
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
    first = str(header)
    other = next((name for sign, name in names.items() if sign != delimiter and sign in first.replace("', '", "")), "")
    return f" Columns must be separated by {names[delimiter]}, these seem to be by {other}." if other else ""


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
