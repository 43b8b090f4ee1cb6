"""Reported beside counted, as plain data. No Django, no I/O.

Like is compared with like: of what Precise counted only the days count that a source reports of a platform, and only
campaigns that it names; what a source reports of a platform of which nothing was counted is in no difference. A
campaign is found by its id, else by its name. Where several sources report the same campaign on the same day, totals
take the one that reported last.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from apps.common.errors import InvalidInput
from apps.omg.metrics import BY_KEY, Metric
from apps.omg.queries.counted import Row as Counted
from apps.omg.queries.reported import Row as Reported

# Beyond this difference something is measured otherwise, or is missing.
TOLERANCE = Decimal("0.10")
METRICS: tuple[Metric, ...] = tuple(BY_KEY[key] for key in ("spend", "impressions", "clicks", "conversions", "revenue"))
Key = tuple[str, str]
AnyRow = TypeVar("AnyRow", Reported, Counted)


@dataclass(frozen=True)
class Pair:
    """One figure as reported and as counted; None is what is not known. `compared` is the part of what is reported that
    has a counted side, where that is not all of it."""

    reported: Decimal | None = None
    counted: Decimal | None = None
    compared: Decimal | None = None

    @property
    def difference(self) -> Decimal | None:
        """Of the counted figure, as a fraction: +0.1 is 10 % more reported than counted."""
        if self.reported is None or not self.counted:
            return None
        reported = self.reported if self.compared is None else self.compared
        return (reported - self.counted) / self.counted

    @property
    def is_off(self) -> bool:
        if self.reported is None or self.counted is None:
            return False
        if not self.counted:
            return bool(self.reported)
        return abs(self.difference or Decimal(0)) > TOLERANCE


@dataclass
class Line:
    """A row of the table: a source on a platform, or a campaign on one."""

    name: str
    platform: str
    campaign_id: str = ""
    days: set[date] = field(default_factory=set)
    reported: list[Reported] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)

    def pair(self, metric: Metric) -> Pair:
        return pair_of(self.reported, self.counted, metric, coverage(self.reported, metric))


@dataclass(frozen=True)
class Comparison:
    """All of a period: every report, what counts of them, and what was counted beside it."""

    reported: Sequence[Reported]
    effective: Sequence[Reported]
    counted: Sequence[Counted]
    only_counted: Sequence[Counted]
    overlapping: bool

    @cached_property
    def counted_sides(self) -> frozenset[Key]:
        """Sources and platforms of whose campaigns something was counted."""
        known = {(row.platform, row.campaign) for row in self.counted}
        return frozenset((row.source, row.platform) for row in self.effective if (row.platform, row.campaign) in known)

    @property
    def beyond_comparison(self) -> list[Reported]:
        return [row for row in self.effective if (row.source, row.platform) not in self.counted_sides]


@dataclass(frozen=True)
class Coverage:
    """The days of platforms, and the campaigns, of which one figure is reported: only there it can be compared."""

    days: frozenset[tuple[date, str]]
    campaigns: frozenset[Key]

    def has(self, row: Counted) -> bool:
        return (row.day, row.platform) in self.days and (row.platform, row.campaign) in self.campaigns


def coverage(reported: Iterable[Reported], metric: Metric) -> Coverage:
    saying = [row for row in reported if getattr(row, metric.key) is not None]
    return Coverage(
        frozenset((row.day, row.platform) for row in saying), frozenset((row.platform, row.campaign) for row in saying)
    )


def pair_of(
    reported: Sequence[Reported],
    counted: Sequence[Counted],
    metric: Metric,
    within: Coverage,
    sides: frozenset[Key] | None = None,
) -> Pair:
    """What was counted where nothing is reported stands alone; of `sides` (all, if None) the difference is."""
    said = _sum(reported, metric.key)
    beside = [row for row in reported if sides is None or (row.source, row.platform) in sides]
    compared = _sum(beside, metric.key)
    counts = _sum([row for row in counted if said is None or within.has(row)], metric.key)
    return Pair(said, counts, None if compared == said else compared)


def whole(data: Comparison, metric: Metric) -> Pair:
    return pair_of(data.effective, data.counted, metric, coverage(data.effective, metric), data.counted_sides)


def summed(rows: Iterable[Reported | Counted], metric: Metric) -> Decimal | None:
    return _sum(rows, metric.key)


def compare(reported: Sequence[Reported], counted: Sequence[Counted], currency: str) -> Comparison:
    own = [_in_currency(row, currency) for row in reported]
    known = {(row.platform, row.campaign) for row in counted}
    own = [replace(row, campaign=_campaign_of(row, known)) for row in own]
    effective = _latest(own)
    covered = {(row.day, row.platform) for row in effective}
    named = {(row.platform, row.campaign) for row in effective}
    beside = [_counted_in(row, currency) for row in counted if (row.day, row.platform) in covered]
    return Comparison(
        reported=own,
        effective=effective,
        counted=[row for row in beside if (row.platform, row.campaign) in named],
        only_counted=[row for row in beside if (row.platform, row.campaign) not in named],
        overlapping=len(effective) < len(own) and len({row.source for row in own}) > 1,
    )


def by_source(data: Comparison) -> list[Line]:
    """Each source on each platform beside what was counted there on its days, of its campaigns."""
    lines: dict[Key, Line] = {}
    campaigns: dict[Key, set[str]] = defaultdict(set)
    for row in data.reported:
        key = (row.source, row.platform)
        line = lines.setdefault(key, Line(row.source, row.platform))
        line.reported.append(row)
        line.days.add(row.day)
        campaigns[key].add(row.campaign)
    for counted in data.counted:
        for key, line in lines.items():
            if key[1] == counted.platform and counted.day in line.days and counted.campaign in campaigns[key]:
                line.counted.append(counted)
    return list(lines.values())


def by_campaign(data: Comparison) -> list[Line]:
    """Each campaign on each platform; those that were counted and that no source reports too."""
    lines: dict[Key, Line] = {}
    for row in data.effective:
        line = lines.setdefault((row.platform, row.campaign), Line(row.campaign, row.platform))
        line.reported.append(row)
        line.days.add(row.day)
        if row.campaign_name != row.campaign:
            line.name, line.campaign_id = row.campaign_name or row.campaign, row.campaign
    for counted in (*data.counted, *data.only_counted):
        key = (counted.platform, counted.campaign)
        new = Line(counted.campaign or "(no campaign)", counted.platform, counted.campaign)
        line = lines.setdefault(key, new)
        line.counted.append(counted)
    return list(lines.values())


def by_day(data: Comparison, days: Sequence[date], metric: Metric) -> list[Pair]:
    reported, counted, within = _grouped(data.effective), _grouped(data.counted), coverage(data.effective, metric)
    return [pair_of(reported[day], counted[day], metric, within, data.counted_sides) for day in days]


def sort_lines(lines: Sequence[Line], *, key: str, descending: bool, by_difference: bool) -> list[Line]:
    """By name or by a figure; lines without it come last either way."""
    if key == "name":
        return sorted(lines, key=lambda line: (line.name.lower(), line.platform), reverse=descending)
    metric = get_metric(key)
    values = {id(line): _sort_value(line.pair(metric), by_difference=by_difference) for line in lines}
    known = [line for line in lines if values[id(line)] is not None]
    unknown = sorted((line for line in lines if values[id(line)] is None), key=lambda line: (line.name, line.platform))
    known.sort(key=lambda line: (values[id(line)] or Decimal(0), line.name, line.platform), reverse=descending)
    return known + unknown


def foreign_currencies(reported: Iterable[Reported], currency: str) -> list[str]:
    """Currencies of amounts that no sum may mix in."""
    return sorted(
        {row.currency for row in reported if row.currency != currency and (row.spend or row.revenue)},
    )


def get_metric(key: str) -> Metric:
    found = {metric.key: metric for metric in METRICS}
    if key not in found:
        raise InvalidInput(f"There is no figure {key!r} here; use one of {', '.join(found)}.")
    return found[key]


def _sort_value(pair: Pair, *, by_difference: bool) -> Decimal | None:
    if not by_difference:
        return pair.reported
    return None if pair.difference is None else abs(pair.difference)


def _latest(rows: Sequence[Reported]) -> list[Reported]:
    """Of each campaign and day the rows of the source that reported last."""
    said: dict[tuple[date, str, str], tuple[datetime, str]] = {}
    for row in rows:
        key = (row.day, row.platform, row.campaign)
        said[key] = max(said.get(key, (row.reported_at, row.source)), (row.reported_at, row.source))
    return [row for row in rows if said[row.day, row.platform, row.campaign][1] == row.source]


def _campaign_of(row: Reported, known: set[Key]) -> str:
    """The id by which it was counted: its own, or its name where only that is sent with events."""
    if (row.platform, row.campaign) not in known and (row.platform, row.campaign_name) in known:
        return row.campaign_name
    return row.campaign


def _in_currency(row: Reported, currency: str) -> Reported:
    return row if row.currency == currency else replace(row, spend=None, revenue=None)


def _counted_in(row: Counted, currency: str) -> Counted:
    return row if row.currency == currency else replace(row, spend=Decimal(0), revenue=Decimal(0))


def _sum(rows: Iterable[Reported | Counted], key: str) -> Decimal | None:
    """None only where no row has the figure: nothing was said of it."""
    values = [Decimal(value) for row in rows if (value := getattr(row, key)) is not None]
    return sum(values, Decimal(0)) if values else None


def _grouped(rows: Iterable[AnyRow]) -> dict[date, list[AnyRow]]:
    found: dict[date, list[AnyRow]] = defaultdict(list)
    for row in rows:
        found[row.day].append(row)
    return found
