"""Small files that unpack to a lot: a look at them costs little memory, and what no report has is refused in words."""

import gzip
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import openpyxl
import pytest

from apps.common.errors import InvalidInput
from apps.events.reported.reading import open_table
from apps.events.uploads.looking import look_at

MB = 1 << 20
HEADER = b"Date,Campaign,Cost\n2026-01-01,a,1\n"
XML = (
    b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c t="inlineStr"><is><t>Date</t></is></c><c t="inlineStr"><is><t>Campaign</t></is></c>'
    b'<c t="inlineStr"><is><t>Cost</t></is></c></row>%s</sheetData></worksheet>'
)


def packed(path: Path, *parts: bytes) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for part in parts:
            file.write(part)
    return path


def sheet(path: Path, rows: bytes) -> Path:
    """A workbook whose only sheet has these rows below its header."""
    plain = path.with_suffix(".plain")
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            new.writestr(part.filename, XML % rows if is_sheet else old.read(part))
    return path


def long_text(size: int) -> bytes:
    """Packs to a hundredth, as no bomb does that is refused for its ratio alone."""
    piece = bytes(Random(7).choices(b"abcdefghijklmnopqrstuvwxyz", k=1024))
    return piece * (size // 1024)


def one_line(folder: Path) -> Path:
    return packed(folder / "line.csv.gz", HEADER, b"2026-01-02,", *[b"a" * MB] * 100)


def one_row(folder: Path) -> Path:
    return packed(folder / "row.csv.gz", HEADER, b'2026-01-02,"\n', *[b'","\n' * (MB // 4)] * 32)


def blank_lines(folder: Path) -> Path:
    return packed(folder / "blank.csv.gz", HEADER, *[b"\n" * MB] * 100)


def one_cell(folder: Path) -> Path:
    return sheet(folder / "cell.xlsx", b'<row r="2"><c t="inlineStr"><is><t>%s</t></is></c></row>' % long_text(50 * MB))


def many_cells(folder: Path) -> Path:
    return sheet(
        folder / "cells.xlsx",
        b'<row r="2">%s</row>' % b"".join(b"<c><v>%d</v></c>" % number for number in range(MB // 4)),
    )


def row_number_of_a_billion(folder: Path) -> Path:
    return sheet(folder / "far.xlsx", b'<row r="1000000000"><c><v>1</v></c></row>')


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (one_line, 16 * MB),
        (one_row, 16 * MB),
        (blank_lines, 16 * MB),
        (one_cell, 32 * MB),
        (many_cells, 32 * MB),
        (row_number_of_a_billion, 16 * MB),
    ],
)
def test_a_look_costs_little_memory(make: Callable[[Path], Path], most: int, tmp_path: Path) -> None:
    path = make(tmp_path)
    assert path.stat().st_size < 2 * MB
    tracemalloc.start()
    try:
        look_at(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MB:.0f} MB"


@pytest.mark.parametrize("is_glance", [True, False])
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (one_line, "more than 65,536 characters without an end"),
        (one_row, "more than 65,536 characters without an end"),
        (one_cell, "a row of more than 2 MB"),
        (many_cells, "a row of more than 2 MB"),
    ],
)
def test_a_row_that_no_report_has_is_refused(
    make: Callable[[Path], Path], says: str, is_glance: bool, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=says) as refused, open_table(make(tmp_path), is_glance=is_glance) as table:
        list(table.rows())
    assert refused.value.code == "unreadable_line"


def test_a_row_beyond_those_that_a_sheet_may_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="beyond 1,048,576"), open_table(row_number_of_a_billion(tmp_path)) as table:
        list(table.rows())


def test_a_wide_row_of_a_workbook_is_refused_by_its_characters(tmp_path: Path) -> None:
    cells = b'<c t="inlineStr"><is><t>%s</t></is></c>' % (b"a" * 30_000)
    path = sheet(tmp_path / "wide.xlsx", b'<row r="2">%s</row>' % (cells * 3))
    with pytest.raises(InvalidInput, match="Row 2 of the workbook has more than 65,536"), open_table(path) as table:
        list(table.rows())


def test_a_thousand_columns_of_one_name_are_soon_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(",".join(["Date", "Cost", *["x"] * 5_000]) + "\n")
    with open_table(path) as table:
        assert (len(table.header), table.header[-1]) == (2_000, "x (1998)")


def test_a_glance_ends_after_some_megabytes_and_says_so(tmp_path: Path) -> None:
    wide, narrow = b"2026-01-01," + b"a" * 1_000 + b",1\n", b"2026-01-01,a,1\n"
    for row, count in ((wide, 20_000), (narrow, 60_000)):
        path = packed(tmp_path / "large.csv.gz", HEADER, *[row * 1_000] * (count // 1_000))
        with open_table(path, is_glance=True) as table:
            assert not table.is_cut
            assert 10_000 < len(list(table.rows())) < count
            assert table.is_cut
        with open_table(path) as table:
            assert len(list(table.rows())) == count + 1
            assert not table.is_cut


def test_a_glance_at_a_workbook_ends_too(tmp_path: Path) -> None:
    row = b'<row><c t="inlineStr"><is><t>2026-01-01</t></is></c><c t="inlineStr"><is><t>%s</t></is></c></row>'
    rows = (row % long_text(30_720)) * 1_000
    with open_table(sheet(tmp_path / "large.xlsx", rows), is_glance=True) as table:
        assert 100 < len(list(table.rows())) < 1_000
        assert table.is_cut
