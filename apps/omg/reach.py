"""Reach as plain data: what platforms reached together, each alone, and how often. No Django, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from apps.events.public import platform_name
from apps.omg.metrics import Totals
from apps.omg.queries.frequency import Frequencies
from apps.omg.queries.overlap import Overlap

Places = tuple[int, ...]
# So often somebody must see an ad for it to be taken as effective; the trade's rule of thumb.
EFFECTIVE = 3


@dataclass(frozen=True)
class Added:
    """One platform in the order in which they are added: its persons, those it alone has, those it adds, all so far."""

    place: int
    reach: int
    exclusive: int
    incremental: int
    cumulative: int


@dataclass(frozen=True)
class Step:
    """How many persons saw it exactly so often, and so often or more."""

    times: int
    exactly: int
    at_least: int


class Audience:
    """The persons of a period, by the exact combination of platforms that reached them."""

    def __init__(self, overlap: Overlap) -> None:
        self.sets = overlap.names
        self._shared = overlap.shared or {}

    @cached_property
    def combinations(self) -> dict[Places, int]:
        """Persons whom these platforms reached and no other; largest first, empty combinations left out."""
        exact = {places: self._only(places) for places in self._shared}
        return dict(sorted(((one, count) for one, count in exact.items() if count), key=lambda it: (-it[1], it[0])))

    @property
    def reach(self) -> int:
        return sum(self.combinations.values())

    def reach_of(self, place: int) -> int:
        return self._shared[(place,)]

    def build_up(self, begin: int | None = None) -> list[Added]:
        """Platforms one after another, each the one that adds most persons to those before it; ties by reach."""
        left, covered, made = list(range(len(self.sets))), 0, list[Added]()
        added: set[int] = set()
        while left:
            first = begin is not None and not made
            place = (
                begin if first and begin is not None else max(left, key=lambda one: (self._joined(added | {one}), -one))
            )
            added.add(place)
            left.remove(place)
            joined = self._joined(added)
            exclusive = self.combinations.get((place,), 0)
            made.append(Added(place, self.reach_of(place), exclusive, joined - covered, joined))
            covered = joined
        return made

    def place_of(self, platform: str) -> int | None:
        """The set that stands for this platform alone, if it reached anybody."""
        return next((place for place, names in enumerate(self.sets) if names == (platform,)), None)

    def name_of(self, place: int) -> str:
        names = self.sets[place]
        if len(names) > 1:
            return f"{len(names)} others"
        return platform_name(names[0]) if names[0] else "(no platform)"

    def words_of(self, places: Places) -> str:
        return " + ".join(self.name_of(place) for place in places)

    def _joined(self, sets: set[int]) -> int:
        """Persons reached by any of these."""
        return sum(count for places, count in self.combinations.items() if sets.intersection(places))

    def _only(self, places: Places) -> int:
        """By inclusion and exclusion: those whom all of these have in common, less those whom more have."""
        wanted = set(places)
        return sum(
            (-1) ** (len(more) - len(places)) * count for more, count in self._shared.items() if wanted.issubset(more)
        )


def steps(persons: Mapping[int, int], most: int) -> list[Step]:
    """From 1 up to the highest frequency there is, at most to `most`, which stands for that often or more."""
    last = max(persons, default=0)
    made, above = list[Step](), 0
    for times in range(min(last, most), 0, -1):
        above += persons.get(times, 0)
        made.append(Step(times, persons.get(times, 0), above))
    return made[::-1]


def effective_reach(found: Frequencies, times: int = EFFECTIVE) -> int:
    return sum(count for often, count in found.persons[None].items() if often >= times)


def rating_points(impressions: int | None, universe: int | None) -> Decimal | None:
    """GRP of all, TRP of those on target: 100 × impressions / persons."""
    if impressions is None or not universe:
        return None
    return Decimal(100) * impressions / universe


def share_of(part: int | None, whole: int | None) -> Decimal | None:
    return None if part is None or not whole else Decimal(part) / whole


def totals_of(names: Sequence[str], by_platform: Mapping[str, Totals], reach: int) -> Totals:
    """Sums of a set of platforms, and its persons, who are no sum."""
    parts = [by_platform[name] for name in names if name in by_platform]
    return Totals(
        impressions=sum(one.impressions for one in parts),
        clicks=sum(one.clicks for one in parts),
        conversions=sum(one.conversions for one in parts),
        revenue=sum((one.revenue for one in parts), Decimal(0)),
        spend=sum((one.spend for one in parts), Decimal(0)),
        reach=reach,
    )
