"""Numbers as exports write them. Which mark is the decimal one is decided for a column, never for a cell."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from apps.events.reported.cells import Exact

Mark = Literal[".", ","]
OTHER: dict[str, Mark] = {".": ",", ",": "."}
# Not known, which is not 0. `< 10%` is how Google Ads hides a small share.
ABSENT = re.compile(
    r"[\s\u00a0]*(?:-{1,3}|[–—]{1,2}|n/?a|n\.a\.|k\. ?a\.|null|none|#n/a|\(not set\)|[<>].*)?[\s\u00a0]*", re.I
)
SPACES = re.compile(r"[\s\u00a0\u202f\u2009\u2007]+")
CURRENCY = r"(?:[A-Z]{0,3}[$€£¥₹₽₩₺₪₫฿₴₦]|[A-Z]{3}|zł|kr\.?|Kč|Ft|R\$|Fr\.?)"
NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+])?{CURRENCY}?(?P<inner>[-+])?"
    rf"(?P<digits>\d[\d.,']*|[.,]\d+)(?P<exponent>[eE][-+]?\d{{1,4}})?{CURRENCY}?(?P<after>-)?(?P<close>\))?",
    re.A,
)
# The whole part, by the mark between its groups; India groups by two.
GROUPED = {mark: re.compile(rf"\d+|\d{{1,3}}(?:[{mark}']\d{{2,3}})*[{mark}']\d{{3}}") for mark in ".,"}
# A cell in so many that is written otherwise than its column is a mistake, and does not make the column doubtful.
FEW = 20
# Most figures are written like this; they need no further look.
PLAIN = {mark: re.compile(rf"\d+(?:[{mark}]\d+)?", re.A) for mark in ".,"}
CODE = re.compile(r"[A-Z]{3}(?![A-Z])")
SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY", "₪": "ILS", "₫": "VND", "₴": "UAH", "₦": "NGN",
         "CA$": "CAD", "A$": "AUD", "US$": "USD", "R$": "BRL", "NZ$": "NZD", "HK$": "HKD", "zł": "PLN", "Kč": "CZK",
         "Ft": "HUF"}  # fmt: skip


class NotANumber(ValueError):
    """The cell is not empty, and no number either."""


@dataclass
class Evidence:
    """How many of a column's cells show which decimal mark; `open_marks` are those that could be either."""

    point: int = 0
    comma: int = 0
    open_marks: frozenset[str] = frozenset()

    @property
    def mark(self) -> Mark | None:
        """The decimal mark, if the cells agree on one but for a stray."""
        if self.comma * FEW <= self.point and self.point:
            return "."
        return "," if self.point * FEW <= self.comma and self.comma else None

    @property
    def is_contradictory(self) -> bool:
        return self.mark is None and bool(self.point or self.comma)

    @property
    def is_open(self) -> bool:
        return self.is_contradictory or (self.mark is None and bool(self.open_marks))


def weigh(cells: Iterable[str]) -> Evidence:
    found = Evidence()
    for cell in cells:
        if cell.__class__ is Exact or not (digits := _digits(cell)):
            continue
        mark, certain = _mark_of(*digits)
        if mark and not certain:
            found.open_marks |= {mark}
        elif mark == ".":
            found.point += 1
        elif mark == ",":
            found.comma += 1
    return found


def is_absent(cell: str) -> bool:
    return ABSENT.fullmatch(cell) is not None


@lru_cache(10_000)
def _read(cell: str, mark: Mark) -> Decimal | None:
    if PLAIN[mark].fullmatch(cell):
        return Decimal(cell.replace(",", "."))
    if ABSENT.fullmatch(cell):
        return None
    found = NUMBER.fullmatch(_tidy(cell))
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise NotANumber(cell)
    whole, _, fraction = found["digits"].partition(mark)
    if not (GROUPED[OTHER[mark]].fullmatch(whole) or (not whole and fraction)) or not re.fullmatch(r"\d*", fraction):
        raise NotANumber(cell)
    value = Decimal(f"{re.sub(r'[^0-9]', '', whole) or 0}.{fraction or 0}{found['exponent'] or ''}")
    negative = found["open"] or "-" in {found["sign"], found["inner"], found["after"]}
    return -value if negative else value


def read_number(cell: str, mark: Mark) -> Decimal | None:
    """The exact value; None where the export says that there is none."""
    if cell.__class__ is not Exact:
        return _read(cell, mark)
    try:
        return Decimal(cell)
    except InvalidOperation as error:
        raise NotANumber(cell) from error


def currency_of(cell: str) -> str:
    """The currency that an amount bears, if it is certain which: `$` alone may be any of twenty."""
    if code := CODE.search(cell):
        return code[0]
    return next((code for sign, code in SIGNS.items() if sign in cell), "")


def _tidy(cell: str) -> str:
    """Minus is `-`, groups by a space are groups by an apostrophe, and no other space is left but between digits."""
    text = cell.strip().replace("−", "-").replace("’", "'")
    text = SPACES.sub(" ", text)
    text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "'", text)
    return re.sub(r"(?<!\d) | (?!\d)", "", text)


def _digits(cell: str) -> tuple[str, bool] | None:
    """The digits with their marks, and whether an exponent follows; None when the cell is no number."""
    if ABSENT.fullmatch(cell):
        return None
    found = NUMBER.fullmatch(_tidy(cell))
    return (found["digits"], bool(found["exponent"])) if found else None


def _mark_of(digits: str, exponent: bool) -> tuple[str, bool]:
    """The decimal mark these digits show, and whether they leave no doubt; no mark, nothing shown."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ("", True)
    mark = digits[last]
    if OTHER[mark] in digits or "'" in digits:
        return (mark, True)
    if digits.count(mark) > 1:
        return (OTHER[mark], True) if GROUPED[mark].fullmatch(digits) else ("", True)
    before, after = digits[:last], digits[last + 1 :]
    certain = exponent or len(after) != 3 or not 1 <= len(before) <= 3 or before.startswith("0")
    return (mark, certain)


def is_rounded(text: str) -> bool:
    """`1.23E+17`: what a spreadsheet makes of a long id."""
    return re.fullmatch(r"\d[.,]?\d*[eE]\+?\d+", text) is not None and re.search(r"[.,]|[eE]\+", text) is not None
