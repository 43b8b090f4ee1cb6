"""The grid of hours as the page draws it: words, signs and places of its cells."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apps.events.watched.completeness import Completeness, Day, Grid, Outcome, Slot

WORDS = {
    Completeness.RECEIVED: "received",
    Completeness.REPLAYED: "replayed: it came again and was read again",
    Completeness.LATE: "received late",
    Completeness.BACKFILL: "from before it was watched",
    Completeness.ARRIVING: "here, not yet imported",
    Completeness.FAILED: "failed",
    Completeness.MISSING: "missing",
    Completeness.EXPECTED: "may still come",
    Completeness.NOTHING: "nothing expected",
}
LEGEND = {
    Completeness.RECEIVED: "Received",
    Completeness.LATE: "Late",
    Completeness.BACKFILL: "Backfill",
    Completeness.REPLAYED: "Replayed",
    Completeness.ARRIVING: "Arriving",
    Completeness.EXPECTED: "Expected",
    Completeness.MISSING: "Missing",
    Completeness.FAILED: "Failed",
}
# Colour is never alone: each state has its sign.
ICONS = {
    Completeness.RECEIVED: "check",
    Completeness.REPLAYED: "refresh",
    Completeness.LATE: "clock",
    Completeness.BACKFILL: "file-import",
    Completeness.ARRIVING: "download",
    Completeness.FAILED: "alert-triangle",
    Completeness.MISSING: "x",
}


@dataclass(frozen=True)
class Cell:
    """One hour (or day): `key` is unique on the page."""

    key: str
    state: str
    icon: str
    when: str
    word: str
    files: str
    lines: str


@dataclass(frozen=True)
class Shown:
    """One local day: its name, and for each hour of the clock its cells."""

    label: str
    short: str
    hours: tuple[tuple[Cell, ...], ...]

    @property
    def cells(self) -> list[Cell]:
        return [cell for hour in self.hours for cell in hour]


@dataclass(frozen=True)
class LegendItem:
    state: str
    icon: str
    label: str
    count: int


def days_shown(grid: Grid, time_zone: str) -> list[Shown]:
    return [_day(place, day, grid, ZoneInfo(time_zone)) for place, day in enumerate(grid.days)]


def legend(grid: Grid) -> list[LegendItem]:
    return [LegendItem(state, ICONS.get(state, ""), label, grid.counts[state]) for state, label in LEGEND.items()]


def _day(place: int, day: Day, grid: Grid, zone: ZoneInfo) -> Shown:
    hours = tuple(
        tuple(_cell(f"{place}-{clock}-{turn}", slot, day, grid, zone) for turn, slot in enumerate(slots))
        for clock, slots in enumerate(day.hours)
    )
    return Shown(f"{day.date:%A} {day.date.day} {day.date:%B}", f"{day.date:%a} {day.date.day}", hours)


def _cell(key: str, slot: Slot, day: Day, grid: Grid, zone: ZoneInfo) -> Cell:
    return Cell(
        key=key,
        state=slot.state,
        icon=ICONS.get(slot.state, ""),
        when=_when(slot, day, grid, zone),
        word=WORDS[slot.state],
        files=_files(slot),
        lines=_lines(slot),
    )


def _when(slot: Slot, day: Day, grid: Grid, zone: ZoneInfo) -> str:
    """`Tue 24 Nov, 13:00–14:00 EST`: with the zone's letters, since on one day of the year an hour is there twice."""
    date = f"{day.date:%a} {day.date.day} {day.date:%b}"
    if grid.unit == "day":
        return date
    end = slot.end.astimezone(zone)
    return f"{date}, {slot.local:%H:%M}–{end:%H:%M} {slot.local:%Z}"


def _files(slot: Slot) -> str:
    count = len(slot.deliveries)
    if not count:
        return "No file"
    failed = sum(one.outcome == Outcome.FAILED for one in slot.deliveries)
    waiting = sum(one.outcome == Outcome.WAITING for one in slot.deliveries)
    more = [f"{failed} failed"] * bool(failed) + [f"{waiting} not yet imported"] * bool(waiting)
    return ", ".join([f"{count:,} file{'s' if count > 1 else ''}", *more])


def _lines(slot: Slot) -> str:
    if not any(one.outcome == Outcome.IMPORTED for one in slot.deliveries):
        return ""
    counts = [f"{slot.accepted:,} accepted"]
    if slot.duplicate:
        counts.append(f"{slot.duplicate:,} duplicate")
    if slot.rejected:
        counts.append(f"{slot.rejected:,} rejected")
    return ", ".join(counts)
