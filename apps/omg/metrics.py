"""The metrics of the dashboard: each one's name, definition, formula and reading stand here, once.

A formula is a sum or a ratio of two, so that it can be worked out of sums here and sorted by in SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Unit = Literal["money", "count", "percent", "ratio"]
Good = Literal["up", "down", "neither"]
Measure = Literal["events", "impressions", "clicks", "conversions", "revenue", "spend", "reach"]


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
    events: int = 0

    def of(self, measure: Measure) -> Decimal | None:
        found: Decimal | int | None = getattr(self, measure)
        return None if found is None else Decimal(found)


@dataclass(frozen=True)
class Metric:
    """`factor` × `part` / `per`; without `per` the sum itself."""

    key: str
    name: str
    definition: str
    unit: Unit
    better: Good
    part: Measure
    per: Measure | None = None
    factor: int = 1
    counts: str = "events"

    @property
    def adds_up(self) -> bool:
        """Whether parts add up to the whole: sums do, ratios and persons do not."""
        return self.per is None and self.part != "reach"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.part,) if self.per is None else (self.part, self.per)

    def value(self, sums: Totals) -> Decimal | None:
        """None where the denominator is 0, or persons are not known."""
        part = sums.of(self.part)
        if self.per is None or part is None:
            return part
        whole = sums.of(self.per)
        return part * self.factor / whole if whole else None

    def lacks_cost(self, sums: Totals) -> bool:
        """Whether it is about costs, and none came with any event of a whole period."""
        return "spend" in self.measures and not sums.spend

    def told(self, sums: Totals) -> Decimal | None:
        """The value of a whole period, as pages tell it: what is not known is not 0."""
        return None if self.lacks_cost(sums) else self.value(sums)

    def sql(self, prefix: str) -> str:
        """The same of columns named for measures, to sort by."""
        if self.per is None:
            return f"{prefix}{self.part}"
        return f"toFloat64({prefix}{self.part}) * {self.factor} / nullIf(toFloat64({prefix}{self.per}), 0)"


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


METRICS: tuple[Metric, ...] = (
    Metric(
        "spend", "Spend",
        "What the media cost: the cost an event states, or the clearing price / 1,000 for each impression.",
        "money", "neither", "spend",
    ),
    Metric("impressions", "Impressions", "Times an ad was shown.", "count", "up", "impressions"),
    Metric(
        "reach", "Reach",
        "Persons who saw an ad, each counted once, on however many platforms and days: exact, so parts add up to more "
        "than the whole. Who denied consent or has no id is not among them.",
        "count", "up", "reach", counts="persons",
    ),
    Metric(
        "frequency", "Frequency", "Impressions / reach: how often a person saw an ad on average.",
        "ratio", "neither", "impressions", per="reach",
    ),
    Metric("clicks", "Clicks", "Times an ad was clicked.", "count", "up", "clicks"),
    Metric(
        "conversions", "Conversions", "Events of type conversion or purchase, each counted once.",
        "count", "up", "conversions",
    ),
    Metric(
        "revenue", "Revenue", "Sum of the revenue that events carry. All recorded revenue, before attribution.",
        "money", "up", "revenue",
    ),
    Metric(
        "cpm", "CPM", "Spend per 1,000 impressions: 1,000 × spend / impressions.",
        "money", "down", "spend", per="impressions", factor=1000,
    ),
    Metric(
        "ctr", "CTR", "Clicks / impressions.",
        "percent", "up", "clicks", per="impressions",
    ),
    Metric(
        "cpa", "CPA", "Spend / conversions.",
        "money", "down", "spend", per="conversions",
    ),
    Metric(
        "roas", "ROAS",
        "Revenue / spend, over all recorded revenue: no attribution model is applied yet, so every conversion counts.",
        "ratio", "up", "revenue", per="spend",
    ),
)  # fmt: skip
BY_KEY = {metric.key: metric for metric in METRICS}
# What the overview has no tile for.
MORE: tuple[Metric, ...] = (
    Metric("events", "Events", "Events of every type, each counted once.", "count", "up", "events"),
    Metric("cpc", "CPC", "Spend / clicks.", "money", "down", "spend", per="clicks"),
    Metric("cvr", "CVR", "Conversions / clicks.", "percent", "up", "conversions", per="clicks"),
)
EVERY = {metric.key: metric for metric in (*METRICS, *MORE)}
