"""`POST /api/v1/query`: any figures by any dimensions, as the pages ask for them; as JSON or as a typed file."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.response import Response

from apps.common.api.describing import problem_answer
from apps.common.api.problems import InvalidBody
from apps.common.errors import InvalidInput
from apps.common.period import Period, read_period
from apps.omg.answering import Answer, Line, answer
from apps.omg.answers import Asker
from apps.omg.api.query_shapes import MOST_ROWS, QueryBody, QueryShape
from apps.omg.dimensions import Dimension
from apps.omg.files import local, to_arrow, to_csv, to_parquet, written
from apps.omg.filters import Filters
from apps.omg.metrics import Totals
from apps.omg.question import (
    COMPARISONS,
    Question,
    check_comparison,
    find_dimensions,
    find_grain,
    find_metrics,
    read_order,
)
from apps.orgs.public import ApiRequest, ApiView, Organisation, Scope

JSON = "application/json"
FILES: Mapping[str, Callable[[Answer, str], bytes]] = {
    "text/csv": to_csv,
    "application/vnd.apache.arrow.stream": to_arrow,
    "application/vnd.apache.parquet": to_parquet,
}
USUAL_ROWS = 100
NEXT = "X-Next-Cursor"
EXAMPLES = {
    "what each platform cost": {"metrics": ["spend", "impressions", "cpm", "reach"], "dimensions": ["platform"]},
    "clicks by day, against the days before": {
        "metrics": ["clicks", "ctr"], "grain": "day", "range": "7d", "compare": "previous",
    },
    "the dearest publishers on TV screens": {
        "metrics": ["cpm", "spend"], "dimensions": ["publisher", "creative"], "filters": {"device": ["ctv"]},
        "range": {"start": "2026-01-01", "end": "2026-01-31"}, "order": ["-cpm"], "limit": 20,
    },
}  # fmt: skip
FILE = OpenApiResponse(
    OpenApiTypes.BINARY, f"The same rows as a file; the header {NEXT} holds the cursor of the next page."
)


class Query(ApiView):
    tag = "Figures"
    scope = Scope.READ_METRICS
    changes = False

    @extend_schema(
        operation_id="query",
        request=QueryBody,
        responses={
            (200, JSON): OpenApiResponse(QueryShape, "The rows, or with another `Accept` the same as a file."),
            **{(200, kind): FILE for kind in FILES},
            **problem_answer(404, "There is no such campaign here, or there are not so many rows."),
        },
        examples=[OpenApiExample(name, body, request_only=True) for name, body in EXAMPLES.items()],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Ask for any metrics by up to three dimensions and a grain of time: what the pages show, of real data always.

        `Accept: text/csv`, `application/vnd.apache.arrow.stream` or `application/vnd.apache.parquet` answers a file
        with typed columns. Answers are kept until new events arrive; `Cache-Control: no-cache` asks anew."""
        org = request.auth.org
        body = self.read_body(request, QueryBody)
        kind = request._request.get_preferred_type([JSON, *FILES]) or JSON
        question = read_question(body, org, is_file=kind in FILES)
        asker = Asker(org.pk, anew="no-cache" in request.headers.get("Cache-Control", ""))
        found = answer(question, org.currency, asker)
        response = _file(kind, found, org, body) if kind in FILES else Response(tell(found, org.currency, body))
        patch_vary_headers(response, ["Accept"])
        return response


def _file(kind: str, found: Answer, org: Organisation, body: Mapping[str, Any]) -> HttpResponse:
    response = HttpResponse(FILES[kind](found, org.currency), content_type=kind)
    if following := next_cursor(found, body):
        response.headers[NEXT] = following
    return response


