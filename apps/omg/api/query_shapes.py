"""What `POST /api/v1/query` takes and answers, as it is read and described."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.api.describing import Shape
from apps.common.api.reading import Strict
from apps.common.period import PRESETS
from apps.omg.dimensions import Dimension
from apps.omg.metrics import EVERY
from apps.omg.question import COMPARISONS, MOST_DIMENSIONS, TIME, Grain, unknown

MOST_METRICS, MOST_VALUES, LONGEST_VALUE = len(EVERY), 1_000, 300
MOST_ROWS, MOST_FILE_ROWS = 10_000, 100_000
LONGEST_CURSOR = 200
DAYS = {
    "type": "object",
    "properties": {"start": {"type": "string", "format": "date"}, "end": {"type": "string", "format": "date"}},
    "required": ["start", "end"],
    "additionalProperties": False,
}


class Known(serializers.ChoiceField):
    """One of some names; another one is told which it may have meant."""

    def __init__(self, names: Iterable[str], kind: str, **more: Any) -> None:
        self.kind = kind
        super().__init__(choices=list(names), **more)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in self.choices:
            return data
        raise serializers.ValidationError(unknown(str(data), self.choices, self.kind), code="unknown_name")


class _Days(serializers.Field):
    """One of some words, or two days."""

    words: tuple[str, ...]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            if data not in self.words:
                raise serializers.ValidationError(unknown(data, self.words, "range"), code="unknown_name")
            return data
        if (
            isinstance(data, dict)
            and set(data) == {"start", "end"}
            and all(isinstance(one, str) for one in data.values())
        ):
            return data
        raise serializers.ValidationError(
            f"Send one of {', '.join(self.words)}, or an object of the days start and end, such as 2026-10-01."
        )

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"oneOf": [{"type": "string", "enum": list(PRESETS)}, DAYS]})
class Range(_Days):
    words = tuple(PRESETS)


@extend_schema_field({"oneOf": [{"type": "string", "enum": list(COMPARISONS)}, DAYS]})
class Against(_Days):
    words = tuple(COMPARISONS)


def _values(dimension: Dimension) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=LONGEST_VALUE, trim_whitespace=False),
        min_length=1, max_length=MOST_VALUES, required=False,
        help_text=f"Only these; an empty text for events that name no {dimension.words}.",
    )  # fmt: skip


FiltersBody = type("FiltersBody", (Strict,), {one.value: _values(one) for one in Dimension})


class QueryBody(Strict):
    metrics = serializers.ListField(
        child=Known(EVERY, "metric"), min_length=1, max_length=MOST_METRICS, help_text="Which figures."
    )
    dimensions = serializers.ListField(
        child=Known(list(Dimension), "dimension"), max_length=MOST_DIMENSIONS, required=False,
        help_text="One row for each combination of these that occurs.",
    )  # fmt: skip
    filters = FiltersBody(
        required=False, help_text="Values of one dimension are alternatives, dimensions restrict each other."
    )
    grain = Known(
        list(Grain), "grain", required=False,
        help_text="One row for each of these spans of time in which something happened, in the organisation's zone.",
    )  # fmt: skip
    range = Range(required=False, help_text="So many last days, today included, or two days; 30d unless told.")
    compare = Against(
        required=False,
        help_text="With the days just before, with the same days a year before, or with two days of your choice; "
        "without a grain, or by day. A range that is not over is compared up to the same time.",
    )
    order = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=MOST_METRICS, required=False,
        help_text=f"Metrics and dimensions of this question, or {TIME}; with - before it the largest first. Unless "
        "told, time, then the first metric.",
    )  # fmt: skip
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST_FILE_ROWS, required=False,
        help_text=f"So many rows at most: 100 unless told, up to {MOST_ROWS:,} as JSON, up to {MOST_FILE_ROWS:,} as a "
        "file.",
    )  # fmt: skip
    cursor = serializers.CharField(
        required=False, max_length=LONGEST_CURSOR,
        help_text="`next` of the page before, with the same question; without it, the first page.",
    )  # fmt: skip


def _figures(name: str, text: str) -> type[Shape]:
    fields = {
        key: serializers.CharField(required=False, allow_null=True, help_text=f"{metric.definition} {text}")
        for key, metric in EVERY.items()
    }
    return type(name, (Shape,), fields)


Asked = _figures("AskedMetricsShape", "A decimal number.")
Changes = _figures("ChangesShape", "Its change as a fraction.")
FigureParts: dict[str, serializers.Field] = {
    "metrics": Asked(help_text="Those asked for; null where the denominator is 0, or persons are not known."),
    "before": Asked(required=False, help_text="With `compare`: of what it is compared with."),
    "change": Changes(
        required=False,
        help_text="With `compare`: the change as a fraction, over the part that has passed; null where nothing was.",
    ),
}
KeysShape = type(
    "KeysShape", (Shape,),
    {one.value: serializers.CharField(required=False, help_text="Empty where events name none.") for one in Dimension},
)  # fmt: skip
TotalsShape = type("QueryTotalsShape", (Shape,), dict(FigureParts))
RowShape = type(
    "QueryRowShape",
    (Shape,),
    {
        "dimensions": KeysShape(),
        "time": serializers.CharField(
            required=False, help_text="With `grain`: the hour with its offset, else the first day of the span."
        ),
        **FigureParts,
    },
)


class SpanShape(Shape):
    start = serializers.DateField()
    end = serializers.DateField()


class QueryShape(Shape):
    start = serializers.DateField()
    end = serializers.DateField()
    time_zone = serializers.CharField(help_text="Days and hours are those of this zone.")
    currency = serializers.CharField(help_text="Of all amounts.")
    compared_with = SpanShape(allow_null=True)
    as_of = serializers.DateTimeField(allow_null=True, help_text="When the newest event arrived; null without any.")
    provisional = serializers.BooleanField(help_text="Whether the range is not over, so that figures still grow.")
    left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="Events with money in other currencies, which no sum mixes in."
    )
    note = serializers.CharField(help_text="Why persons are not told, where they are not; else empty.")
    totals = TotalsShape(help_text="Of all rows together; persons are counted once.")
    count = serializers.IntegerField(help_text="How many rows there are in all.")
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page; null on the last.")
    items = RowShape(many=True)
