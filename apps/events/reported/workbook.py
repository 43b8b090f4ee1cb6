"""Workbooks (.xlsx): what is refused before anything is unpacked, and the rows of a sheet as a stream."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

from apps.events.importing import Progress
from apps.events.reported.cells import Exact, Formula, Row
from apps.events.reported.header import SEARCHED, find_header, known_names
from apps.events.reported.refusals import refuse

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_UNPACKED = 2 << 30
# Held in memory while the workbook is open: the texts that cells refer to, and all parts that are no sheet.
MOST_SHARED_TEXTS = 8 << 20
MOST_OTHER_PART = 8 << 20
# Text of a sheet packs to a twentieth at best; beyond this something else is packed.
HIGHEST_RATIO = 300
MOST_COLUMNS = 2_000
SAFE_INTEGER = 2**53
PROGRESS_EVERY = 1_000


@dataclass(frozen=True)
class Workbook:
    """One sheet of an open workbook as a source of rows."""

    book: Any
    file: BinaryIO
    sheet: str
    size: int

    encoding = delimiter = ""

    def rows(self, progress: Progress) -> Iterator[Row]:
        """A workbook does not say how many bytes of it are read: `progress` is by rows, as far as it tells how many."""
        sheet = self.book[self.sheet]
        expected = sheet.max_row or 0
        sheet.reset_dimensions()
        for row in read_rows(sheet):
            if expected and row.line % PROGRESS_EVERY == 0:
                progress(min(self.size * row.line // expected, self.size))
            yield row
        progress(self.size)

    def close(self) -> None:
        self.book.close()
        self.file.close()


def is_workbook(head: bytes) -> bool:
    return head.startswith((ZIP, OLE))


def open_workbook(path: Path, wanted: Sequence[str]) -> Workbook:
    check(path)
    # An opened file: by its name, openpyxl would go by the ending, and an upload has none.
    file = path.open("rb")
    try:
        book = _translated(lambda: openpyxl.load_workbook(file, read_only=True, keep_links=False))
    except BaseException:
        file.close()
        raise
    sheets = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
    names = [one.title for one in sheets]
    return Workbook(book, file, max(names, key=lambda name: _fitness(book[name], wanted)), path.stat().st_size)


def check(path: Path) -> None:
    """Refuse what is no plain workbook, by its list of parts alone."""
    with path.open("rb") as file:
        if file.read(8) == OLE:
            raise _old_or_encrypted(path)
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise refuse("not_a_workbook", "The workbook is cut off or damaged; save or fetch it again.") from error
    _check_kind(parts)
    _check_sizes(parts)


def _check_kind(parts: Sequence[zipfile.ZipInfo]) -> None:
    names = [part.filename.lower() for part in parts]
    if any(part.flag_bits & 1 for part in parts):
        raise refuse("encrypted", "The workbook is protected by a password. Save it without one.")
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
        raise refuse("macros", "The workbook has macros. Save it as .xlsx, which has none.")
    if any(name.startswith("xl/externallinks/") for name in names):
        raise refuse(
            "external_links",
            "The workbook refers to other files. Break the links (Data, Edit links) and save it again.",
        )
    if "xl/workbook.xml" not in names:
        raise refuse("not_a_workbook", "This is a zip file, but no .xlsx workbook. Unpack it and import what is in it.")


def _check_sizes(parts: Sequence[zipfile.ZipInfo]) -> None:
    """A part is never read beyond the size that it states, so the stated sizes bind."""
    for part in parts:
        name = part.filename.lower()
        if part.file_size > HIGHEST_RATIO * max(part.compress_size, 4096):
            raise refuse("unpacks_too_large", f"{part.filename} in the workbook unpacks to {part.file_size:,} bytes.")
        if name.startswith(("xl/worksheets/", "xl/media/")):
            continue
        limit = MOST_SHARED_TEXTS if name == "xl/sharedstrings.xml" else MOST_OTHER_PART
        if part.file_size > limit:
            raise refuse(
                "unpacks_too_large",
                f"{part.filename} in the workbook has {part.file_size:,} bytes, at most {limit:,} are read. "
                "Save the sheet as CSV instead.",
            )
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise refuse("unpacks_too_large", f"The workbook unpacks to more than {MOST_UNPACKED >> 30} GB; split it.")


def _old_or_encrypted(path: Path) -> Exception:
    sign, before = "EncryptedPackage".encode("utf-16-le"), b""
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            if sign in before + part:
                return refuse("encrypted", "The workbook is protected by a password. Save it without one.")
            before = part[-len(sign) :]
    return refuse("old_workbook", "This is a workbook of the form before 2007 (.xls). Save it as .xlsx or CSV.")


def _fitness(sheet: Any, wanted: Sequence[str]) -> int:
    rows = list(islice(read_rows(sheet), SEARCHED))
    place = find_header(rows, wanted)
    return -1 if place is None else known_names(rows[place])


def read_rows(sheet: Any) -> Iterator[Row]:
    rows = _translated(lambda: sheet.iter_rows(values_only=True))
    line = 0
    while (values := _translated(lambda: next(rows, None))) is not None:
        line += 1
        yield Row(line, [_text(value) for value in values[:MOST_COLUMNS]])


def _translated(step: Callable[[], Any]) -> Any:
    """The library tells of a damaged workbook in many ways."""
    try:
        return step()
    except (DefusedXmlException, ParseError) as error:
        raise refuse("not_a_workbook", "The workbook's XML is damaged or not what a workbook has.") from error
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
    ) as error:
        raise refuse(
            "not_a_workbook", "The workbook is damaged; open it, save it again as .xlsx, and import that."
        ) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return Formula(value) if value[:1] == "=" else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return Exact(int(value) if value.is_integer() and abs(value) < SAFE_INTEGER else repr(value))
    if isinstance(value, int):
        return Exact(value)
    return Exact(value.isoformat()) if isinstance(value, date | datetime | time) else Formula("=")
