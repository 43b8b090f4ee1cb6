"""Figures by place as plain data: classes of shade, circles, and rows. No Django, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from apps.common.figures import Unit, format_value, money_places
from apps.omg.metrics import Metric, Totals
from apps.omg.outlines import WHOLE, Box, outlines, outlines_near
from apps.omg.places import STATES, zips

SHADES = 5
# Of the map's width: the largest circle's radius.
LARGEST = 0.022
NOWHERE = ""


@dataclass(frozen=True)
class Shade:
    """One class of the legend: from 1, the lightest; what it stands for in words."""

    number: int
    words: str


@dataclass(frozen=True)
class Shape:
    """A state on the map; shade 0 is one without the figure."""

    code: str
    name: str
    path: str
    shade: int
    words: str


@dataclass(frozen=True)
class Circle:
    name: str
    x: float
    y: float
    radius: float
    shade: int
    words: str


@dataclass(frozen=True)
class Map:
    view: Box
    shapes: Sequence[Shape]
    circles: Sequence[Circle]
    legend: Sequence[Shade]


def map_of_states(sums: Mapping[str, Totals], metric: Metric, currency: str) -> Map:
    values = {code: metric.value(sums[code]) for code in STATES if code in sums}
    scale = Scale([value for value in values.values() if value], metric.unit, currency)
    shapes = [
        Shape(code, STATES[code], path, scale.shade_of(values.get(code)), scale.words_of(values.get(code)))
        for code, path in outlines().items()
    ]
    return Map(WHOLE, shapes, (), scale.legend)


def map_of_zips(state: str, sums: Mapping[str, Totals], metric: Metric, currency: str) -> Map:
    """Circles whose area is what the figure is where it adds up; the largest below, so that none is hidden."""
    view, paths = outlines_near(state)
    values = {code: value for code, one in sums.items() if code in zips() and (value := metric.value(one))}
    scale = Scale(list(values.values()), metric.unit, currency)
    most = float(max(values.values(), default=Decimal(1)))
    circles = [
        Circle(
            name_of_zip(code), zips()[code].x, zips()[code].y,
            view.width * LARGEST * (sqrt(max(float(value) / most, 0.02)) if metric.adds_up else 0.35),
            scale.shade_of(value), scale.words_of(value),
        )
        for code, value in sorted(values.items(), key=lambda pair: -pair[1])
    ]  # fmt: skip
    # The state itself last, so that its border lies on top.
    codes = sorted(paths, key=lambda code: code == state)
    shapes = [Shape(code, STATES[code], paths[code], 0, "") for code in codes]
    return Map(view, shapes, circles, scale.legend)


def name_of_zip(code: str) -> str:
    known = zips().get(code)
    return f"{code} {known.place}" if known else code


class Scale:
    """Classes with about as many places each: a few large ones would leave all others in one."""

    def __init__(self, values: Sequence[Decimal], unit: Unit, currency: str) -> None:
        self._unit, self._currency = unit, currency
        self._places = money_places(values, currency)
        ordered = sorted(values)
        ends = [ordered[-(-len(ordered) * number // SHADES) - 1] for number in range(1, SHADES + 1)] if ordered else []
        self._ends = list(dict.fromkeys(ends))
        self._first = ordered[0] if ordered else Decimal(0)
        self._ordered = ordered

    def shade_of(self, value: Decimal | None) -> int:
        """0 where there is nothing; few classes take the strongest shades."""
        if not value or not self._ends:
            return 0
        place = next((place for place, end in enumerate(self._ends) if value <= end), len(self._ends) - 1)
        return SHADES - len(self._ends) + place + 1

    def words_of(self, value: Decimal | None) -> str:
        return format_value(value, self._unit, self._currency, places=self._places)

    @property
    def legend(self) -> list[Shade]:
        made, low = list[Shade](), self._first
        for end in self._ends:
            words = self.words_of(end) if low == end else f"{self.words_of(low)}–{self.words_of(end)}"
            made.append(Shade(self.shade_of(end), words))
            low = next((value for value in self._ordered if value > end), end)
        return made
