"""The period a page looks at: whole days of one time zone, and the same number of days before it.

A period that is not over is compared up to `cut` with the days before up to `previous_cut`, the same time of day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.common.errors import InvalidInput

PRESETS: Mapping[str, int] = {"7d": 7, "28d": 28, "30d": 30, "90d": 90}
DEFAULT_PRESET = "30d"
LONGEST = 731
# Roll-ups are kept by the quarter of an hour.
STEP = timedelta(minutes=15)
AFTER_ALL = datetime(9999, 1, 1, tzinfo=UTC)


class WrongRange(InvalidInput):
    """Two days that are no range: whoever chose them sees the choice again."""


@dataclass(frozen=True)
class Period:
    """Days `start` to `end`, both included; `since` and `until` are the half-open span in UTC terms."""

    start: date
    end: date
    time_zone: str
    preset: str = ""
    now: datetime = AFTER_ALL

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def previous(self) -> "Period":
        last = self.start - timedelta(days=1)
        return Period(last - timedelta(days=self.days - 1), last, self.time_zone)

    @property
    def since(self) -> datetime:
        return _midnight(self.start, self.time_zone)

    @property
    def until(self) -> datetime:
        return _midnight(self.end + timedelta(days=1), self.time_zone)

    @property
    def cut(self) -> datetime:
        """Where the part that has passed ends: at the last full quarter of an hour, or with the period."""
        if not self.is_partial:
            return self.until
        return max(_quarter(self.now), self.since)

    @property
    def previous_cut(self) -> datetime:
        """Where the equally long part of the period before ends."""
        if not self.is_partial:
            return self.since
        local = self.cut.astimezone(ZoneInfo(self.time_zone))
        same_time = datetime.combine(local.date() - timedelta(days=self.days), local.time(), local.tzinfo)
        return same_time.astimezone(UTC)

    @property
    def is_partial(self) -> bool:
        return self.now < self.until

    @property
    def today(self) -> date | None:
        """The day of the period that is not over, if there is one."""
        if not self.is_partial or self.now < self.since:
            return None
        return local_day(self.now, self.time_zone)

    @property
    def dates(self) -> list[date]:
        return [self.start + timedelta(days=offset) for offset in range(self.days)]

    @property
    def bounds(self) -> dict[str, object]:
        """What a query of roll-ups binds to read this period and the one before it, and to tell what compares."""
        return {
            "since": self.previous.since,
            "previous_cut": self.previous_cut,
            "start": self.since,
            "cut": self.cut,
            "until": self.until,
            "time_zone": self.time_zone,
        }

    @property
    def zone_label(self) -> str:
        """`New York time`, but `UTC`, which is a time already."""
        return "UTC" if self.time_zone in {"UTC", "Etc/UTC"} else f"{zone_words(self.time_zone)} time"

    @property
    def label(self) -> str:
        return format_span(self.start, self.end)

    @property
    def previous_label(self) -> str:
        return self.previous.label

    @property
    def comparison(self) -> str:
        """What a change is against, in words."""
        against = self.previous_label if self.days == 1 else f"the {self.days} days before"
        return f"{against} up to the same hour" if self.is_partial else against


def read_period(query: Mapping[str, str], *, time_zone: str, now: datetime) -> Period:
    """From `?range=30d` or `?start=2026-10-01&end=2026-10-31`; the default is the last 30 days, today included."""
    if query.get("start") or query.get("end"):
        first, last = _read_days(query.get("start", ""), query.get("end", ""))
        return Period(first, last, time_zone, now=now)
    preset = query.get("range") or DEFAULT_PRESET
    if preset not in PRESETS:
        raise InvalidInput(f"There is no range {preset!r}; use one of {', '.join(PRESETS)}, or start and end.")
    today = local_day(now, time_zone)
    return Period(today - timedelta(days=PRESETS[preset] - 1), today, time_zone, preset, now)


def local_day(moment: datetime, time_zone: str) -> date:
    return moment.astimezone(ZoneInfo(time_zone)).date()


def zone_words(time_zone: str) -> str:
    """How people say it: `New York` for `America/New_York`."""
    return time_zone.rpartition("/")[2].replace("_", " ")


def format_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def format_span(start: date, end: date) -> str:
    """`1–31 October 2026`, `23 October–21 November 2026`, `20 December 2025–3 January 2026`."""
    last = format_day(end)
    if start == end:
        return last
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{last}"
    first = f"{start.day} {start:%B}" if start.year == end.year else format_day(start)
    return f"{first}–{last}"


def _read_days(start: str, end: str) -> tuple[date, date]:
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError as error:
        raise WrongRange("start and end must both be days such as 2026-10-01.") from error
    if first > last:
        raise WrongRange(f"The range must not end before it begins: {format_day(first)} to {format_day(last)}.")
    if (last - first).days >= LONGEST:
        raise WrongRange(f"A range must be at most {LONGEST} days long; this one has {(last - first).days + 1:,}.")
    if not 1971 <= first.year <= last.year <= 2100:
        raise WrongRange("Both days must be within 1971 to 2100.")
    return first, last


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def _quarter(moment: datetime) -> datetime:
    return moment - (moment - datetime.min.replace(tzinfo=UTC)) % STEP