def read_question(body: Mapping[str, Any], org: Organisation, *, is_file: bool) -> Question:
    with pointing("/range"):
        period = read_period(_days(body.get("range", {}), "range"), time_zone=org.time_zone, now=timezone.now())
    metrics, dimensions = find_metrics(body["metrics"]), find_dimensions(body.get("dimensions", ()))
    grain = find_grain(body.get("grain", ""))
    with pointing("/compare"):
        against = _against(body.get("compare"), period)
        check_comparison(period, against, grain)
    with pointing("/order"):
        order = read_order(body.get("order", ()), metrics, dimensions, grain)
    limit = body.get("limit", USUAL_ROWS)
    with pointing("/limit"):
        if limit > MOST_ROWS and not is_file:
            raise InvalidInput(f"As JSON there are at most {MOST_ROWS:,} rows at once; ask for a file, or for pages.")
    filters = Filters({Dimension(name): tuple(dict.fromkeys(ones)) for name, ones in body.get("filters", {}).items()})
    with pointing("/cursor"):
        offset = _opened(body["cursor"], body) if "cursor" in body else 0
    return Question(metrics, period, dimensions, grain, filters, against, order, limit, offset)


def _days(asked: Any, word: str) -> dict[str, str]:
    return {word: asked} if isinstance(asked, str) else dict(asked)


def _against(asked: Any, period: Period) -> Period | None:
    if asked is None:
        return None
    if isinstance(asked, str):
        return COMPARISONS[asked](period)
    return replace(read_period(asked, time_zone=period.time_zone, now=period.now), now=Period.now)


@contextmanager
def pointing(pointer: str) -> Iterator[None]:
    """What is wrong is wrong there, in the body."""
    try:
        yield
    except InvalidInput as error:
        fault = {"code": error.code, "detail": error.message, "pointer": pointer}
        raise InvalidBody(error.message, code=error.code, data={"pointer": pointer, "errors": [fault]}) from error


def next_cursor(found: Answer, body: Mapping[str, Any]) -> str | None:
    end = found.question.offset + len(found.lines)
    return urlsafe_b64encode(f"{end}.{_mark(body)}".encode()).decode().rstrip("=") if end < found.count else None


def _opened(cursor: str, body: Mapping[str, Any]) -> int:
    try:
        offset, _, mark = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        place = int(offset) if offset.isdecimal() and len(offset) < 10 else -1
    except ValueError:
        place, mark = -1, ""
    if place < 0 or mark != _mark(body):
        raise InvalidInput(
            "Send a cursor exactly as `next` of the page before gave it, with the same question.", code="bad_cursor"
        )
    return place


def _mark(body: Mapping[str, Any]) -> str:
    """Which question a cursor belongs to; pages may differ in length."""
    asked = {name: value for name, value in body.items() if name not in {"cursor", "limit"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def tell(found: Answer, currency: str, body: Mapping[str, Any]) -> dict[str, Any]:
    question = found.question
    against = question.against
    return {
        "start": question.period.start,
        "end": question.period.end,
        "time_zone": question.period.time_zone,
        "currency": currency,
        "compared_with": {"start": against.start, "end": against.end} if against else None,
        "as_of": found.as_of,
        "provisional": question.period.is_partial,
        "left_out": found.left_out,
        "note": found.note,
        "totals": _parts(found.whole, question),
        "count": found.count,
        "next": next_cursor(found, body),
        "items": [_row(line, question) for line in found.lines],
    }


def _row(line: Line, question: Question) -> dict[str, Any]:
    names = dict(zip((one.value for one in question.dimensions), line.keys, strict=False))
    time = {"time": local(line.keys[-1], question)} if question.grain else {}
    return {"dimensions": names, **time, **_parts(line, question)}


def _parts(line: Line, question: Question) -> dict[str, Any]:
    def texts(sums: Totals) -> dict[str, str | None]:
        return {metric.key: written(metric, metric.value(sums)) for metric in question.metrics}

    if line.before is None:
        return {"metrics": texts(line.now)}
    changes = {metric.key: line.change(metric) for metric in question.metrics}
    return {
        "metrics": texts(line.now),
        "before": texts(line.before),
        "change": {key: None if one is None else f"{round(one, 6):f}" for key, one in changes.items()},
    }
