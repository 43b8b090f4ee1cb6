"""The ingest edge's doors in the OpenAPI document. Their schemas come from the types that decode events."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from apps.events.edge.http import MOST_BYTES, MOST_UNPACKED
from apps.events.edge.judging import MOST_ITEMS
from apps.events.edge.pixel import PLACES
from apps.events.edge.schema import components
from apps.events.quality import CODES

REF = "#/components/schemas/{name}"
JSON = "application/json"
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "canonical": {
        "event_type": "impression",
        "user_id": "user-7f3a",
        "source": {"platform": "hulu", "campaign_id": "autumn"},
        "metadata": {"clearing_price": 19.0},
    },
    "proof": {
        "event_type": "impression",
        "campaign_id": "madhive_12345",
        "cohort_id": "eco_urban_renters_10013",
        "metadata": {"dsp": "madhive", "publisher": "discovery_plus", "device": "ctv", "clearing_price": 19.0},
        "attribution": {
            "data_contributors": [{"id": "broadcaster_x", "signal_type": "viewing_behavior", "weight": 0.3}]
        },
    },
}
CONVERSION = {
    "event_type": "purchase",
    "user_id": "user-7f3a",
    "source": {"platform": "shopify", "campaign_id": "autumn"},
    "properties": {"revenue": "129.90", "currency": "USD", "order_id": "10042"},
}
# What any door may answer besides success, and when.
PROBLEMS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The body is empty or cut off, or a batch that is not JSON.",
    HTTPStatus.UNAUTHORIZED: "The key is missing, unknown, revoked or expired.",
    HTTPStatus.FORBIDDEN: "The key lacks the scope.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not arrive in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"More than {MOST_ITEMS:,} events, {MOST_BYTES // 1_000_000} MB, "
    f"or {MOST_UNPACKED // 1_000_000} MB unpacked.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Content-Encoding is neither gzip nor zstd, or Content-Type is not JSON.",
    HTTPStatus.TOO_MANY_REQUESTS: "More events a second than the organisation may send; come back after Retry-After.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing was kept; send it again after Retry-After seconds.",
}
LATER = (
    "An event_id that came in an earlier request is told `accepted` too: it is recognised when the event is stored, "
    "which happens once; the repeat is counted as `duplicate` of its source in `GET /api/v1/sources`, and "
    "`GET /api/v1/events/{id}` gives the event as it was stored first."
)
RULES = f"The event breaks a rule; it is in quarantine. `code` is one of {', '.join(CODES)}."


def add_doors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular's: the document with the edge's doors in it, first."""
    result["paths"] = {**_paths(), **result["paths"]}
    result["components"]["schemas"].update(_schemas())
    return result


def _schemas() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    return {
        **components(REF),
        "Taken": {
            "type": "object",
            "required": ["event_id", "status"],
            "properties": {
                "event_id": {"type": "string"},
                "status": {"const": "accepted", "type": "string", "description": f"Kept in the log. {LATER}"},
                "warnings": _ref("Warnings"),
            },
        },
        "Warnings": {
            "type": "array",
            "description": "With `validate_only`: members that nothing reads, which are ignored; of a batch "
            "the first thousand.",
            "items": _object(pointer={"type": "string"}, message={"type": "string"}),
        },
        "BatchTaken": _object(
            accepted=count, duplicate=count, rejected=count, items={"type": "array", "items": _ref("Verdict")}
        ),
        "Verdict": {
            "type": "object",
            "description": "What became of one item, in the order they came.",
            "required": ["status"],
            "properties": {
                "status": {
                    "type": "string",
                    "enum": ["accepted", "duplicate", "rejected"],
                    "description": f"`duplicate`: the same event_id stands earlier in this batch. {LATER}",
                },
                "event_id": {"type": "string", "description": "As sent, or the SHA-256 of what was kept."},
                "code": {"type": "string", "description": "Of a rejected one: which rule it breaks."},
                "pointer": {"type": "string", "description": "Where (RFC 6901)."},
                "message": {"type": "string"},
                "warnings": _ref("Warnings"),
            },
        },
    }


