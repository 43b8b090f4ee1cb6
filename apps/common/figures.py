"""How figures read: values with unit and currency, changes with sign, sparklines. Shared by every page with figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from apps.common.money import format_money

Unit = Literal["money", "count", "percent", "ratio"]
Better = Literal["up", "down", "neither"]
UNDEFINED = "–"
SPARK_WIDTH, SPARK_HEIGHT = 100, 28


@dataclass(frozen=True)
class Figure:
    """One tile: everything that `components/figure.html` shows."""

    key: str
    name: str
    definition: str
    value: str
    exact: str
    change: str
    tone: str
    note: str
    spark_points: str


def format_value(value: Decimal | None, unit: Unit, currency: str = "") -> str:
    """The short form: whole money from a thousand on, fractions as percent, nothing for the undefined."""
    if value is None:
        return UNDEFINED
    if unit == "money":
        return format_money(value, currency, places=0 if abs(value) >= 1000 else None)
    if unit == "percent":
        return f"{value * 100:,.2f} %"
    return f"{value:,.0f}" if unit == "count" else f"{value:,.2f}"


def format_exact(value: Decimal | None, currency: str = "") -> str:
    """Every digit there is, for whoever checks."""
    if value is None:
        return "not defined: the denominator is 0"
    return f"{plain(value):,f} {currency}".strip()


def plain(value: Decimal) -> Decimal:
    """Without the zeros behind the last digit that says anything."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def change_of(now: Decimal | None, before: Decimal | None, unit: Unit) -> str:
    """`+4.2 %`; a fraction changes in points: `+1.1 pt`; nothing to compare with: empty."""
    if now is None or before is None or (unit != "percent" and before == 0):
        return ""
    if unit == "percent":
        return _signed((now - before) * 100, "pt")
    return _signed((now - before) / before * 100, "%")


def tone_of(now: Decimal | None, before: Decimal | None, better: Better) -> str:
    """Whether the change is good for the reader, which is not its sign."""
    if now is None or not before or now == before or better == "neither":
        return "neutral"
    return "good" if (now > before) == (better == "up") else "bad"


def spark_points(values: Sequence[Decimal | None]) -> str:
    """A polyline in a box of 100 × 28; empty when there is nothing to draw."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    span, step = float(high - low) or 1.0, SPARK_WIDTH / (len(values) - 1)
    inner = SPARK_HEIGHT - 4
    points = (
        f"{place * step:.1f},{2 + inner - inner * float(value - low) / span:.1f}"
        for place, value in enumerate(values)
        if value is not None
    )
    return " ".join(points)


def format_age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{max(int(seconds), 0)} s ago"


def _signed(amount: Decimal, unit: str) -> str:
    rounded = round(amount, 1)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else "±"
    return f"{sign}{abs(rounded):,.1f} {unit}"
