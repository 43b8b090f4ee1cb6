"""Days and hours as exports write them. Whether the day or the month comes first is decided for a column."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Literal

from apps.events.reported.figures import FEW

Order = Literal["dmy", "mdy"]
TIME = re.compile(
    r"[T ,]+(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?$",
    re.I,
)
YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})?")
NUMERIC = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
WORDS = re.compile(r"[^\W\d_]+|\d+")
SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
# Day 0 of spreadsheets; the days that they count wrongly were before 1900-03-01.
SERIAL_ZERO = date(1899, 12, 30)
SERIALS = range(36_526, 73_051)
WEEKDAYS = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so"}
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier janv enero ene gennaio gen jänner",
            "february feb februar février févr fév febrero febbraio",
            "march mar märz mrz mär mars marzo", "april apr avril avr abril abr aprile", "may mai mayo maggio mag",
            "june jun juni juin junio giugno giu", "july jul juli juillet juil julio luglio lug",
            "august aug août agosto ago", "september sep sept septembre septiembre settembre set",
            "october oct oktober okt octobre octubre ottobre ott", "november nov novembre noviembre",
            "december dec dezember dez décembre déc diciembre dic dicembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
HOUR = re.compile(r"(?P<hour>\d{1,2})(?::\d{2}){0,2}(?:\.\d+)?\s*(?P<half>[ap]\.?m\.?)?(?:\s*[-–].*)?", re.I)


class NotADate(ValueError):
    """The cell is no date in any form that we know, or none in the column's order."""


@dataclass(frozen=True)
class Moment:
    """A day and, where the cell has a time of day, its hour; `zone` only where the cell states one."""

    day: date
    hour: int | None = None
    zone: tzinfo | None = None

    def hour_in(self, zone: tzinfo) -> datetime:
        """The hour's start; `zone` counts where the cell states none. In Mumbai hours begin at half past, UTC."""
        local = datetime(self.day.year, self.day.month, self.day.day, self.hour or 0, tzinfo=self.zone or zone)
        return local.astimezone(UTC)


@dataclass
class Evidence:
    """How many of a column's cells show which order of day and month, and whether some allow both."""

    dmy: int = 0
    mdy: int = 0
    either: bool = False

    @property
    def order(self) -> Order | None:
        """The order, if the cells agree on one but for a stray."""
        if self.mdy * FEW <= self.dmy and self.dmy:
            return "dmy"
        return "mdy" if self.dmy * FEW <= self.mdy and self.mdy else None

    @property
    def is_open(self) -> bool:
        return self.order is None and (self.either or bool(self.dmy))


def weigh(cells: Iterable[str], so_far: Evidence | None = None) -> Evidence:
    found = so_far or Evidence()
    for cell in cells:
        parts = NUMERIC.fullmatch(_without_time(cell.strip())[0])
        if parts is None or parts[2] == ".":
            continue
        first, second = int(parts[1]), int(parts[3])
        if first > 12:
            found.dmy += 1
        elif second > 12:
            found.mdy += 1
        elif first != second:
            found.either = True
    return found


@lru_cache(10_000)
def read_moment(cell: str, order: Order) -> Moment:
    text, time = _without_time(cell.strip())
    try:
        day, hour = _read_day(text, order)
        if time is None:
            return Moment(day, hour)
        return Moment(day, _hour_of(time["hour"], time["half"]), _zone_of(time["zone"]))
    except ValueError as error:
        raise NotADate(cell) from error


def read_hour(cell: str) -> int:
    """`5`, `05:00`, `5 PM`, `17:00 – 17:59`."""
    found = HOUR.fullmatch(cell.strip())
    if found is None:
        raise NotADate(cell)
    return _hour_of(found["hour"], found["half"])


def has_time(cell: str) -> bool:
    """Whether the cell names another hour than midnight."""
    try:
        return bool(read_moment(cell, "dmy").hour)
    except NotADate:
        return False


def _without_time(text: str) -> tuple[str, "re.Match[str] | None"]:
    """A bare number after a date is a time only with minutes, a half of the day or a `T` before it."""
    found = TIME.search(text)
    if found is None or not (found["minute"] or found["half"] or found[0][0] in "Tt"):
        return text, None
    return text[: found.start()].strip(), found


def _read_day(text: str, order: Order) -> tuple[date, int | None]:
    if parts := YEAR_FIRST.fullmatch(text):
        return date(int(parts[1]), int(parts[2]), int(parts[3])), None
    if parts := COMPACT.fullmatch(text):
        return date(int(parts[1]), int(parts[2]), int(parts[3])), _hour_of(parts[4], None) if parts[4] else None
    if parts := NUMERIC.fullmatch(text):
        first, second = int(parts[1]), int(parts[3])
        day, month = (first, second) if order == "dmy" or parts[2] == "." else (second, first)
        return date(_year(parts[4]), month, day), None
    if (parts := SERIAL.fullmatch(text)) and int(parts[1]) in SERIALS:
        return SERIAL_ZERO + timedelta(days=int(parts[1])), None
    return _read_words(text), None


def _read_words(text: str) -> date:
    """`Jan 31, 2026`, `31. Januar 2026`, `Sat 31-Jan-26`: the month in words leaves no doubt."""
    words = [word.lower() for word in WORDS.findall(text)]
    words = [word for word in words if word[:3] not in WEEKDAYS or word in MONTHS]
    numbers = [word for word in words if word.isdigit()]
    months = [MONTHS[word] for word in words if word in MONTHS]
    if len(words) != 3 or len(numbers) != 2 or len(months) != 1:
        raise NotADate(text)
    day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else numbers
    return date(_year(year), months[0], int(day))


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _hour_of(hour: str, half: str | None) -> int:
    value = int(hour)
    if half:
        if not 1 <= value <= 12:
            raise NotADate(hour)
        value = value % 12 + (12 if half[0] in "pP" else 0)
    if value > 23:
        raise NotADate(hour)
    return value


def _zone_of(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((timedelta(hours=hours, minutes=minutes)) * (-1 if text[0] == "-" else 1))
