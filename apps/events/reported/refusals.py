"""Why a file or a row is not taken, each reason with its stable code. `quality` has those of events."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.common.errors import InvalidInput

# What is wrong with a row; the others of its file are kept.
ROW_CODES: Mapping[str, str] = {
    "missing_field": "a required value is empty",
    "wrong_date": "the date is none, or not in the order of the others",
    "wrong_hour": "the hour is not one of 0 to 23",
    "date_out_of_range": "the date is before 2000 or more than a day ahead",
    "wrong_number": "a figure is not a number written as the others are",
    "not_whole": "impressions and clicks are whole numbers",
    "negative_figure": "a count is negative",
    "negative_money": "an amount of money is negative",
    "money_out_of_range": "an amount of money is not a finite number below 10^18",
    "unknown_currency": "the currency is not an ISO 4217 code",
    "wrong_platform": "the platform is not 1 to 40 lower-case letters, digits or underscores",
    "formula": "the cell is a formula, or begins like one",
    "mangled_id": "a spreadsheet has rounded the id (1.23E+17); export it as text",
    "text_too_long": "a text is longer than 256 characters",
}
# What is wrong with a file; nothing of it is kept.
FILE_CODES: Mapping[str, str] = {
    "no_header": "no row looks like the names of columns",
    "missing_column": "no column is the date, or none the campaign",
    "ambiguous_dates": "day and month cannot be told apart",
    "ambiguous_numbers": "decimal and thousands marks cannot be told apart",
    "mixed_currencies": "one campaign has amounts of two currencies on one day",
    "macros": "the workbook has macros",
    "external_links": "the workbook refers to other files",
    "encrypted": "the workbook is protected by a password",
    "old_workbook": "the workbook is of the form before 2007 (.xls)",
    "not_a_workbook": "the file is neither a text file nor a workbook",
    "unpacks_too_large": "the file unpacks to far more than a report has",
    "unreadable_line": "a line cannot be read",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell of a row: a stable code, the column, and a sentence for people."""

    code: str
    column: str
    message: str


def refuse(code: str, message: str) -> InvalidInput:
    """An error about the whole file, by one of `FILE_CODES`."""
    if code not in FILE_CODES:
        raise AssertionError(f"{code} is not in FILE_CODES.")
    return InvalidInput(message, code=code)
