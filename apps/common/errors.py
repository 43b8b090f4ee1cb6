"""The typed errors of Precise. Each is translated once for pages, once for commands and once for the API."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class AppError(Exception):
    """Something the user can understand and act on.

    `code` is stable and machine-readable; `message` says what was wrong and what would be right.
    """

    code = "error"
    http_status = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str, *, code: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.data = dict(data or {})


class InvalidInput(AppError):
    """A value the caller gave is not one we take."""

    code = "invalid_input"


class NotFound(AppError):
    """The thing does not exist, or not for this actor: the two are never told apart."""

    code = "not_found"
    http_status = HTTPStatus.NOT_FOUND


class Forbidden(AppError):
    """The actor may see the thing but lacks the permission for this use of it."""

    code = "forbidden"
    http_status = HTTPStatus.FORBIDDEN


class Conflict(AppError):
    """The request contradicts what is there already."""

    code = "conflict"
    http_status = HTTPStatus.CONFLICT


class Unavailable(AppError):
    """A service we depend on does not answer; trying again later may work."""

    code = "unavailable"
    http_status = HTTPStatus.SERVICE_UNAVAILABLE
