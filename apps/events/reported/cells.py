"""What a table is made of: rows of text cells with the line they began on. A workbook's cells know more than text."""

from typing import NamedTuple

# No export has wider rows, in columns or in characters. What is wider fills memory, and is no report.
MOST_COLUMNS = 2_000
LONGEST_ROW = 1 << 16
# So much of a file is read, unpacked, while somebody waits for the page that shows its first rows.
GLANCE_SIZE, GLANCE_ROWS = 16 << 20, 50_000


class Row(NamedTuple):
    """`line` counts from 1, in a workbook as its rows do."""

    line: int
    cells: list[str]


class Exact(str):
    """A number, date or time that the workbook holds as such: it is written one way only, in every column."""

    __slots__ = ()


class Formula(str):
    """What a workbook computes. Its result is not in the file for certain, so it is no figure."""

    __slots__ = ()


def is_formula(cell: str) -> bool:
    """A spreadsheet would run it, whether the file is a workbook or text."""
    return cell.__class__ is Formula or cell.lstrip()[:1] == "="
