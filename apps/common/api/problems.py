"""How errors look in the API: one translation from `AppError`, from DRF's and Django's exceptions and from all else."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, JsonResponse
from rest_framework import exceptions

from apps.common.errors import AppError
from apps.common.problems import MEDIA_TYPE, UNFORESEEN, problem_document

log = structlog.get_logger()
# What DRF calls by a name of its own, in the words of the other doors.
CODES: Mapping[str, str] = {
    "not_authenticated": "key_missing",
    "authentication_failed": "unknown_key",
    "permission_denied": "forbidden",
    "parse_error": "malformed_json",
    "unsupported_media_type": "unsupported_media_type",
}
# Who meets a service that is away may come back after so many seconds.
COME_BACK = 5


class InvalidBody(AppError):
    """A body that is JSON, but not what this address takes. `errors`: one entry per fault, each with its pointer."""

    code = "invalid_body"
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY


def problem_response(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JsonResponse:
    document = problem_document(status, code, detail, **more)
    return JsonResponse(document, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def handle(error: Exception, context: Mapping[str, Any]) -> JsonResponse:
    """DRF's `EXCEPTION_HANDLER`."""
    if isinstance(error, AppError):
        return _of_app_error(error)
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, Http404):
        return problem_response(HTTPStatus.NOT_FOUND, "not_found", str(error) or "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return problem_response(HTTPStatus.FORBIDDEN, "forbidden", str(error) or "This is not for you.")
    if isinstance(error, RequestDataTooBig):
        return problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is too large.")
    if isinstance(error, BadRequest | SuspiciousOperation):
        return problem_response(HTTPStatus.BAD_REQUEST, "bad_request", "This request cannot be read.")
    view = type(context.get("view")).__name__
    log.error("api.failed", view=view, exc_info=error)
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen", UNFORESEEN)


def _of_app_error(error: AppError) -> JsonResponse:
    headers = {}
    wait = error.data.get("retry_after", COME_BACK if error.http_status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    more = {name: error.data[name] for name in ("pointer", "errors") if name in error.data}
    return problem_response(HTTPStatus(error.http_status), error.code, error.message, headers=headers, **more)


def _of_drf(error: exceptions.APIException) -> JsonResponse:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    status = HTTPStatus(error.status_code)
    if isinstance(error, exceptions.ValidationError):
        faults = list(faults_of(error.detail))
        first = faults[0]
        return problem_response(status, "invalid_body", first["detail"], pointer=first["pointer"], errors=faults)
    code = error.get_codes()
    name = code if isinstance(code, str) else "error"
    return problem_response(status, CODES.get(name, name), str(error.detail), headers=headers)


def faults_of(detail: Any, at: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested texts, flat: a code, a sentence and where."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from faults_of(inner, at if name == "non_field_errors" else f"{at}/{_escaped(str(name))}")
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from faults_of(inner, f"{at}/{place}" if nested else at)
    else:
        yield {"code": str(getattr(detail, "code", "invalid")), "detail": str(detail), "pointer": at}


def _escaped(step: str) -> str:
    """A step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")
