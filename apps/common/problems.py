"""Problem documents (RFC 9457): the one form in which every door of `/api/v1` says what went wrong."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
UNFORESEEN = "Something failed here and is noted. Nothing was changed; trying again later may work."


def problem_document(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    pointer: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """`code` is stable; `detail` says what would be right; `pointer` (RFC 6901) leads into the body that was sent."""
    found: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if pointer is not None:
        found["pointer"] = pointer
    return {**found, "errors": list(errors)} if errors else found
