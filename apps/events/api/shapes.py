"""What the API takes and answers about events; the OpenAPI document is made from these."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from rest_framework import serializers

from apps.common.api.describing import Shape
from apps.common.api.pages import PageParameters
from apps.common.api.reading import Strict
from apps.events.models import FileImport, QuarantinedLine
from apps.events.quality import CODES
from apps.events.queries.one_event import Row
from apps.events.sources import Source

SHOWN_OF_A_LINE = 4_000


class SourceShape(Shape):
    source = serializers.CharField(help_text="The door and its name, such as `api/web shop` or `file/ndjson`.")
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()
    last_received = serializers.DateTimeField()


class SourcesShape(Shape):
    days = serializers.IntegerField(help_text="So many days back the counts go.")
    waiting = serializers.IntegerField(help_text="Lines that wait to be processed.")
    items = SourceShape(many=True)


class QuarantineParameters(PageParameters):
    code = serializers.ChoiceField(choices=sorted(CODES), required=False, help_text="Only lines with this reason.")
    source = serializers.CharField(
        max_length=80, required=False, help_text="Only lines of this source, named as `/sources` names it."
    )


class QuarantinedShape(Shape):
    id = serializers.IntegerField()
    code = serializers.CharField(help_text="Why it was turned away.")
    field = serializers.CharField(help_text="The field at fault; empty where it is the line itself.")
    message = serializers.CharField()
    source = serializers.CharField()
    position = serializers.IntegerField(help_text="Its place in the file or request.")
    import_id = serializers.UUIDField(allow_null=True)
    line = serializers.CharField(
        help_text=f"As it arrived, personal data taken out; its first {SHOWN_OF_A_LINE:,} characters."
    )
    created_at = serializers.DateTimeField()


class QuarantineShape(Shape):
    items = QuarantinedShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null on the last.")


class ReplayBody(Strict):
    code = serializers.ChoiceField(choices=sorted(CODES), help_text="Lines with this reason are sent through again.")
    history = serializers.BooleanField(default=False, help_text="true: take lines that are only too old as history.")


class ReplayShape(Shape):
    replayed = serializers.IntegerField(help_text="So many lines go through ingest again.")


class ImportShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    format = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True, help_text="null while lines of it wait.")
    read = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ImportsShape(Shape):
    items = ImportShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null on the last.")


class SourceOfEvent(Shape):
    platform = serializers.CharField()
    channel = serializers.CharField(required=False)
    campaign_id = serializers.CharField(required=False)
    line_item_id = serializers.CharField(required=False)
    creative_id = serializers.CharField(required=False)
    publisher = serializers.CharField(required=False)


class ContributorOfEvent(Shape):
    id = serializers.CharField()
    signal_type = serializers.CharField()
    weight = serializers.FloatField()


class AttributionOfEvent(Shape):
    data_contributors = ContributorOfEvent(many=True)


class ConsentOfEvent(Shape):
    status = serializers.ChoiceField(choices=["granted", "denied", "unknown"])


class EventShape(Shape):
    """The canonical form, whichever of the two the event came in."""

    event_id = serializers.CharField()
    event_type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    person_id = serializers.CharField(
        allow_null=True, help_text="user_id, else anonymous_id, else device_id; null where consent was denied."
    )
    session_id = serializers.CharField(allow_null=True)
    source = SourceOfEvent()
    context = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    cohort_id = serializers.CharField(allow_null=True)
    revenue = serializers.CharField(help_text="Decimal, in `currency`.")
    spend = serializers.CharField(help_text="Decimal, in `currency`.")
    currency = serializers.CharField()
    consent = ConsentOfEvent()
    attribution = AttributionOfEvent()
    properties = serializers.DictField(help_text="As they came, personal data taken out.")
    content_hash = serializers.CharField(help_text="SHA-256 of the line as it stands in the ingest log.")


def show_source(source: Source) -> dict[str, Any]:
    return {
        "source": source.name,
        "accepted": source.accepted,
        "duplicate": source.duplicate,
        "rejected": source.rejected,
        "last_received": source.last_received,
    }


def show_quarantined(line: QuarantinedLine) -> dict[str, Any]:
    """Of a row whose `start` is the beginning of its line."""
    shown = {name: getattr(line, name) for name in QuarantinedShape().fields if name != "line"}
    return {**shown, "line": line.start}  # type: ignore[attr-defined]


def show_import(run: FileImport) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ImportShape().fields}


def show_event(row: Row) -> bytes:
    """JSON, with the properties in their very letters: numbers keep their digits, and nothing is too deep."""
    source = {
        "platform": row.platform, "channel": row.channel, "campaign_id": row.campaign_id,
        "line_item_id": row.line_item_id, "creative_id": row.creative_id, "publisher": row.publisher,
    }  # fmt: skip
    geo = {"country": row.country, "region": row.region, "postal_code": row.postal_code}
    contributors = zip(row.contributor_ids, row.contributor_signals, row.contributor_weights, strict=True)
    shown = {
        "event_id": row.event_id,
        "event_type": row.event_type,
        "timestamp": _utc(row.timestamp),
        "received_at": _utc(row.received_at),
        "person_id": row.person_id or None,
        "session_id": row.session_id or None,
        "source": _filled(source),
        "context": {"device": _filled({"type": row.device}), "geo": _filled(geo)},
        "cohort_id": row.cohort_id or None,
        "revenue": _amount(row.revenue),
        "spend": _amount(row.spend),
        "currency": row.currency,
        "consent": {"status": row.consent},
        "attribution": {
            "data_contributors": [
                {"id": owner, "signal_type": signal, "weight": weight} for owner, signal, weight in contributors
            ]
        },
        "properties": msgspec.Raw((row.properties or "{}").encode()),
        "content_hash": row.content_hash,
    }
    return msgspec.json.encode(shown)


def _amount(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _filled(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
