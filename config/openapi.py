"""The API described: as OpenAPI 3.1 for machines, as a page for people. Both are open to everyone.

Views describe themselves (`drf-spectacular`), the edge's doors by `apps.events.api.doors`; what all share is said here.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.renderers import JSONRenderer

METHODS = ("get", "post", "put", "patch", "delete")
REF = "#/components/schemas/"
DEEPEST = 3
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for machines."},
        "detail": {"type": "string", "description": "What was wrong and what would be right."},
        "pointer": {"type": "string", "description": "Where in the body (RFC 6901)."},
        "errors": {
            "type": "array",
            "description": "Every fault, where there may be several.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {name: {"type": "string"} for name in ("code", "detail", "pointer", "parameter")},
            },
        },
    },
}
# What every view of the general API may answer besides success.
ALWAYS = {
    "400": "A parameter is wrong, or the body is not JSON.",
    "401": "The key is missing, unknown, revoked or expired.",
    "403": "The key lacks the scope.",
    "429": "More requests than the organisation may make in an hour; come back after Retry-After seconds.",
    "503": "A service does not answer; try again after Retry-After seconds.",
}
WITH_BODY = {
    "413": "The body is too large.",
    "415": "The body must be application/json.",
    "422": "A field of the body is wrong; see `errors`.",
}
WITH_PATH = {"404": "There is no such thing, or not for this key."}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key as `Authorization: Bearer prc_…`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same in its own header."},
    "session": {
        "type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME,
        "description": "A person who is signed in; with several organisations, X-Organisation names one of them.",
    },
    "url": {"type": "apiKey", "in": "query", "name": "k", "description": "A key for pixels, which stands in the page."},
}  # fmt: skip
GENERAL = ("bearer", "header", "session")
HEADERS = {
    "RateLimit-Limit": "How many requests an hour, or events a second.",
    "RateLimit-Remaining": "How many are left.",
    "RateLimit-Reset": "In how many seconds there are as many as ever.",
}


def document() -> dict[str, Any]:
    """Made once a day: its examples carry a time, and events must not be old."""
    return _document_of(datetime.now(UTC).date())


@lru_cache(1)
def _document_of(day: date) -> dict[str, Any]:
    generator: Any = SchemaGenerator
    return dict(json.loads(JSONRenderer().render(generator().get_schema(request=None, public=True))))


def finish(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular's, the last one."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["securitySchemes"] = SECURITY
    components["headers"] = {
        name: {"description": text, "schema": {"type": "integer"}} for name, text in HEADERS.items()
    }
    result["servers"] = [{"url": settings.BASE_URL}]
    for path, operation in _operations(result):
        _say_what_all_share(path, operation)
    return result


def _say_what_all_share(path: str, operation: dict[str, Any]) -> None:
    if operation.pop("x-shared", True):
        operation["security"] = [{name: []} for name in GENERAL]
        more = {**ALWAYS, **(WITH_BODY if "requestBody" in operation else {}), **(WITH_PATH if "{" in path else {})}
        for status, text in more.items():
            operation["responses"].setdefault(status, {"description": text, "content": problem_content()})
    for status, response in operation["responses"].items():
        if status in {"200", "202", "429"} and operation["security"] != [{}]:
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}


def problem_content() -> dict[str, Any]:
    return {"application/problem+json": {"schema": {"$ref": f"{REF}Problem"}}}


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(document(), indent=1), content_type="application/json")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The same for people: what is asked, what is answered, an example to copy."""
    made, groups = document(), defaultdict(list)
    for path, method, operation in _all(made):
        groups[operation["tags"][0]].append(_for_people(path, method, operation, made))
    context = {"groups": [(tag, f"group-{tag.lower()}", found) for tag, found in groups.items()], "info": made["info"]}
    return render(request, "api/reference.html", context)


def _operations(made: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, _, operation in _all(made))


def _all(made: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _for_people(path: str, method: str, operation: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    examples = examples_of(content.get("application/json", {}))
    return {
        "id": operation["operationId"],
        "path": path,
        "method": method.upper(),
        "text": operation["description"].replace("`", ""),
        "parameters": [
            {
                "name": one["name"],
                "words": words_of(one["schema"]),
                "required": one.get("required", False),
                "text": one.get("description", "").replace("`", ""),
                "default": one["schema"].get("default"),
                "choices": one["schema"].get("enum", ()),
            }
            for one in operation.get("parameters", [])
        ],
        "body": list(fields_of(content.get("application/json", {}).get("schema", {}), made)),
        "kinds": list(content),
        "command": _command(path, method, next(iter(examples.values()), None), is_open=operation["security"] == [{}]),
        "answers": [
            {"status": status, "text": one.get("description") or "Success.", "is_good": status.startswith("2")}
            for status, one in sorted(operation["responses"].items())
        ],
        "answer": list(fields_of(_answer_of(operation), made)),
    }


def examples_of(media: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: one["value"] for name, one in media.get("examples", {}).items()}
    return {"": media["example"], **named} if "example" in media else named


def _answer_of(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    good = (one for status, one in sorted(operation["responses"].items()) if status.startswith("2"))
    content: Mapping[str, Any] = next(good, dict[str, Any]()).get("content", {})
    return dict(content.get("application/json", {}).get("schema", {}))


def fields_of(schema: Mapping[str, Any], made: Mapping[str, Any], at: str = "") -> Iterator[dict[str, Any]]:
    """A schema's fields, one under the other, with dotted names."""
    found = _resolved(schema, made)
    if "items" in found and at.count(".") < DEEPEST:
        yield from fields_of(found["items"], made, f"{at}[]")
        return
    for name, inner in found.get("properties", {}).items():
        own = _resolved(inner, made)
        place = f"{at}.{name}".removeprefix(".")
        yield {
            "name": place,
            "words": words_of(own),
            "required": name in found.get("required", ()),
            "text": (inner.get("description") or "").replace("`", ""),
            "default": own.get("default"),
            "choices": own.get("enum", ()),
        }
        if place.count(".") < DEEPEST:
            yield from fields_of(own, made, place)


def _resolved(schema: Mapping[str, Any], made: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _resolved(made["components"]["schemas"][schema["$ref"].removeprefix(REF)], made)
    if len(schema.get("allOf", ())) == 1:
        return _resolved(schema["allOf"][0], made)
    options = [one for one in schema.get("anyOf", schema.get("oneOf", ())) if one.get("type") != "null"]
    return {**schema, **_resolved(options[0], made)} if len(options) == 1 else schema


def words_of(schema: Mapping[str, Any]) -> str:
    """A type as people say it."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words_of(one) for one in schema["anyOf"] if one.get("type") != "null"))
    kind = schema.get("type", "text" if "enum" in schema else "any")
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    words = {"string": "text", "object": "object", "array": "list", "boolean": "true or false"}
    named = " or ".join(words.get(one, one) for one in kinds)
    return {"date-time": "time", "date": "day", "uuid": "UUID", "decimal": "decimal in text"}.get(
        schema.get("format", ""), named
    )


def _command(path: str, method: str, example: Any, *, is_open: bool) -> str:
    lines = [f"curl '{settings.BASE_URL}{path}'"]
    if not is_open:
        lines.append("-H 'Authorization: Bearer prc_…'")
    if example is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(example, indent=2)}'"]
    elif method != "get":
        lines.append(f"-X {method.upper()}")
    return " \\\n  ".join(lines)
