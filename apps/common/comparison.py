"""What a period is compared with, and when it cannot be. One rule for every page with figures; no Django, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from apps.common.period import Period

# A period whose data begins after this part of it is not one to compare with.
LATEST_BEGINNING = 0.1


class Dated(Protocol):
    """A row of a roll-up: its day, and whether its quarters of an hour have a counterpart in the other period."""

    @property
    def day(self) -> date: ...
    @property
    def compared(self) -> bool: ...


AnyRow = TypeVar("AnyRow", bound=Dated)


@dataclass(frozen=True)
class Extent:
    """The days on which an organisation has data, first to last, and when the newest arrived."""

    first: date
    last: date
    last_received: datetime


@dataclass(frozen=True)
class Compared(Generic[AnyRow]):
    """Rows of a period: all of them, those that have a counterpart, and the counterparts."""

    period: Period
    current: Sequence[AnyRow]
    so_far: Sequence[AnyRow]
    before: Sequence[AnyRow]
    note: str

    @property
    def past_days(self) -> list[date]:
        """Days that are over: a trend that ended in an unfinished day would seem to fall."""
        return [day for day in self.period.dates if not self.period.today or day < self.period.today]


def compare(rows: Sequence[AnyRow], period: Period, extent: Extent | None) -> Compared[AnyRow]:
    current = [row for row in rows if row.day >= period.start]
    before = [row for row in rows if row.day < period.start and row.compared]
    so_far = [row for row in current if row.compared]
    return Compared(period, current, so_far, before, _why_not(period, before, extent))


def _why_not(period: Period, before: Sequence[Dated], extent: Extent | None) -> str:
    """Why no change is shown: nothing has passed, nothing was before, or data begins in the middle of what was."""
    if period.cut <= period.since:
        return "too early to compare"
    if extent is None or extent.first >= period.start:
        return "no data before"
    if (extent.first - period.previous.start).days > period.days * LATEST_BEGINNING:
        return f"data begins {extent.first.day} {extent.first:%B}"
    return "" if before else "no data in the days before"
