"""What the page of one campaign or line item asks, and its answers side by side."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.common.comparison import Extent
from apps.common.errors import NotFound
from apps.common.period import Period
from apps.omg.answering import Answer, answer
from apps.omg.answers import Asker
from apps.omg.by_place import ByPlace, ask_by_place
from apps.omg.dimensions import Dimension
from apps.omg.filters import Filters
from apps.omg.metrics import METRICS, Metric, Totals
from apps.omg.queries import extent as extents
from apps.omg.queries import has_any
from apps.omg.question import Grain, Order, Question

SUMMED = tuple(metric for metric in METRICS if "reach" not in metric.measures)
MOST_ROWS = 100
MOST_DAYS = 731


@dataclass(frozen=True)
class Asked:
    """One campaign or line item in a period; what else it is filtered by; how its parts are told."""

    subject: Dimension
    value: str
    period: Period
    filters: Filters
    metric: Metric
    by: Dimension
    order: Order
    currency: str

    @property
    def all_filters(self) -> Filters:
        return self.filters.only(self.subject, self.value)


@dataclass(frozen=True)
class Found:
    extent: Extent | None
    whole: Answer
    days: Mapping[date, Totals]
    parts: Answer
    places: ByPlace

    def by_day(self, asked: Asked) -> list[Decimal | None]:
        """Of the chosen metric; a day without events is 0 where parts add up."""
        nothing = Totals(reach=0 if self.whole.whole.now.reach is not None else None)
        return [asked.metric.value(self.days.get(day, nothing)) for day in asked.period.dates]


def ask(asked: Asked, asker: Asker) -> Found:
    """All at the same time. Persons by day are counted only where the chart shows them."""
    check_there_is(asked, asker)
    period, filters, currency = asked.period, asked.all_filters, asked.currency
    days = Question(
        METRICS if "reach" in asked.metric.measures else SUMMED, period,
        grain=Grain.DAY, filters=filters, order=(Order(None, descending=False),), limit=MOST_DAYS,
    )  # fmt: skip
    parts = Question(METRICS, period, (asked.by,), filters=filters, order=(asked.order,), limit=MOST_ROWS)
    whole = Question(METRICS, period, filters=filters, against=period.previous, limit=1)
    with ThreadPoolExecutor(4, thread_name_prefix="subject") as together:
        extent = together.submit(extents.fetch, asker.org_id, time_zone=period.time_zone)
        of_all = together.submit(answer, whole, currency, asker)
        of_days = together.submit(answer, days, currency, asker)
        of_parts = together.submit(answer, parts, currency, asker)
        places = ask_by_place(Question(SUMMED, period, filters=filters), currency, asker)
        by_day = {line.keys[0]: line.now for line in of_days.result().lines if isinstance(line.keys[0], date)}
        return Found(extent.result(), of_all.result(), by_day, of_parts.result(), places)


def check_there_is(asked: Asked, asker: Asker) -> None:
    """One of another organisation is one that there is not."""
    rows = asker.ask("omg.has_any", *has_any.sql_of(asked.subject, asked.value)) if asked.value else []
    if not rows:
        raise NotFound(f"There is no {asked.subject.words} {asked.value[:80]!r} here.")
