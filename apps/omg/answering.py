"""A question answered: rows, their sums and the largest of each, what was compared, and what is not told and why."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from apps.common.errors import NotFound
from apps.omg.answers import Asker, Rows
from apps.omg.dimensions import Dimension
from apps.omg.metrics import Metric, Totals
from apps.omg.queries import campaigns, currencies, figures, still_kept
from apps.omg.question import Persons, Question, of_all

Key = str | date | datetime


@dataclass(frozen=True)
class Line:
    """One row: what it is of, its sums, and those of the parts that compare: `so_far` with `before`."""

    keys: tuple[Key, ...]
    now: Totals
    so_far: Totals | None = None
    before: Totals | None = None

    def change(self, metric: Metric) -> Decimal | None:
        """As a fraction of what was before."""
        if self.so_far is None or self.before is None:
            return None
        new, old = metric.value(self.so_far), metric.value(self.before)
        return (new - old) / abs(old) if new is not None and old else None


@dataclass(frozen=True)
class Answer:
    """`count` rows there are in all; `whole` is of all of them; `most` is the largest value of each metric."""

    question: Question
    lines: Sequence[Line]
    count: int
    whole: Line
    most: Mapping[str, float]
    left_out: Mapping[str, int]
    as_of: datetime | None
    note: str = ""


def answer(question: Question, currency: str, asker: Asker) -> Answer:
    check_campaigns(question, asker)
    left_out = _left_out(question, currency, asker)
    persons, note = _where_persons_are(question, asker)
    found, whole = _rows_and_whole(question, list(left_out), persons, asker)
    if not found and question.offset:
        raise NotFound("There are not so many rows; begin again without `cursor` or page.")
    return Answer(
        question,
        [_line(row, question, persons) for row in found],
        count=found[0]["groups"] if found else 0,
        whole=whole,
        most=_most(found, question),
        left_out=left_out,
        as_of=asker.as_of,
        note=note,
    )


def _rows_and_whole(question: Question, foreign: list[str], persons: Persons, asker: Asker) -> tuple[Rows, Line]:
    """Sums of all rows come with them; persons must be counted again, at the same time."""
    everything = of_all(question)
    if persons is Persons.NOT_ASKED:
        found = _ask(question, foreign, persons, asker)
        return found, _line(found[0], everything, persons, "all_") if found else _nothing(question, persons)
    with ThreadPoolExecutor(2, thread_name_prefix="question") as together:
        rows = together.submit(_ask, question, foreign, persons, asker)
        whole = together.submit(_ask, everything, foreign, persons, asker).result()
        return rows.result(), _line(whole[0], everything, persons) if whole else _nothing(question, persons)


def check_campaigns(question: Question, asker: Asker) -> None:
    """A campaign of another organisation is one that there is not."""
    wanted = [one for one in question.filters.chosen.get(Dimension.CAMPAIGN, ()) if one]
    if not wanted:
        return
    rows = asker.ask("omg.campaigns", campaigns.SQL, {"campaigns": wanted})
    missing = [one for one in wanted if one not in {row["campaign"] for row in rows}]
    if missing:
        raise NotFound(f"There is no campaign {missing[0][:80]!r} here.", data={"pointer": "/filters/campaign"})


def _left_out(question: Question, currency: str, asker: Asker) -> dict[str, int]:
    """Currencies that carry money which no sum may mix in, and on how many events."""
    rows = asker.ask("omg.currencies", *currencies.sql_of(question))
    return {row["currency"]: row["events"] for row in rows if row["currency"] != currency}


def _where_persons_are(question: Question, asker: Asker) -> tuple[Persons, str]:
    """Persons are counted from single events only where these are all still there."""
    if question.persons is not Persons.EVENTS:
        return question.persons, ""
    (row,) = asker.ask("omg.still_kept", *still_kept.sql_of(question))
    if row["single"] == row["counted"]:
        return Persons.EVENTS, ""
    return Persons.NOT_ASKED, (
        "Reach and frequency are not told: in such detail persons are counted from single events, and those of this "
        "range are not all kept any more. By platform, channel and campaign they are known."
    )


def _ask(question: Question, foreign: list[str], persons: Persons, asker: Asker) -> Rows:
    return asker.ask("omg.figures", *figures.sql_of(question, foreign, persons=persons))


def _line(row: Mapping[str, Any], question: Question, persons: Persons, prefix: str = "") -> Line:
    keys = tuple(row[name] for name in figures.names_of(question) if name != "one")
    parts = [_totals(row, part, question, persons, prefix) for part in figures.parts_of(question)]
    return Line(keys, *parts)


def _totals(row: Mapping[str, Any], part: str, question: Question, persons: Persons, prefix: str) -> Totals:
    sums = {measure: row[f"{prefix}{part}_{measure}"] for measure in question.measures}
    return Totals(**sums, reach=None if persons is Persons.NOT_ASKED else row[f"{part}_reach"])


def _nothing(question: Question, persons: Persons) -> Line:
    none = Totals(reach=None if persons is Persons.NOT_ASKED else 0)
    return Line((), none) if question.against is None else Line((), none, none, none)


def _most(found: Rows, question: Question) -> dict[str, float]:
    names = {metric.key: f"most_{metric.key}" for metric in question.metrics}
    return {key: float(found[0][name]) for key, name in names.items() if found and found[0].get(name) is not None}
