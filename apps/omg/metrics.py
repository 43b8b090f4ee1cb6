"""The metrics of the dashboard: each one's name, definition, formula and reading stand here, once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Unit = Literal["money", "count", "percent", "ratio"]
Good = Literal["up", "down", "neither"]


class Sums(Protocol):
    """Anything that has the sums a metric is made of."""

    @property
    def impressions(self) -> int: ...
    @property
    def clicks(self) -> int: ...
    @property
    def conversions(self) -> int: ...
    @property
    def revenue(self) -> Decimal: ...
    @property
    def spend(self) -> Decimal: ...


@dataclass(frozen=True)
class Totals:
    """Sums, and the persons exposed, who are counted apart: None where they are not known."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    revenue: Decimal = Decimal(0)
    spend: Decimal = Decimal(0)
    reach: int | None = None


@dataclass(frozen=True)
class Metric:
    key: str
    name: str
    definition: str
    unit: Unit
    better: Good
    value: Callable[[Totals], Decimal | None]
    adds_up: bool = True
    counts: str = "events"


def total(rows: Iterable[Sums]) -> Totals:
    """The sum of rows. Ratios are then taken of sums, never averaged; persons are not summed at all."""
    impressions = clicks = conversions = 0
    revenue = spend = Decimal(0)
    for row in rows:
        impressions += row.impressions
        clicks += row.clicks
        conversions += row.conversions
        revenue += row.revenue
        spend += row.spend
    return Totals(impressions, clicks, conversions, revenue, spend)


def _ratio(part: Decimal | int, whole: Decimal | int | None, factor: int = 1) -> Decimal | None:
    return Decimal(part) * factor / Decimal(whole) if whole else None


METRICS: tuple[Metric, ...] = (
    Metric(
        "spend", "Spend",
        "What the media cost: the cost an event states, or the clearing price / 1,000 for each impression.",
        "money", "neither", lambda s: s.spend,
    ),
    Metric("impressions", "Impressions", "Times an ad was shown.", "count", "up", lambda s: Decimal(s.impressions)),
    Metric(
        "reach", "Reach",
        "Persons who saw an ad, each counted once, on however many platforms and days: exact, so parts add up to more "
        "than the whole. Who denied consent or has no id is not among them.",
        "count", "up", lambda s: None if s.reach is None else Decimal(s.reach), adds_up=False, counts="persons",
    ),
    Metric(
        "frequency", "Frequency", "Impressions / reach: how often a person saw an ad on average.",
        "ratio", "neither", lambda s: _ratio(s.impressions, s.reach), adds_up=False,
    ),
    Metric("clicks", "Clicks", "Times an ad was clicked.", "count", "up", lambda s: Decimal(s.clicks)),
    Metric(
        "conversions", "Conversions", "Events of type conversion or purchase, each counted once.",
        "count", "up", lambda s: Decimal(s.conversions),
    ),
    Metric(
        "revenue", "Revenue", "Sum of the revenue that events carry. All recorded revenue, before attribution.",
        "money", "up", lambda s: s.revenue,
    ),
    Metric(
        "cpm", "CPM", "Spend per 1,000 impressions: 1,000 × spend / impressions.",
        "money", "down", lambda s: _ratio(s.spend, s.impressions, 1000), adds_up=False,
    ),
    Metric(
        "ctr", "CTR", "Clicks / impressions.",
        "percent", "up", lambda s: _ratio(s.clicks, s.impressions), adds_up=False,
    ),
    Metric(
        "cpa", "CPA", "Spend / conversions.",
        "money", "down", lambda s: _ratio(s.spend, s.conversions), adds_up=False,
    ),
    Metric(
        "roas", "ROAS",
        "Revenue / spend, over all recorded revenue: no attribution model is applied yet, so every conversion counts.",
        "ratio", "up", lambda s: _ratio(s.revenue, s.spend), adds_up=False,
    ),
)  # fmt: skip
BY_KEY = {metric.key: metric for metric in METRICS}
