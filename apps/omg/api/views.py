"""The overview's figures for machines: the same questions, the same definitions."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.common.api.describing import Shape
from apps.common.api.reading import Strict
from apps.common.period import PRESETS, Period, read_period
from apps.omg.dimensions import Dimension
from apps.omg.files import written
from apps.omg.filters import Filters
from apps.omg.metrics import METRICS, Totals
from apps.omg.overview import Data, split_rows, totals_by, with_reach
from apps.omg.queries import performance, reach
from apps.omg.queries.performance import Row
from apps.omg.queries.reach import Reach
from apps.orgs.public import ApiRequest, ApiView, Scope


class PerformanceParameters(Strict):
    range = serializers.ChoiceField(
        choices=list(PRESETS), required=False, help_text="So many last days, today included; 30d unless told."
    )
    start = serializers.DateField(required=False, help_text="The first day; with `end`, in place of `range`.")
    end = serializers.DateField(required=False, help_text="The last day, included.")
    by = serializers.ChoiceField(
        choices=[one.value for one in Dimension], required=False, help_text="One line for each of these."
    )
    grain = serializers.ChoiceField(choices=["day"], required=False, help_text="One line for each day.")


FiguresShape = type(
    "FiguresShape",
    (Shape,),
    {
        metric.key: serializers.CharField(allow_null=True, help_text=f"{metric.definition} A decimal number.")
        for metric in METRICS
    },
)


class LineShape(Shape):
    day = serializers.DateField(required=False, help_text="With `grain=day`.")
    name = serializers.CharField(required=False, help_text="With `by`; empty where events name none.")
    metrics = FiguresShape(help_text="null where the denominator is 0, or persons are not known in such detail.")


class PerformanceShape(Shape):
    start = serializers.DateField()
    end = serializers.DateField()
    time_zone = serializers.CharField(help_text="Days are those of this zone.")
    currency = serializers.CharField(help_text="Of all amounts.")
    left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="Events with money in other currencies, which no sum mixes in."
    )
    items = LineShape(many=True)


class Performance(ApiView):
    tag = "Figures"
    scope = Scope.READ_METRICS
    parameters = PerformanceParameters

    @extend_schema(operation_id="performance", responses=PerformanceShape)
    def get(self, request: ApiRequest) -> Response:
        """Spend, impressions, clicks, conversions, revenue and their ratios: in all, by day, by one dimension.

        Always those of real data, whatever the pages show."""
        org = request.auth.org
        chosen: dict[str, str] = {
            name: str(self.asked[name]) for name in ("range", "start", "end") if name in self.asked
        }
        period = read_period(chosen, time_zone=org.time_zone, now=timezone.now())
        dimension = Dimension(self.asked.get("by", Dimension.PLATFORM))
        rows = [row for row in performance.fetch(org.pk, period, dimension) if row.day >= period.start]
        persons = _persons(org.pk, period, dimension, by="by" in self.asked, daily="grain" in self.asked)
        data, foreign = split_rows(rows, period, org.currency, None, persons)
        return Response(
            {
                "start": period.start,
                "end": period.end,
                "time_zone": period.time_zone,
                "currency": org.currency,
                "left_out": foreign,
                "items": _lines(data, by="by" in self.asked, daily="grain" in self.asked),
            }
        )


def _persons(org_id: UUID, period: Period, dimension: Dimension, *, by: bool, daily: bool) -> Reach:
    """Persons are known in all, by name, and by day, not by both."""
    filters = Filters()
    if daily:
        return Reach() if by else Reach(by_day=reach.fetch_by_day(org_id, period, filters))
    return reach.fetch(org_id, period, dimension, filters)


def _lines(data: Data, *, by: bool, daily: bool) -> list[dict[str, Any]]:
    def key(row: Row) -> tuple[date | None, str | None]:
        return row.day if daily else None, row.name if by else None

    found = data.reach
    persons: Mapping[tuple[date | None, str | None], int] | None
    if daily:
        persons = None if found.by_day is None else {(day, None): count for day, count in found.by_day.items()}
    elif by:
        persons = None if found.by_name is None else {(None, name): count for name, count in found.by_name.items()}
    else:
        persons = None if found.current is None else {(None, None): found.current}
    sums = with_reach(totals_by(data.rows.current, key), persons)
    return [
        {**({"day": day} if daily else {}), **({"name": name} if by else {}), "metrics": _metrics(totals)}
        for (day, name), totals in sorted(sums.items(), key=lambda pair: (str(pair[0][0]), str(pair[0][1])))
    ]


def _metrics(sums: Totals) -> dict[str, str | None]:
    return {metric.key: written(metric, metric.value(sums)) for metric in METRICS}
