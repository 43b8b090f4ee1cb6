"""Tables in every layout that exports have, read back as they were written; and files that are none, refused."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.common.errors import InvalidInput
from apps.events.reported.mapping import suggest
from apps.events.reported.reading import open_table
from apps.events.reported.roles import Role

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
SPECTRUM = SHARED / "csv" / "csv-spectrum"
SEEDS = SHARED / "performance" / "ad-reporting-seeds"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real input is not at {SHARED}")
HEADER = ["Date", "Campaign name", "Ad", "Cost"]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1")
TITLES = ("", "Campaign report\r\n", "Campaign report\r\n1 January 2026 – 31 January 2026\r\n\r\n".replace("–", "-"))
# What a spreadsheet can hold; lone carriage returns are ends of lines to it, and rows of nothing are no rows.
CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from(',;\t"\n|'), max_size=12)


def spectrum() -> list[str]:
    """`location_coordinates.json` says otherwise than its CSV in the set itself: a telephone number and its letters."""
    return sorted(path.stem for path in SPECTRUM.glob("csvs/*.csv") if path.stem != "location_coordinates")


@needs_shared
@pytest.mark.parametrize("name", spectrum() if SHARED.is_dir() else [])
def test_the_spectrum_of_csv_is_read_as_its_json_says(name: str) -> None:
    expected = json.loads((SPECTRUM / "json" / f"{name}.json").read_text(encoding="utf-8"))
    with open_table(SPECTRUM / "csvs" / f"{name}.csv") as table:
        read = [dict(zip(table.header, row.cells, strict=True)) for row in table.rows()]
    assert read == (expected if isinstance(expected, list) else [expected])


def write(path: Path, rows: list[list[str]], encoding: str, delimiter: str, title: str = "") -> None:
    out = io.StringIO(newline="")
    out.write(title)
    csv.writer(out, delimiter=delimiter).writerows([HEADER, *rows])
    path.write_bytes(out.getvalue().encode(encoding))


@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from(",;\t"),
    title=st.sampled_from(TITLES),
)
def test_any_table_in_any_layout_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], encoding: str, delimiter: str, title: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "table.csv"
    try:
        write(path, rows, encoding, delimiter, title)
    except UnicodeEncodeError:
        assume(False)
    if encoding in {"cp1252", "latin-1"}:
        # Bytes that happen to be UTF-8 as well are taken for it, as every reader does.
        assume(not _is_utf8(path.read_bytes()) or path.read_bytes().isascii())
        rows = [[cell.encode(encoding).decode(_single_byte(path.read_bytes())) for cell in row] for row in rows]
    with open_table(path) as table:
        assert list(table.header) == HEADER
        read = [row.cells for row in table.rows()]
    assert read == [row for row in rows if any(cell and not cell.isspace() for cell in row)]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _single_byte(data: bytes) -> str:
    if _is_utf8(data):
        return "utf-8"
    return "latin-1" if set(data) & set(b"\x81\x8d\x8f\x90\x9d") else "cp1252"


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text('A title\n\nDate,Campaign\n2026-01-01,"two\nlines"\n\n2026-01-02,b\n')
    with open_table(path) as table:
        assert table.layout.header_line == 3
        assert [row.line for row in table.rows()] == [4, 7]
        assert [row.line for row in table.rows()] == [4, 7]


def test_a_gzipped_table_is_unpacked_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "report.csv.gz"
    path.write_bytes(gzip.compress("Date;Campaign\n2026-01-01;ü\n".encode()))
    with open_table(path) as table:
        assert [row.cells for row in table.rows()] == [["2026-01-01", "ü"]]


def test_names_that_stand_twice_or_are_missing_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("Date,Clicks,Clicks,,Campaign\n2026-01-01,1,2,3,a\n")
    with open_table(path) as table:
        assert table.header == ("Date", "Clicks", "Clicks (2)", "Column 4", "Campaign")


def workbook(path: Path, *rows: list[object], title: str = "Report") -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["Made by hand"])
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_the_sheet_with_the_header_is_read_and_ids_keep_their_digits(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "report.xlsx",
        ["Campaign report"],
        ["Day", "Campaign ID", "Cost", "Clicks"],
        ["2026-01-01", "9007199254740993", 1234.5, 7],
        ["2026-01-02", 12345678901, 0.1, "=SUM(D3)"],
    )
    with open_table(path) as table:
        assert (table.layout.sheet, table.layout.header_line) == ("Report", 2)
        first, second = table.rows()
    assert first.cells == ["2026-01-01", "9007199254740993", "1234.5", "7"]
    assert second.cells == ["2026-01-02", "12345678901", "0.1", "=SUM(D3)"]


def repacked(source: Path, target: Path, add: dict[str, bytes], without: str = "") -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in add and part.filename != without:
                new.writestr(part, old.read(part))
        for name, data in add.items():
            new.writestr(name, data)
    return target


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("add", "without", "code"),
    [
        ({"xl/vbaProject.bin": b"x"}, "", "macros"),
        ({"xl/externalLinks/externalLink1.xml": b"<x/>"}, "", "external_links"),
        ({}, "xl/workbook.xml", "not_a_workbook"),
        ({"xl/worksheets/sheet2.xml": ENTITIES}, "", "not_a_workbook"),
        ({"xl/worksheets/sheet2.xml": b"<worksheet><sheetData><row><c"}, "", "not_a_workbook"),
        ({"xl/worksheets/sheet2.xml": b" " * 50_000_000}, "", "unpacks_too_large"),
        ({"xl/styles.xml": bytes(range(256)) * 40_000}, "", "unpacks_too_large"),
    ],
)
def test_a_workbook_that_is_more_than_a_table_is_refused(
    tmp_path: Path, add: dict[str, bytes], without: str, code: str
) -> None:
    plain = workbook(tmp_path / "plain.xlsx", ["Day", "Campaign", "Cost"], ["2026-01-01", "a", 1])
    path = repacked(plain, tmp_path / "more.xlsx", add, without)
    with pytest.raises(InvalidInput) as refused, open_table(path) as table:
        list(table.rows())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "old_workbook"),
        (b"PK\x03\x04" + b"x" * 100, "not_a_workbook"),
        (gzip.compress(b"PK\x03\x04" + b"x" * 100), "not_a_workbook"),
        (bytes(range(256)) * 8, "not_a_workbook"),
        (b"2026-01-01,a,1\n2026-01-02,b,2\n", "no_header"),
        (gzip.compress(b"Date,Campaign\n2026-01-01,a\n" * 5000)[:-20], "unreadable_line"),
        (b"Date,Campaign\n2026-01-01,\xff\xfe" + b"a" * 1_100_000, "unreadable_line"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as refused, open_table(path) as table:
        list(table.rows())
    assert refused.value.code == code


# What is left to be named by hand: Apple calls the campaign's id only `id`.
CORRECTED = {"apple_search_campaign_report_data": {Role.CAMPAIGN_ID: "id"}}
CAMPAIGN_REPORTS = {
    "amazon_ads_campaign_level_report_data": ("amazon_ads", "cost", ()),
    "apple_search_campaign_report_data": ("apple_search_ads", "local_spend_amount", ()),
    "google_ads_campaign_stats_data": ("google_ads", "cost_micros", ("spend",)),
    "linkedin_ad_analytics_by_campaign_data": ("linkedin_ads", "cost_in_local_currency", ()),
    "microsoft_ads_campaign_performance_daily_report_data": ("microsoft_ads", "spend", ()),
    "pinterest_campaign_report_data": ("pinterest_ads", "spend_in_micro_dollar", ("spend", "revenue")),
    "reddit_ads_campaign_report_data": ("reddit_ads", "spend", ("spend",)),
    "snapchat_campaign_hourly_report_data": ("snapchat_ads", "spend", ("spend",)),
    "tiktok_campaign_report_hourly_data": ("tiktok_ads", "SPEND", ()),
    "twitter_campaign_report_data": ("x_ads", "billed_charge_local_micro", ("spend",)),
}


@needs_shared
@pytest.mark.parametrize("name", CAMPAIGN_REPORTS)
def test_real_campaign_reports_map_by_themselves(name: str) -> None:
    platform, spend, millionths = CAMPAIGN_REPORTS[name]
    with open_table(SEEDS / f"{name}.csv") as table:
        mapping = suggest(table.header, table.sample())
    assert (mapping.options.platform, mapping.columns[Role.SPEND]) == (platform, spend)
    assert mapping.options.millionths == millionths
    assert {Role.DATE, Role.IMPRESSIONS, Role.CLICKS} <= set(mapping.columns)
    missing = mapping.with_columns({**mapping.columns, **CORRECTED.get(name, {})}).missing
    assert missing == []
    assert bool(mapping.missing) is (name in CORRECTED)
