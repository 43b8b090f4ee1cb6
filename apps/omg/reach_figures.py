"""The tiles of the page of reach. No Django, no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.common.figures import Better, Figure, Unit, change_of, format_exact, format_value, tone_of
from apps.measurement.public import Universe
from apps.omg.metrics import BY_KEY, Totals, total
from apps.omg.overview import Data
from apps.omg.queries.frequency import Frequencies
from apps.omg.reach import EFFECTIVE, effective_reach, rating_points, share_of

DEFINITIONS: Mapping[str, str] = {
    "reached_part": "Reach / universe: the part of all its persons who saw an ad.",
    "effective": f"Persons who saw an ad {EFFECTIVE} times or more. Counted from single events.",
    "grp": "Gross rating points: 100 × impressions / universe, which is the reached part in percent × frequency.",
    "trp": "Target rating points: 100 × impressions to the target's cohorts / persons of the target.",
}


@dataclass(frozen=True)
class Moments:
    """One figure of the period, of its part that compares, and of that part's counterpart."""

    now: Decimal | None = None
    so_far: Decimal | None = None
    before: Decimal | None = None


@dataclass(frozen=True)
class Known:
    """What the tiles are made of; `reach` is the period's, from whichever table can tell it."""

    data: Data
    reach: int | None
    frequencies: Frequencies | None
    universe: Universe | None
    on_target: Moments = Moments()


def figures(known: Known) -> list[Figure]:
    universe = known.universe
    persons = universe.persons if universe else None
    return [
        _tile(known, "reach", "Reach", BY_KEY["reach"].definition, "count", _each(known, BY_KEY["reach"].value)),
        _tile(known, "reached_part", "Reached part", _of(universe), "percent",
              _each(known, lambda sums: share_of(sums.reach, persons)), note=_missing(universe)),
        _tile(known, "frequency", "Frequency", BY_KEY["frequency"].definition, "ratio",
              _each(known, BY_KEY["frequency"].value), better="neither"),
        _effective(known),
        _tile(known, "grp", "GRP", f"{DEFINITIONS['grp']} {_words(universe)}", "ratio",
              _each(known, lambda sums: rating_points(sums.impressions, persons)), note=_missing(universe)),
        _tile(known, "trp", "TRP", f"{DEFINITIONS['trp']} {_target_words(universe)}", "ratio",
              known.on_target, note=_missing(universe) or _missing_target(universe)),
    ]  # fmt: skip


def _each(known: Known, value: Callable[[Totals], Decimal | None]) -> Moments:
    rows, told = known.data.rows, known.data.reach
    return Moments(
        value(replace(total(rows.current), reach=known.reach)),
        value(replace(total(rows.so_far), reach=told.so_far)),
        value(replace(total(rows.before), reach=told.before)),
    )


def _tile(
    known: Known, key: str, name: str, definition: str, unit: Unit, moments: Moments, *,
    better: Better = "up", note: str = "",
) -> Figure:  # fmt: skip
    """`note` says why there is no figure; with a figure, why there is no change."""
    uncompared = known.data.rows.note
    before = None if uncompared else moments.before
    return Figure(
        key=key,
        name=name,
        definition=definition.strip(),
        value=format_value(moments.now, unit),
        exact=format_exact(moments.now),
        change=change_of(moments.so_far, before, unit),
        tone=tone_of(moments.so_far, before, unit, better),
        note=note or uncompared,
        compared_with=known.data.period.comparison,
        spark_points="",
    )


def _effective(known: Known) -> Figure:
    if known.frequencies is None:
        tile = _tile(known, "effective", f"Reach {EFFECTIVE}+", DEFINITIONS["effective"], "count", Moments())
        return replace(tile, note="events not kept", exact="Not known: the single events are not kept any more.")
    persons = effective_reach(known.frequencies)
    moments = Moments(Decimal(persons))
    part = format_value(share_of(persons, known.reach), "percent")
    return _tile(known, "effective", f"Reach {EFFECTIVE}+", DEFINITIONS["effective"], "count", moments,
                 note=f"{part} of reach")  # fmt: skip


def _of(universe: Universe | None) -> str:
    return f"{DEFINITIONS['reached_part']} {_words(universe)}"


def _words(universe: Universe | None) -> str:
    return f"The universe is {universe.name}: {universe.persons:,} persons." if universe else ""


def _target_words(universe: Universe | None) -> str:
    if universe is None or universe.target_persons is None:
        return ""
    cohorts = f"{len(universe.target_cohorts)} cohort{'s' if len(universe.target_cohorts) > 1 else ''}"
    return f"The target is {universe.target_name}: {universe.target_persons:,} persons, {cohorts}."


def _missing(universe: Universe | None) -> str:
    return "" if universe else "no universe set"


def _missing_target(universe: Universe | None) -> str:
    return "" if universe and universe.target_persons else "no target set"
