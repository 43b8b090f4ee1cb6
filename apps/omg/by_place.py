"""Sums by state or ZIP code, asked of ClickHouse: what a map and its ranking are made of."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from apps.omg.answers import Asker
from apps.omg.metrics import Totals
from apps.omg.queries import currencies, places, still_kept
from apps.omg.question import Question


@dataclass(frozen=True)
class ByPlace:
    """Sums by state, or by ZIP code of one; `elsewhere` is what has none that is known."""

    sums: Mapping[str, Totals]
    elsewhere: Totals | None
    left_out: Mapping[str, int]
    persons_unknown: bool = False


def ask_by_place(question: Question, currency: str, asker: Asker, state: str = "") -> ByPlace:
    """Persons are counted only if a metric of the question is of them, and only while their events are all kept."""
    with ThreadPoolExecutor(2, thread_name_prefix="places") as together:
        persons = together.submit(_persons, question, asker, state)
        found = asker.ask("omg.currencies", *currencies.sql_of(question))
        left_out = {row["currency"]: row["events"] for row in found if row["currency"] != currency}
        rows = asker.ask("omg.places", *places.sql_of(question, list(left_out), state))
        reach = persons.result()
    wanted = any("reach" in metric.measures for metric in question.metrics)
    sums = {row["place"]: _totals(row, reach) for row in rows}
    return ByPlace(
        {place: one for place, one in sums.items() if place},
        sums.get(""),
        left_out,
        persons_unknown=wanted and reach is None,
    )


def _persons(question: Question, asker: Asker, state: str) -> dict[str, int] | None:
    if not any("reach" in metric.measures for metric in question.metrics):
        return None
    (kept,) = asker.ask("omg.still_kept", *still_kept.sql_of(question))
    if kept["single"] != kept["counted"]:
        return None
    rows = asker.ask("omg.places_persons", *places.persons_sql_of(question, state))
    return {row["place"]: row["reach"] for row in rows}


def _totals(row: Mapping[str, object], reach: Mapping[str, int] | None) -> Totals:
    sums = Totals(**{measure: row[measure] for measure in places.MEASURES})  # type: ignore[arg-type]
    return replace(sums, reach=None if reach is None else reach.get(str(row["place"]), 0))
