"""A stored event field by field, and from which member of the received line each value comes.

The order of members is that of `columns`; a test holds the two together. Pure: no Django, no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True)
class Rule:
    """A column takes the first of these members that says something, else what `otherwise` tells."""

    column: str
    members: tuple[str, ...]
    otherwise: str = ""


@dataclass(frozen=True)
class Field:
    """One column of the stored row: its value as text, and its origin in words."""

    column: str
    value: str
    origin: str


RULES = (
    Rule("event_id", ("event_id",), "SHA-256 of the line, since it gives none"),
    Rule("event_type", ("event_type",)),
    Rule("timestamp", ("timestamp",)),
    Rule("received_at", (), "when the log kept it"),
    Rule("person_id", ("user_id", "anonymous_id", "device_id")),
    Rule("session_id", ("session_id",)),
    Rule("platform", ("source.platform", "metadata.dsp"), "api, since none is named"),
    Rule("channel", ("source.channel", "utm.medium")),
    Rule("campaign_id", ("source.campaign_id", "campaign_id", "utm.campaign")),
    Rule("line_item_id", ("source.line_item_id", "source.ad_group_id")),
    Rule("creative_id", ("source.creative_id", "metadata.creative_id", "source.ad_id")),
    Rule("publisher", ("source.publisher", "metadata.publisher", "source.placement")),
    Rule("cohort_id", ("cohort_id",)),
    Rule("device", ("context.device.type", "metadata.device")),
    Rule("country", ("context.geo.country",)),
    Rule("region", ("context.geo.region",)),
    Rule("postal_code", ("context.geo.postal_code", "context.geo.zip")),
    Rule("currency", ("properties.currency",), "the organisation's, since none is named"),
    Rule("revenue", ("properties.revenue",), "0, since none is given"),
    Rule("spend", ("properties.cost", "metadata.clearing_price"), "0, since none is given"),
    Rule("contributor_ids", ("attribution.data_contributors",)),
    Rule("contributor_signals", ("attribution.data_contributors",)),
    Rule("contributor_weights", ("attribution.data_contributors",)),
    Rule("consent", ("consent.status",), "unknown, since none is given"),
    Rule("properties", ("properties",)),
    Rule("content_hash", (), "SHA-256 of the line as received"),
    Rule("batch_id", (), "the ingestor's insert"),
)
LONGEST_VALUE = 2_000


def trace(row: Mapping[str, Any], line: bytes | None) -> list[Field]:
    """Without the received line nobody can say where values come from."""
    event = None if line is None else msgspec.json.decode(line)
    return [Field(rule.column, text_of(row[rule.column]), _origin(rule, event)) for rule in RULES if rule.column in row]


def _origin(rule: Rule, event: Mapping[str, Any] | None) -> str:
    if event is None:
        return "" if rule.members else rule.otherwise
    if rule.column == "person_id" and read(event, "consent.status") == "denied":
        return "left out, since consent is denied"
    found = next((name for name in _members(rule, event) if read(event, name)), "")
    if rule.column == "spend" and found == "metadata.clearing_price":
        is_shown = event.get("event_type") == "impression"
        return f"{found} ÷ 1,000" if is_shown else "0: a clearing price counts for impressions only"
    return found or rule.otherwise


def _members(rule: Rule, event: Mapping[str, Any]) -> Sequence[str]:
    """A place is taken whole, from the context or else from the delivery facts."""
    if not rule.members or not rule.members[0].startswith("context.geo."):
        return rule.members
    inside = "context.geo" if read(event, "context.geo") is not None else "metadata.geo"
    return [name.replace("context.geo", inside) for name in rule.members]


def read(event: Mapping[str, Any], path: str) -> Any:
    value: Any = event
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return ", ".join(text_of(one) for one in value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="milliseconds"))
    text = f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)
    return text[:LONGEST_VALUE]
