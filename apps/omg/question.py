"""A question about figures: which metrics, by what, of when, compared with what, in which order. No Django, no I/O.

The pages and the API ask the same ones; `answering.py` answers them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.common.errors import InvalidInput
from apps.common.period import Period
from apps.omg.dimensions import Dimension, Kept
from apps.omg.filters import Filters
from apps.omg.metrics import EVERY, Measure, Metric

MOST_DIMENSIONS = 3
TIME = "time"


class Grain(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Persons(StrEnum):
    """Where the distinct persons of a question are counted."""

    NOT_ASKED = "not asked"
    DAYS = "days"
    QUARTERS = "quarters"
    EVENTS = "events"


@dataclass(frozen=True)
class Order:
    by: Metric | Dimension | None
    descending: bool

    @property
    def name(self) -> str:
        return self.by.key if isinstance(self.by, Metric) else self.by or TIME

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name


@dataclass(frozen=True)
class Question:
    metrics: tuple[Metric, ...]
    period: Period
    dimensions: tuple[Dimension, ...] = ()
    grain: Grain | None = None
    filters: Filters = field(default_factory=Filters)
    against: Period | None = None
    order: tuple[Order, ...] = ()
    limit: int = 100
    offset: int = 0

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What must be summed, persons apart; events always, which tell whether there is anything."""
        asked = {measure for metric in self.metrics for measure in metric.measures if measure != "reach"}
        return ("events", *sorted(asked - {"events"}))

    @property
    def table(self) -> Kept:
        """The narrowest roll-up that has all that is asked of."""
        return max((one.kept for one in (*self.dimensions, *self.filters.chosen)), default=Kept.NARROW)

    @property
    def persons(self) -> Persons:
        if not any("reach" in metric.measures for metric in self.metrics):
            return Persons.NOT_ASKED
        if self.table is not Kept.NARROW:
            return Persons.EVENTS
        days_of_utc = self.period.time_zone in {"UTC", "Etc/UTC"} and self.grain is not Grain.HOUR
        return Persons.DAYS if self.grain is None or days_of_utc else Persons.QUARTERS

    @property
    def shift(self) -> timedelta:
        """From a day to the one that it is compared with."""
        return timedelta() if self.against is None else self.period.start - self.against.start

    @property
    def cut(self) -> datetime:
        """Up to here the period is compared: what has not passed has no counterpart."""
        return self.period.cut

    @property
    def before_cut(self) -> datetime:
        """Up to here the period before is: the same time of day as `cut`."""
        if self.against is None:
            return self.period.since
        if not self.period.is_partial:
            return self.against.until
        local = self.cut.astimezone(ZoneInfo(self.period.time_zone))
        same_time = datetime.combine(local.date() - self.shift, local.time(), local.tzinfo)
        return min(same_time.astimezone(UTC), self.against.until)


def of_all(question: Question) -> Question:
    """The same of everything at once."""
    return replace(question, dimensions=(), grain=None, order=(), limit=1, offset=0)


def find_metrics(names: Iterable[str]) -> tuple[Metric, ...]:
    return tuple(EVERY[known(name, EVERY, "metric")] for name in dict.fromkeys(names))


def find_dimensions(names: Iterable[str]) -> tuple[Dimension, ...]:
    found = tuple(Dimension(known(name, list(Dimension), "dimension")) for name in dict.fromkeys(names))
    if len(found) > MOST_DIMENSIONS:
        raise InvalidInput(f"A question has at most {MOST_DIMENSIONS} dimensions; these are {len(found)}.")
    return found


def find_grain(name: str) -> Grain | None:
    return Grain(known(name, list(Grain), "grain")) if name else None


def known(name: str, names: Iterable[str], kind: str) -> str:
    """`name`, if it is one of `names`; else the error says which is nearest."""
    if name not in names:
        raise InvalidInput(unknown(name, names, kind), code="unknown_name")
    return name


def unknown(name: str, names: Iterable[str], kind: str) -> str:
    near = get_close_matches(name[:80].lower(), list(names), n=2, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(names)}."
    return f"There is no {kind} {name[:80]!r}; {meant}"


def read_order(
    texts: Sequence[str], metrics: Sequence[Metric], dimensions: Sequence[Dimension], grain: Grain | None
) -> tuple[Order, ...]:
    """From `-spend`, `platform`, `time`. Unless told, time comes first, then what is largest."""
    if not texts:
        by_time = (Order(None, descending=False),) if grain else ()
        return (*by_time, *(Order(one, descending=True) for one in metrics[:1]))
    columns: Mapping[str, Metric | Dimension | None] = {
        **({TIME: None} if grain else {}),
        **{one.value: one for one in dimensions},
        **{one.key: one for one in metrics},
    }
    return tuple(
        Order(columns[known(text.removeprefix("-"), columns, "column to order by")], text.startswith("-"))
        for text in dict.fromkeys(texts)
    )


def previous_period(period: Period) -> Period:
    return period.previous


def year_before(period: Period) -> Period:
    """As many days from the same date of the year before on."""
    day = period.start
    start = day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
    return Period(start, start + timedelta(days=period.days - 1), period.time_zone)


COMPARISONS = {"previous": previous_period, "year": year_before}


def check_comparison(period: Period, against: Period | None, grain: Grain | None) -> None:
    if against is None:
        return
    if grain not in {None, Grain.DAY}:
        raise InvalidInput(f"By {grain} nothing is compared; compare by day or without a grain.")
    if against.end >= period.start:
        raise InvalidInput("What a range is compared with must end before the range begins.")
    if against.start.year < 1971:
        raise InvalidInput("What a range is compared with must not begin before 1971.")
