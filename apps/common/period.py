"""The period a page looks at: whole days of one time zone, and the same number of days before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.common.errors import InvalidInput

PRESETS: Mapping[str, int] = {"7d": 7, "28d": 28, "30d": 30, "90d": 90}
DEFAULT_PRESET = "30d"
LONGEST = 731


@dataclass(frozen=True)
class Period:
    """Days `start` to `end`, both included; `since` and `until` are the half-open span in UTC terms."""

    start: date
    end: date
    time_zone: str
    preset: str = ""

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
    def timezone(self) -> str:
        return zone_words(self.time_zone)

    @property
    def previous_label(self) -> str:
        return self.previous.label

    @property
    def previous_start(self) -> date:
        return self.previous.start

    @property
    def previous_end(self) -> date:
        return self.previous.end

    @property
    def label(self) -> str:
        return format_span(self.start, self.end)


def read_period(query: Mapping[str, str], *, time_zone: str, now: datetime) -> Period:
    """From `?range=30d` or `?start=2026-10-01&end=2026-10-31`; the default is the last 30 days, today included."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    if query.get("start") or query.get("end"):
        return _between(query.get("start", ""), query.get("end", ""), time_zone)
    preset = query.get("range") or DEFAULT_PRESET
    if preset not in PRESETS:
        raise InvalidInput(f"There is no range {preset!r}; use one of {', '.join(PRESETS)}, or start and end.")
    return Period(today - timedelta(days=PRESETS[preset] - 1), today, time_zone, preset)


def zone_words(time_zone: str) -> str:
    """How people say it: `New York` for `America/New_York`."""
    return time_zone.rpartition("/")[2].replace("_", " ")


def format_span(start: date, end: date) -> str:
    """`1–31 October 2026`, `23 October–21 November 2026`, `20 December 2025–3 January 2026`."""
    last = f"{end.day} {end:%B %Y}"
    if start == end:
        return last
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{last}"
    first = f"{start.day} {start:%B}" if start.year == end.year else f"{start.day} {start:%B %Y}"
    return f"{first}–{last}"


def _between(start: str, end: str, time_zone: str) -> Period:
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError as error:
        raise InvalidInput("start and end must both be days such as 2026-10-01.") from error
    if not first <= last or (last - first).days >= LONGEST or not 1971 <= first.year <= last.year <= 2100:
        raise InvalidInput(f"start must not be after end, at most {LONGEST} days before it, within 1971 to 2100.")
    return Period(first, last, time_zone)


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)