def _paths() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    single = {name: {"value": {"timestamp": now, **event}} for name, event in EXAMPLES.items()}
    event = {JSON: {"schema": _ref("Event"), "examples": single}}
    conversion = {JSON: {"schema": _ref("Event"), "example": {"timestamp": now, **CONVERSION}}}
    many = {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": MOST_ITEMS}
    batch = {
        JSON: {"schema": many, "example": [one["value"] for one in single.values()]},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
    }
    return {
        "/api/v1/events": {"post": _door("sendEvent", "Send one event.", event, "Taken")},
        "/api/v1/events/batch": {
            "post": _door(
                "sendEvents",
                f"Send up to {MOST_ITEMS:,} events, as a JSON array or NDJSON, packed by gzip or zstd if you like. "
                "Each is judged on its own; the good ones are kept.",
                batch,
                "BatchTaken",
            )
        },
        "/api/v1/conversions": {
            "post": _door(
                "sendConversion",
                "The attribution webhook: one conversion. `value` and `currency` beside the other members are "
                "`properties.revenue` and `properties.currency`.",
                conversion, "Taken",
            )
        },
        "/api/v1/schema/event.json": {
            "get": _open("eventSchema", "The JSON Schema of an event.", "application/schema+json")
        },
        "/p.gif": {"get": _pixel(), "post": _beacon(batch)},
        "/tag.js": {"get": _open("tag", "The first-party tag for web pages.", "text/javascript")},
    }  # fmt: skip


def _door(name: str, text: str, content: Mapping[str, Any], answer: str) -> dict[str, Any]:
    answered = {JSON: {"schema": _ref(answer)}}
    rules = {HTTPStatus.UNPROCESSABLE_ENTITY: RULES} if answer == "Taken" else {}
    return {
        "operationId": name,
        "tags": ["Ingest"],
        "description": f"{text} 202 means: in the log, on disk. A key needs the scope `events:write`.",
        "security": [{"bearer": []}, {"header": []}],
        "parameters": [
            {
                "name": "validate_only",
                "in": "query",
                "schema": {"type": "string", "enum": ["0", "1", "false", "true"]},
                "description": "1: judge, keep nothing, and tell of members that nothing reads.",
            }
        ],
        "requestBody": {"required": True, "content": dict(content)},
        "responses": {
            "200": {"description": "Judged only, as asked by `validate_only`.", "content": answered},
            "202": {"description": "Kept.", "content": answered},
            **_problems({**PROBLEMS, **rules}),
        },
        **NOT_GENERAL,
    }


def _pixel() -> dict[str, Any]:
    places = [(name, ".".join(path)) for name, (path, _) in PLACES.items()]
    return {
        "operationId": "pixel",
        "tags": ["Ingest"],
        "description": "One event in the URL, answered by a transparent dot. The key needs the scope `pixel`.",
        "security": [{"url": []}],
        "parameters": [_asked(name, f"The event's `{place}`.") for name, place in places],
        "responses": {
            "200": {"description": "Judged and kept, good or not.", "content": {"image/gif": {}}},
            **_problems({status: PROBLEMS[status] for status in PROBLEMS if status not in OF_BODIES}),
        },
        **NOT_GENERAL,
    }


def _beacon(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "beacon",
        "tags": ["Ingest"],
        "description": "Events as the tag's `sendBeacon` sends them. The key needs the scope `pixel`.",
        "security": [{"url": []}],
        "requestBody": {"required": True, "content": dict(content)},
        "responses": {"204": {"description": "Judged and kept."}, **_problems(PROBLEMS)},
        **NOT_GENERAL,
    }


def _open(name: str, text: str, kind: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "tags": ["Ingest"],
        "description": text,
        "security": [{}],
        "responses": {"200": {"description": text, "content": {kind: {}}}},
        **NOT_GENERAL,
    }


def _problems(texts: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {str(int(status)): {"description": text, "content": content} for status, text in texts.items()}


def _asked(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


# Has its own security and its own list of problems.
NOT_GENERAL = {"x-shared": False}
OF_BODIES = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
)
