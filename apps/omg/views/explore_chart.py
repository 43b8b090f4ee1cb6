"""The chart of Explore: one metric of the largest rows, or its course over time by the first dimension."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from apps.common.figures import format_value, money_places
from apps.common.pages import Link, url_with
from apps.omg import explore_chart
from apps.omg.answering import Answer, Line, answer
from apps.omg.answers import Asker
from apps.omg.dimensions import display_name
from apps.omg.explore import Asked, heading, name_of, time_label
from apps.omg.metrics import Metric, Totals
from apps.omg.question import Order, Question
from apps.orgs.public import OrgRequest, data_mark

# So many steps at most of each line: hours of two years.
MOST_STEPS = 20_000


def chart_card(request: OrgRequest, asked: Asked, found: Answer, asker: Asker) -> dict[str, Any]:
    metric, period = asked.chart, found.question.period
    drawn = _course(request, asked, found, asker) if asked.grain else _ranking(request, asked, found, asker)
    unit = request.org.currency if metric.unit == "money" else {"percent": "percent"}.get(metric.unit, "")
    subtitle = ", ".join(filter(None, (unit, drawn.pop("of"), period.label, period.zone_label)))
    question: Question = drawn.pop("question")
    title = f"{metric.name} {heading(question).lower() if question.dimensions or question.grain else 'in all'}"
    whose = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    return {
        "title": title,
        "subtitle": subtitle,
        "picture": f"{whose}: {title}",
        "file": f"{request.org.slug}-explore-{metric.key}-{period.start}-{period.end}{data_mark(request.org)}",
        "links": [
            Link(one.key, one.name, url_with(request, chart=one.key), one.key == metric.key) for one in asked.metrics
        ],
        **drawn,
    }


def _ranking(request: OrgRequest, asked: Asked, found: Answer, asker: Asker) -> dict[str, Any]:
    """The largest of all rows, whatever the table is sorted by."""
    metric, question, currency = asked.chart, found.question, request.org.currency
    lines = _top(metric, found, currency, asker)
    values = [metric.value(line.now) for line in lines]
    places = money_places(values, currency)
    words = [format_value(value, metric.unit, currency, places=places) for value in values]
    names = [
        ", ".join(name_of(line, place, question) for place in range(len(question.dimensions))) or "All"
        for line in lines
    ]
    of = f"the largest {len(lines)} of {found.count:,}" if found.count > len(lines) else ""
    return {
        "json": explore_chart.ranking(metric, names, values, words, currency), "keys": [], "of": of,
        "question": question,
    }  # fmt: skip


def _top(metric: Metric, found: Answer, currency: str, asker: Asker) -> Sequence[Line]:
    """Those of the table where it begins with them, else asked for."""
    question, by_metric = found.question, Order(metric, descending=True)
    if question.order[:1] == (by_metric,) and not question.offset and question.against is None:
        return found.lines[: explore_chart.MOST_BARS]
    largest = replace(
        question, metrics=(metric,), against=None, order=(by_metric,), limit=explore_chart.MOST_BARS, offset=0
    )
    return answer(largest, currency, asker).lines


def _course(request: OrgRequest, asked: Asked, found: Answer, asker: Asker) -> dict[str, Any]:
    """The first dimension's largest values over time; of hours, days, weeks or months without an event a sum is 0."""
    metric, currency = asked.chart, request.org.currency
    question, names = _largest(found.question, asked, currency, asker)
    lines = answer(question, currency, asker).lines
    steps = explore_chart.steps_of(question, [at for line in lines if isinstance(at := line.keys[-1], date | datetime)])
    sums = {line.keys: line.now for line in lines}
    values = {name: [metric.value(sums.get((*name, step), Totals(reach=0))) for step in steps] for name in names}
    places = money_places([value for row in values.values() for value in row], currency)
    series = [
        explore_chart.Series(
            display_name(name[0], question.dimensions[0]) if name else "",
            row,
            [format_value(value, metric.unit, currency, places=places) for value in row],
        )
        for name, row in values.items()
    ]
    labels = [time_label(step, question) for step in steps]
    return {
        "json": explore_chart.course(metric, question, steps, labels, series, currency),
        "keys": [(f"series-{place}", one.name) for place, one in enumerate(series, 1) if one.name],
        "of": f"the largest {len(names)} over the range" if len(names) == explore_chart.MOST_LINES else "",
        "question": question,
    }


def _largest(question: Question, asked: Asked, currency: str, asker: Asker) -> tuple[Question, list[tuple[str, ...]]]:
    """The question of the lines, and whose lines they are."""
    over_time = replace(
        question, metrics=(asked.chart,), dimensions=question.dimensions[:1], against=None, order=(Order(None, False),),
        limit=MOST_STEPS, offset=0,
    )  # fmt: skip
    if not question.dimensions:
        return over_time, [()]
    largest = replace(over_time, grain=None, order=(Order(asked.chart, True),), limit=explore_chart.MOST_LINES)
    names: list[tuple[str, ...]] = [(str(line.keys[0]),) for line in answer(largest, currency, asker).lines]
    filters = question.filters.only(question.dimensions[0], *(name[0] for name in names))
    return replace(over_time, filters=filters), names
