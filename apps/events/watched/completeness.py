"""Which hours of the last days arrived, and which did not. Pure: no Django, no clock of its own.

Days and hours are those of a time zone; an hour is a whole one of UTC, as deliveries are cut. On the day that clocks go
forward an hour is missing from the clock and not from the deliveries; on the day they go back one is there twice.
A `daily` file is for a calendar day, of which its name says the date.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

DAYS = 7
HOUR = timedelta(hours=1)


class Outcome(StrEnum):
    IMPORTED = "imported"
    WAITING = "waiting"
    FAILED = "failed"


class Completeness(StrEnum):
    RECEIVED = "received"
    REPLAYED = "replayed"
    LATE = "late"
    BACKFILL = "backfill"
    ARRIVING = "arriving"
    FAILED = "failed"
    MISSING = "missing"
    EXPECTED = "expected"
    NOTHING = "nothing"


ARRIVED = frozenset({Completeness.RECEIVED, Completeness.REPLAYED, Completeness.LATE})
# What stands in the sum of hours; the others are not due, or nobody expects them.
DUE = frozenset(Completeness) - {Completeness.EXPECTED, Completeness.NOTHING, Completeness.BACKFILL}
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Delivery:
    """One file: the hour or day it is for, when it came, what became of it and of its lines."""

    hour: datetime
    arrived_at: datetime
    outcome: Outcome
    replay: bool = False
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Rule:
    """What was agreed: a file per hour or per day or none, by when, and from which moment on.

    What is for an hour before the folder was watched is of the past, and not late.
    """

    cadence: str
    lateness: timedelta
    since: datetime
    watched_since: datetime = LONG_AGO


@dataclass(frozen=True)
class Slot:
    """One hour, or one day, with what came for it."""

    start: datetime
    end: datetime
    local: datetime
    state: Completeness
    deliveries: tuple[Delivery, ...] = ()

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.deliveries)

    @property
    def duplicate(self) -> int:
        return sum(one.duplicate for one in self.deliveries)

    @property
    def rejected(self) -> int:
        return sum(one.rejected for one in self.deliveries)


@dataclass(frozen=True)
class Day:
    """A local day: for each hour of the clock its slots, which are none, one or two."""

    date: date
    hours: tuple[tuple[Slot, ...], ...]

    @property
    def slots(self) -> list[Slot]:
        return [slot for hour in self.hours for slot in hour]


@dataclass(frozen=True)
class Grid:
    days: tuple[Day, ...]
    unit: str
    counts: Counter[Completeness] = field(default_factory=Counter)

    @property
    def due(self) -> int:
        return sum(self.counts[state] for state in DUE)

    @property
    def arrived(self) -> int:
        return sum(self.counts[state] for state in ARRIVED)

    @property
    def sentence(self) -> str:
        """`164 of 168 hours arrived, 3 of them late; 4 missing`."""
        return "; ".join(filter(None, (self._arrived, self._lacking)))

    @property
    def _arrived(self) -> str:
        late, units = self.counts[Completeness.LATE], f"{self.unit}s" if self.due > 1 else self.unit
        if not self.due:
            return f"No {self.unit} has come due yet"
        if self.arrived == self.due and not late:
            return f"All {self.due} {units} are complete" if self.due > 1 else f"The one {units} due is complete"
        how = f", {late} of them late" if self.arrived > 1 else ", late"
        return f"{self.arrived} of {self.due} {units} arrived{how if late else ''}"

    @property
    def _lacking(self) -> str:
        lacking = (Completeness.MISSING, Completeness.FAILED, Completeness.ARRIVING)
        parts = [f"{self.counts[state]} {state}" for state in lacking if self.counts[state]]
        if past := self.counts[Completeness.BACKFILL]:
            parts.append(f"{past} from before it was watched")
        return ", ".join(parts)


def grid_of(deliveries: Iterable[Delivery], rule: Rule, *, now: datetime, time_zone: str, days: int = DAYS) -> Grid:
    """The last `days` days of the time zone, today included."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    by_start: dict[datetime, list[Delivery]] = {}
    for delivery in deliveries:
        by_start.setdefault(delivery.hour, []).append(delivery)
    daily = rule.cadence == "daily"
    make = _daily if daily else _hourly
    made = tuple(Day(day, make(day, zone, by_start, rule, now)) for day in dates)
    counts = Counter(slot.state for day in made for slot in day.slots)
    return Grid(made, "day" if daily else "hour", counts)


def state_of(start: datetime, end: datetime, deliveries: Sequence[Delivery], rule: Rule, now: datetime) -> Completeness:
    """What failed comes first, since somebody must act; a late file that was replaced is replayed."""
    deadline = end + rule.lateness
    outcomes = {one.outcome for one in deliveries}
    if Outcome.FAILED in outcomes:
        return Completeness.FAILED
    if Outcome.WAITING in outcomes:
        return Completeness.ARRIVING
    if any(one.replay for one in deliveries):
        return Completeness.REPLAYED
    if deliveries:
        late = rule.cadence != "none" and any(one.arrived_at > deadline for one in deliveries)
        if late and start < rule.watched_since:
            return Completeness.BACKFILL
        return Completeness.LATE if late else Completeness.RECEIVED
    if rule.cadence == "none" or start < rule.since or start > now:
        return Completeness.NOTHING
    return Completeness.MISSING if now >= deadline else Completeness.EXPECTED


def _hourly(
    day: date, zone: ZoneInfo, by_start: dict[datetime, list[Delivery]], rule: Rule, now: datetime
) -> tuple[tuple[Slot, ...], ...]:
    by_clock: dict[int, tuple[Slot, ...]] = {}
    for clock, starts in groupby(_hours_of(day, zone), key=lambda start: start.astimezone(zone).hour):
        by_clock[clock] = tuple(
            _slot(start, start + HOUR, start.astimezone(zone), by_start.get(start, ()), rule, now) for start in starts
        )
    return tuple(by_clock.get(clock, ()) for clock in range(24))


def _daily(
    day: date, zone: ZoneInfo, by_start: dict[datetime, list[Delivery]], rule: Rule, now: datetime
) -> tuple[tuple[Slot, ...], ...]:
    start, end = (_midnight(day + timedelta(days=more), zone) for more in (0, 1))
    came = by_start.get(datetime.combine(day, time.min, UTC), ())
    return ((_slot(start, end, start.astimezone(zone), came, rule, now),),)


def _hours_of(day: date, zone: ZoneInfo) -> list[datetime]:
    """Whole hours of UTC that begin within the local day: 23, 24 or 25."""
    first, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    start = first.replace(minute=0, second=0)
    start = start if start == first else start + HOUR
    return [start + HOUR * place for place in range(-(-(end - start) // HOUR))]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _slot(start: datetime, end: datetime, local: datetime, came: Sequence[Delivery], rule: Rule, now: datetime) -> Slot:
    return Slot(start, end, local, state_of(start, end, came, rule, now), tuple(came))
