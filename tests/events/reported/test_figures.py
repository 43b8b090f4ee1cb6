"""Numbers and days as exports write them: exact, and never guessed cell by cell."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.reported import dates, figures
from apps.events.reported.cells import Exact
from apps.events.reported.dates import NotADate, read_hour, read_moment
from apps.events.reported.figures import NotANumber, currency_of, read_number


@pytest.mark.parametrize(
    ("cell", "mark", "value"),
    [
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ",", "1234.56"),
        ("1'234.50", ".", "1234.50"),
        ("1’234,50", ",", "1234.50"),
        ("1\u202f234,5", ",", "1234.5"),
        ("12\u00a0345\u00a0678", ",", "12345678"),
        ("12,34,567.8", ".", "1234567.8"),
        ("$1,234", ".", "1234"),
        ("€ 1.234,5", ",", "1234.5"),
        ("1.234,5 €", ",", "1234.5"),
        ("US$ 12", ".", "12"),
        ("CHF 1'234.50", ".", "1234.50"),
        ("12.50 USD", ".", "12.50"),
        ("(3.50)", ".", "-3.50"),
        ("-$3.50", ".", "-3.50"),
        ("$-3.50", ".", "-3.50"),
        ("−3,50", ",", "-3.50"),
        ("-2E-18", ".", "-2E-18"),
        ("1e3", ".", "1000"),
        (".5", ".", "0.5"),
        ("0", ".", "0"),
    ],
)
def test_a_number_is_read_exactly(cell: str, mark: figures.Mark, value: str) -> None:
    assert read_number(cell, mark) == Decimal(value)


@pytest.mark.parametrize(
    "cell", ["", " ", " --", "--", "-", "—", "N/A", "n/a", "NA", "null", "#N/A", "< 10%", ">90%", "\u00a0"]
)
def test_absent_is_not_zero(cell: str) -> None:
    assert read_number(cell, ".") is None


@pytest.mark.parametrize(
    "cell", ["one", "1.2.3", "1,23", "12 34", "NaN", "Infinity", "1%", "1-2", "(1", "0x10", "1_000", "٣", "1.2e", "$"]
)
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(NotANumber):
        read_number(cell, ".")


@pytest.mark.parametrize(
    ("cells", "mark", "is_open"),
    [
        (["1,234", "12.50"], ".", False),
        (["1.234", "12,50"], ",", False),
        (["1,234"], None, True),
        (["1.234"], None, True),
        (["0.123"], ".", False),
        (["1.234.567"], ",", False),
        (["1234.567"], ".", False),
        (["1,5", "1.5"], None, True),
        (["1.5"] * 40 + ["1,5"], ".", False),
        (["12", "--"], None, False),
        ([Exact("1.234")], None, False),
    ],
)
def test_the_column_decides_the_decimal_mark(cells: list[str], mark: str | None, is_open: bool) -> None:
    found = figures.weigh(cells)
    assert (found.mark, found.is_open) == (mark, is_open)


@given(
    st.decimals(min_value=0, max_value=10**12, places=2),
    st.sampled_from(".,"),
    st.sampled_from(["", "'", " ", "\u202f"]),
)
def test_whatever_the_marks_the_value_comes_back(value: Decimal, mark: figures.Mark, group: str) -> None:
    text = f"{value:,.2f}".replace(",", "_").replace(".", mark).replace("_", group or figures.OTHER[mark])
    assert read_number(text, mark) == value


@pytest.mark.parametrize(
    ("cell", "code"),
    [("€1", "EUR"), ("1 £", "GBP"), ("$1", ""), ("CA$1", "CAD"), ("EUR 1", "EUR"), ("1 SEK", "SEK"), ("1", "")],
)
def test_a_currency_is_taken_where_it_is_certain(cell: str, code: str) -> None:
    assert currency_of(cell) == code


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("2026-01-31", "dmy"), ("2026/1/31", "dmy"), ("20260131", "dmy"), ("31.01.2026", "mdy"), ("31/01/2026", "dmy"),
        ("1/31/2026", "mdy"), ("1/31/26", "mdy"), ("31-01-2026", "dmy"), ("Jan 31, 2026", "dmy"),
        ("31 January 2026", "mdy"),
        ("31. Januar 2026", "dmy"), ("Sat, Jan 31, 2026", "dmy"), ("31-Jan-26", "mdy"), ("31 janv. 2026", "dmy"),
        ("46053", "dmy"), ("2026-01-31 00:00:00 UTC", "dmy"), ("2026-01-31T00:00:00Z", "dmy"),
        ("1/31/2026 12:00 AM", "mdy"),
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_form(cell: str, order: dates.Order) -> None:
    moment = read_moment(cell, order)
    assert moment.day == date(2026, 1, 31)
    assert not moment.hour


@pytest.mark.parametrize(
    "cell", ["2026-13-01", "2026-02-30", "31/01/2026", "yesterday", "12", "99999", "2026-01-31 25:00"]
)
def test_what_is_no_day_is_refused(cell: str) -> None:
    with pytest.raises(NotADate):
        read_moment(cell, "mdy")


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("2026-01-31T05:30:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31 05:30 PM", datetime(2026, 1, 31, 22, tzinfo=UTC)),
        ("2026-01-31T05:00:00+02:00", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        ("2026-01-31 05:00:00 UTC", datetime(2026, 1, 31, 5, tzinfo=UTC)),
        ("2026013105", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_an_hour_is_the_zones_unless_the_cell_says_otherwise(cell: str, hour: datetime) -> None:
    assert read_moment(cell, "dmy").hour_in(ZoneInfo("America/New_York")) == hour


def test_hours_of_zones_off_by_half_an_hour_stay_in_their_day() -> None:
    midnight = read_moment("2026-01-31 00:00", "dmy").hour_in(ZoneInfo("Asia/Kolkata"))
    assert midnight == datetime(2026, 1, 30, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "order", "is_open"),
    [
        (["01/02/2026", "13/02/2026"], "dmy", False),
        (["01/02/2026", "02/13/2026"], "mdy", False),
        (["01/02/2026"], None, True),
        (["13/01/2026", "01/13/2026"], None, True),
        (["01/01/2026", "2026-01-02", "02.03.2026"], None, False),
    ],
)
def test_the_column_decides_the_order_of_day_and_month(cells: list[str], order: str | None, is_open: bool) -> None:
    found = dates.weigh(cells)
    assert (found.order, found.is_open) == (order, is_open)


@pytest.mark.parametrize(
    ("cell", "hour"), [("5", 5), ("05:00", 5), ("5 PM", 17), ("12 AM", 0), ("17:00 - 17:59", 17), ("23:00:00", 23)]
)
def test_an_hour_of_its_own_column(cell: str, hour: int) -> None:
    assert read_hour(cell) == hour
