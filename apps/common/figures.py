"""How figures read: values with unit and currency, changes with sign, sparklines. Shared by every page with figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from apps.common.money import decimal_places, format_money

Unit = Literal["money", "count", "percent", "ratio"]
Better = Literal["up", "down", "neither"]
UNDEFINED = "–"
LONGEST_FRACTION = 6
# Below this a fraction's change is told to two decimals of a point: 0.58 % moves by hundredths.
SMALL_FRACTION = Decimal("0.05")
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
    compared_with: str
    spark_points: str

    @property
    def spark_area(self) -> str:
        """The area under the line, from its own first point to its last."""
        places = [point.partition(",")[0] for point in self.spark_points.split()]
        return f"{places[0]},{SPARK_HEIGHT} {self.spark_points} {places[-1]},{SPARK_HEIGHT}" if places else ""


def format_value(value: Decimal | None, unit: Unit, currency: str = "", *, places: int | None = None) -> str:
    """The short form: whole money from a thousand on unless `places` says, fractions as percent."""
    if value is None:
        return UNDEFINED
    if unit == "money":
        return format_money(value, currency, places=money_places([value], currency) if places is None else places)
    if unit == "percent":
        return f"{value * 100:,.2f} %"
    return f"{value:,.0f}" if unit == "count" else f"{value:,.2f}"


def money_places(values: Iterable[Decimal | None], currency: str) -> int:
    """Decimals that suit all of a column: none when every amount is a thousand or more, else the currency's own."""
    amounts = [abs(value) for value in values if value]
    return 0 if amounts and min(amounts) >= 1000 else decimal_places(currency)


def format_exact(value: Decimal | None, currency: str = "") -> str:
    """For whoever checks: to the last digit, or to six decimals, and which of the two."""
    if value is None:
        return "Not defined: the denominator is 0"
    short = shorten(value)
    return f"{'Exactly' if short == value else 'To six decimals'} {short:,f} {currency}".strip()


def shorten(value: Decimal) -> Decimal:
    """At most six decimals, which is as far as a ratio says anything."""
    return plain(round(value, LONGEST_FRACTION))


def plain(value: Decimal) -> Decimal:
    """Without the zeros behind the last digit that says anything."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def change_of(now: Decimal | None, before: Decimal | None, unit: Unit) -> str:
    """`+4.2 %`; a fraction changes in points: `+1.1 pt`; nothing to compare with: empty."""
    change = _rounded_change(now, before, unit)
    if change is None:
        return ""
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change):,f} {'pt' if unit == 'percent' else '%'}"


def tone_of(now: Decimal | None, before: Decimal | None, unit: Unit, better: Better) -> str:
    """Whether the change, as it is shown, is good for the reader, which is not its sign."""
    change = _rounded_change(now, before, unit)
    if not change or better == "neither":
        return "neutral"
    return "good" if (change > 0) == (better == "up") else "bad"


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


def format_size(count: int) -> str:
    """Bytes in decimal units, as file managers show them."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    if count < 1_000_000:
        return f"{count / 1_000:.0f} kB"
    return f"{count / 1_000_000:.1f}".removesuffix(".0") + " MB"


def format_age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{max(int(seconds), 0)} s ago"


def _rounded_change(now: Decimal | None, before: Decimal | None, unit: Unit) -> Decimal | None:
    """Points for a fraction, percent for all else; None without anything to divide by."""
    if now is None or before is None or (unit != "percent" and before == 0):
        return None
    if unit == "percent":
        return round((now - before) * 100, 2 if abs(now) < SMALL_FRACTION else 1)
    return round((now - before) / before * 100, 1)
