"""The API for agents that push campaign performance, every few minutes."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.common.api.reading import Strict
from apps.events.reported.judging import LONGEST_TEXT
from apps.events.reported.pushing import MOST_RECORDS, push
from apps.orgs.public import ApiRequest, ApiView, Scope

MOST_BYTES = 16_000_000
EXAMPLE = {
    "source": "ttd-agent",
    "records": [
        {
            "campaign_id": "autumn-launch", "hour": "2026-01-31T14:00:00Z", "platform": "ttd", "currency": "USD",
            "spend": "12.50", "impressions": 1800, "clicks": 4, "conversions": 1, "revenue": "78.00",
        }
    ],
}  # fmt: skip


class RecordShape(serializers.Serializer):
    """One campaign in one hour or on one day; at least one figure. What was said of it before is replaced."""

    campaign_id = serializers.CharField(required=False, max_length=LONGEST_TEXT, help_text="It, or campaign_name.")
    campaign_name = serializers.CharField(required=False, max_length=LONGEST_TEXT)
    hour = serializers.DateTimeField(required=False, help_text="A time with zone, for an hour's figures; or date.")
    date = serializers.DateField(required=False, help_text="A day in the organisation's time zone; or hour.")
    platform = serializers.CharField(required=False, help_text="The source's name, unless told.")
    currency = serializers.CharField(required=False, help_text="ISO 4217; the organisation's, unless told.")
    spend = serializers.DecimalField(38, 18, required=False)
    impressions = serializers.IntegerField(required=False, min_value=0)
    clicks = serializers.IntegerField(required=False, min_value=0)
    conversions = serializers.DecimalField(38, 18, required=False)
    revenue = serializers.DecimalField(38, 18, required=False)


@extend_schema_field(RecordShape(many=True))
class Records(serializers.Field):
    """Read one by one by `push`, which tells of each what is wrong with it."""

    default_error_messages = {"wrong": "records must be a list of 1 to {most} records."}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list) or not data:
            self.fail("wrong", most=f"{MOST_RECORDS:,}")
        return list(data)


class MetricsBody(Strict):
    source = serializers.CharField(max_length=40, help_text="Which report or agent says so, such as `ttd-agent`.")
    records = Records()


class MetricsParameters(Strict):
    validate_only = serializers.ChoiceField(
        choices=["1", "true", "0", "false"], required=False, help_text="1: judge the records and keep none."
    )


class ToldShape(serializers.Serializer):
    status = serializers.ChoiceField(choices=["accepted", "rejected"])
    code = serializers.CharField(required=False)
    pointer = serializers.CharField(required=False, help_text="Where in the body.")
    message = serializers.CharField(required=False)


class MetricsShape(serializers.Serializer):
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    items = ToldShape(many=True, help_text="One for each record, in their order.")


class Metrics(ApiView):
    tag = "Figures"
    scope = Scope.WRITE_METRICS
    parameters = MetricsParameters
    asks_when_writing = True
    most_bytes = MOST_BYTES

    @extend_schema(
        operation_id="push_metrics",
        request=MetricsBody,
        responses=MetricsShape,
        examples=[OpenApiExample("an hour", EXAMPLE, request_only=True)],
    )
    def post(self, request: ApiRequest) -> Response:
        """Push campaign performance: good records are kept at once and replace what their source said of the same
        campaign and hour; the same again changes nothing."""
        body: Mapping[str, Any] = self.read_body(request, MetricsBody)
        asks = self.asked.get("validate_only") in {"1", "true"}
        caller = request.auth
        told = push(
            actor=caller.actor, org=caller.org, source=body["source"], records=body["records"], validate_only=asks
        )
        return Response({**told.counts, "items": told.items})
