"""Workbooks (.xlsx): what is refused before anything is unpacked, and the rows of a sheet as a stream."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from apps.events.importing import Progress
from apps.events.reported.cells import GLANCE_ROWS, GLANCE_SIZE, LONGEST_ROW, MOST_COLUMNS, Exact, Formula, Row
from apps.events.reported.header import SEARCHED, find_header, known_names
from apps.events.reported.refusals import refuse

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_UNPACKED = 2 << 30
# Held in memory while the workbook is open: the texts that cells refer to, and all parts that are no sheet.
MOST_SHARED_TEXTS = 8 << 20
MOST_OTHER_PART = 8 << 20
# Text of a sheet packs to a twentieth at best; beyond this something else is packed.
HIGHEST_RATIO = 300
# As many as a sheet may have. A missing row is an empty one, so that one numbered a billion would be that many.
MOST_ROWS = 1 << 20
# Of sheets' XML: what one row has at most, and what is read to find the one with the header.
MOST_ROW_XML = 2 << 20
SEARCHED_XML = 4 << 20
SAFE_INTEGER = 2**53
PROGRESS_EVERY = 1_000


class Sheet(ReadOnlyWorksheet):
    """A sheet whose XML comes through a guard. How large it says it is does not matter: to find that out, a sheet
    without dimensions would be read whole."""

    source: "Guard"

    def _get_size(self) -> None:
        """Not asked for."""

    def _get_source(self) -> "Guard":
        self.source = Guard(super()._get_source())
        return self.source


class Guard(io.RawIOBase):
    """A sheet's XML for the library, which gathers a row, and any text in it, whole: one that does not end is refused.

    `done`: bytes so far. Whoever takes a row says so by `next_row`.
    """

    def __init__(self, part: BinaryIO) -> None:
        self._part, self.done, self._row_from = part, 0, 0

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(size)
        self.done += len(data)
        if self.done - self._row_from > MOST_ROW_XML:
            raise refuse("unreadable_line", f"The workbook has a row of more than {MOST_ROW_XML >> 20} MB.")
        return data

    def next_row(self) -> None:
        self._row_from = self.done

    def close(self) -> None:
        self._part.close()
        super().close()


class Reader(ExcelReader):
    """Opens a workbook and its sheets, none of which is looked into yet."""

    def read_worksheets(self) -> None:
        for sheet, relation in self.parser.find_sheets():
            if relation.target in self.valid_files and "chartsheet" not in relation.Type:
                made = Sheet(self.wb, sheet.name, relation.target, self.shared_strings)
                made.sheet_state = sheet.state
                self.wb._sheets.append(made)


@dataclass
class Workbook:
    """One sheet of an open workbook as a source of rows. `is_cut`: the last reading ended early."""

    book: Any
    file: BinaryIO
    sheet: str
    size: int
    is_glance: bool
    is_cut: bool = False

    encoding = delimiter = ""

    def rows(self, progress: Progress) -> Iterator[Row]:
        """`progress` is told of the file's bytes as if it had this sheet alone."""
        sheet = self.book[self.sheet]
        whole = max(self.book._archive.getinfo(sheet._worksheet_path).file_size, 1)
        for row in read_rows(sheet):
            if row.line % PROGRESS_EVERY == 0:
                progress(self.size * sheet.source.done // whole)
            yield row
            if self.is_glance and (sheet.source.done > GLANCE_SIZE or row.line > GLANCE_ROWS):
                self.is_cut = True
                return
        progress(self.size)

    def close(self) -> None:
        self.book.close()
        self.file.close()


def is_workbook(head: bytes) -> bool:
    return head.startswith((ZIP, OLE))


def open_workbook(path: Path, wanted: Sequence[str], *, is_glance: bool) -> Workbook:
    check(path)
    # An opened file: by its name, openpyxl would go by the ending, and an upload has none.
    file = path.open("rb")
    try:
        book = _translated(lambda: _opened(file))
        sheet = _likeliest(book, wanted)
    except BaseException:
        file.close()
        raise
    return Workbook(book, file, sheet, path.stat().st_size, is_glance)


def _opened(file: BinaryIO) -> Any:
    reader = Reader(file, read_only=True, keep_links=False)
    reader.read()
    return reader.wb


def _likeliest(book: Any, wanted: Sequence[str]) -> str:
    """The title of the sheet whose header fits best: of the first sheets, as far as they are looked into."""
    sheets = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
    if not sheets:
        raise refuse("not_a_workbook", "The workbook has no sheet.")
    fitness: dict[str, int] = {}
    looked_into = 0
    for sheet in sheets:
        if looked_into < SEARCHED_XML:
            fitness[sheet.title] = _fitness(sheet, wanted)
            looked_into += sheet.source.done
    return max(fitness, key=lambda title: fitness[title])


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
        sheet.source.next_row()
        cells = [_text(value) for value in values[:MOST_COLUMNS]]
        if line > MOST_ROWS or sum(map(len, cells)) > LONGEST_ROW:
            raise refuse(
                "unreadable_line", f"Row {line:,} of the workbook has more than {LONGEST_ROW:,} characters, or its "
                f"number is beyond {MOST_ROWS:,}."
            )  # fmt: skip
        yield Row(line, cells)


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
