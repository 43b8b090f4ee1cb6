"""The tables of the page of reach, as shown and as CSV: the build-up, the overlap, how often. No Django, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.common.figures import Unit, format_value, money_places, plain, shorten
from apps.common.spreadsheets import safe_cell
from apps.events.public import PLATFORM_KINDS
from apps.measurement.public import Universe
from apps.omg.metrics import Totals
from apps.omg.queries.frequency import MOST, Frequencies
from apps.omg.reach import Added, Audience, Step, rating_points, share_of, steps, totals_of

Line = Sequence[object]
THOUSAND = Decimal(1000)
OF_THE_UNIVERSE = frozenset({"reached_part", "grp"})
COLUMNS: Mapping[str, tuple[str, Unit, str]] = {
    "reach": ("Reach", "count", "Persons whom the platform reached, each counted once."),
    "exclusive": ("Only here", "count", "Persons whom this platform reached and no other: its exclusive reach."),
    "incremental": ("Adds", "count", "Persons whom none of the platforms above reached: its incremental reach."),
    "cumulative": ("Together", "count", "Persons reached by this platform or by one above."),
    "together_part": ("Together, of reach", "percent", "Together / all persons reached."),
    "reached_part": ("Of universe", "percent", "Together / universe."),
    "frequency": ("Frequency", "ratio", "The platform's impressions / its reach."),
    "grp": ("GRP", "ratio", "100 × the platform's impressions / universe. These add up."),
    "cost": ("Per 1,000", "money", "The platform's spend per 1,000 persons whom it reached."),
    "cost_added": ("Per 1,000 added", "money", "The platform's spend per 1,000 persons whom it adds."),
}


@dataclass(frozen=True)
class BuildUp:
    """Platforms one after another, and what each adds to those before it."""

    audience: Audience
    begin: int | None
    by_platform: Mapping[str, Totals]
    universe: Universe | None
    currency: str

    @property
    def columns(self) -> list[str]:
        return [key for key in COLUMNS if self.universe or key not in OF_THE_UNIVERSE]

    def values(self) -> list[tuple[Added, dict[str, Decimal | None]]]:
        return [(one, self._of(one)) for one in self.audience.build_up(self.begin)]

    def table(self) -> dict[str, Any]:
        rows = self.values()
        shown = {key: self._column(key, [values[key] for _, values in rows]) for key in self.columns}
        columns = [
            {"key": key, "label": COLUMNS[key][0], "definition": COLUMNS[key][2], "numeric": True}
            for key in self.columns
        ]
        lines = [
            {**self._name(one), "cells": [cells[place] for cells in shown.values()]}
            for place, (one, _) in enumerate(rows)
        ]
        return {"columns": [{"label": "Platform"}, *columns], "rows": lines}

    def lines(self) -> list[Line]:
        lines: list[Line] = [["platform", *self.columns]]
        for one, values in self.values():
            lines.append([safe_cell(self.audience.name_of(one.place)), *(_exact(values[key]) for key in self.columns)])
        return lines

    def _of(self, one: Added) -> dict[str, Decimal | None]:
        sums = totals_of(self.audience.sets[one.place], self.by_platform, one.reach)
        persons = self.universe.persons if self.universe else None
        return {
            "reach": Decimal(one.reach),
            "exclusive": Decimal(one.exclusive),
            "incremental": Decimal(one.incremental),
            "cumulative": Decimal(one.cumulative),
            "together_part": share_of(one.cumulative, self.audience.reach),
            "reached_part": share_of(one.cumulative, persons),
            "frequency": share_of(sums.impressions, one.reach),
            "grp": rating_points(sums.impressions, persons),
            "cost": sums.spend * THOUSAND / one.reach if one.reach else None,
            "cost_added": sums.spend * THOUSAND / one.incremental if one.incremental else None,
        }

    def _column(self, key: str, values: Sequence[Decimal | None]) -> list[dict[str, Any]]:
        unit = COLUMNS[key][1]
        most = Decimal(self.audience.reach) if unit == "count" else None
        places = money_places(values, self.currency)
        return [
            {"text": format_value(value, unit, self.currency, places=places),
             "share": float(value / most) if most and value is not None else None}
            for value in values
        ]  # fmt: skip

    def _name(self, one: Added) -> dict[str, str]:
        names = self.audience.sets[one.place]
        kind = PLATFORM_KINDS.get(names[0], "") if len(names) == 1 else ""
        return {"name": self.audience.name_of(one.place), "kind": kind}


def overlap_rows(audience: Audience) -> list[dict[str, Any]]:
    """Combinations, the largest first: which sets are in, between which a line runs, and how many persons."""
    most = max(audience.combinations.values(), default=1)
    return [
        {
            "words": audience.words_of(places) + (" only" if len(places) == 1 else ""),
            "dots": [{"x": 11 + 22 * place, "on": place in places} for place in range(len(audience.sets))],
            "line": (11 + 22 * places[0], 11 + 22 * places[-1]) if len(places) > 1 else None,
            "persons": f"{count:,}",
            "part": format_value(share_of(count, audience.reach), "percent"),
            "share": count / most,
        }
        for places, count in audience.combinations.items()
    ]


def overlap_lines(audience: Audience) -> list[Line]:
    names = [safe_cell(audience.name_of(place)) for place in range(len(audience.sets))]
    lines: list[Line] = [[*names, "persons", "part_of_reach"]]
    for places, count in audience.combinations.items():
        inside = [int(place in places) for place in range(len(names))]
        lines.append([*inside, count, _exact(share_of(count, audience.reach))])
    return lines


@dataclass(frozen=True)
class Distribution:
    """Persons by how often they saw the media, on each platform and over all."""

    audience: Audience
    found: Frequencies
    universe: Universe | None

    @property
    def steps(self) -> list[Step]:
        return steps(self.found.persons[None], MOST)

    def bars(self, way: str) -> list[tuple[str, int]]:
        return [(self._times(one), one.exactly if way == "exactly" else one.at_least) for one in self.steps]

    def table(self) -> dict[str, Any]:
        """Of each frequency: exactly, and at least so often; the latter on each platform, too."""
        of_sets = [self._of(place) for place in range(len(self.audience.sets))]
        headers = ["Times", "Exactly", "Of reach", "Or more", "Of reach"]
        headers += ["Of universe"] if self.universe else []
        return {
            "headers": headers + [self.audience.name_of(place) for place in range(len(of_sets))],
            "rows": [
                [self._times(one), *self._parts(one), *(f"{of_set.get(one.times, 0):,}" for of_set in of_sets)]
                for one in self.steps
            ],
        }

    def lines(self) -> list[Line]:
        of_sets = [self._of(place) for place in range(len(self.audience.sets))]
        names = [safe_cell(f"{self.audience.name_of(place)}, at least") for place in range(len(of_sets))]
        lines: list[Line] = [["times", "exactly", "at_least", *names]]
        for one in self.steps:
            rest = [of_set.get(one.times, 0) for of_set in of_sets]
            lines.append([self._times(one), one.exactly, one.at_least, *rest])
        return lines

    def _of(self, place: int) -> dict[int, int]:
        return {one.times: one.at_least for one in steps(self.found.persons[place], MOST)}

    def _times(self, one: Step) -> str:
        return f"{one.times}+" if one.times == MOST else str(one.times)

    def _parts(self, one: Step) -> Iterable[str]:
        reach = self.steps[0].at_least
        yield f"{one.exactly:,}"
        yield format_value(share_of(one.exactly, reach), "percent")
        yield f"{one.at_least:,}"
        yield format_value(share_of(one.at_least, reach), "percent")
        if self.universe:
            yield format_value(share_of(one.at_least, self.universe.persons), "percent")


def _exact(value: Decimal | None) -> str:
    return "" if value is None else f"{plain(value) if value == value.to_integral_value() else shorten(value):f}"
