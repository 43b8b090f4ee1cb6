"""One number explained: what it means, what it is made of, how it was asked, and whether single events say the same."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.common.figures import format_value
from apps.omg.answering import Answer, answer
from apps.omg.answers import Asker
from apps.omg.metrics import Measure, Metric, Totals
from apps.omg.queries import figures, underlying
from apps.omg.question import Persons, Question
from apps.warehouse.public import execute

MOST_SAMPLED = 10
TAG = "omg.figures"
SOURCES: Mapping[str, str] = {
    "performance": "sums by quarter of an hour, platform, channel and campaign",
    "performance_detail": "sums by quarter of an hour and every dimension that pages filter by",
}
PERSONS: Mapping[Persons, str] = {
    Persons.DAYS: "Persons: sets kept by day of UTC in reach_days, by quarter of an hour in performance at the edges.",
    Persons.QUARTERS: "Persons: sets kept by quarter of an hour in performance.",
    Persons.EVENTS: "Persons: counted from the single events.",
    Persons.NOT_ASKED: "",
}
WORDS: Mapping[Measure, str] = {
    "events": "events", "impressions": "impressions", "clicks": "clicks", "conversions": "conversions",
    "revenue": "revenue", "spend": "spend", "reach": "reach",
}  # fmt: skip
OF_MONEY = frozenset({"revenue", "spend"})


@dataclass(frozen=True)
class Check:
    """One sum as the roll-ups tell it, and as single events do."""

    name: str
    told: str
    counted: str
    difference: str


@dataclass(frozen=True)
class Explained:
    """`has_all_events`: whether single events are all still kept; else they cannot say the same."""

    metric: Metric
    answer: Answer
    rows: int
    events: int
    single_events: int
    checks: list[Check]
    sample: list[dict[str, Any]]
    sql: str

    @property
    def totals(self) -> Totals:
        return self.answer.whole.now

    @property
    def has_all_events(self) -> bool:
        return self.single_events == self.events

    @property
    def agrees(self) -> bool:
        return self.has_all_events and not any(check.difference for check in self.checks)


def explain(metric: Metric, question: Question, currency: str, asker: Asker) -> Explained:
    """The number comes as pages get it; events, rows and sample are asked anew, so that they are of now."""
    found = answer(question, currency, asker)
    foreign = list(found.left_out)
    with ThreadPoolExecutor(3, thread_name_prefix="explain") as together:
        raw, rows, sample = (
            together.submit(execute, asker.org_id, tag, *made)
            for tag, made in (
                ("omg.explain_sums", underlying.sums_sql(question, foreign)),
                ("omg.explain_rows", underlying.rows_sql(question, foreign)),
                ("omg.explain_sample", underlying.sample_sql(question, foreign, most=MOST_SAMPLED)),
            )
        )
        counted, kept = raw.result()[0], rows.result()[0]
        sql, _ = figures.sql_of(question, foreign, persons=_persons_of(found))
        return Explained(
            metric, found, kept["rows"], kept["events"], counted["raw_events"],
            [_check(measure, found.whole.now, counted, currency) for measure in metric.measures],
            sample.result(), sql.strip(),
        )  # fmt: skip


def formula(metric: Metric, sums: Totals, currency: str) -> str:
    """With its numbers: `1,000 × spend $360.68 / impressions 17,856`; empty where it is a sum itself."""
    if metric.per is None:
        return ""
    factor = f"{metric.factor:,} × " if metric.factor != 1 else ""
    part, whole = (f"{WORDS[one]} {_amount(one, sums.of(one), currency)}" for one in (metric.part, metric.per))
    return f"{factor}{part} / {whole}"


def model_of(metric: Metric) -> str:
    """Which attribution model the number follows."""
    if {"conversions", "revenue"} & set(metric.measures):
        return "None: every recorded conversion and all recorded revenue count, whoever may have brought them about"
    return "None needed: it counts what was delivered, not what it brought about"


def _persons_of(found: Answer) -> Persons:
    return found.question.persons if found.whole.now.reach is not None else Persons.NOT_ASKED


def _check(measure: Measure, sums: Totals, counted: Mapping[str, Any], currency: str) -> Check:
    told, raw = sums.of(measure), Decimal(counted[f"raw_{measure}"])
    difference = None if told is None else raw - told
    return Check(
        WORDS[measure].capitalize(),
        _amount(measure, told, currency),
        _amount(measure, raw, currency),
        "" if not difference else f"{'+' if difference > 0 else '−'}{_amount(measure, abs(difference), currency)}",
    )


def _amount(measure: Measure, value: Decimal | None, currency: str) -> str:
    return format_value(value, "money" if measure in OF_MONEY else "count", currency)


def source_of(question: Question) -> tuple[str, str]:
    """The table that sums come from, and what it holds."""
    table = figures.TABLES[question.table]
    return table, SOURCES[table]
