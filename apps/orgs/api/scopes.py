"""Whether the caller may ask what a view answers."""

from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission

from apps.common.errors import AppError
from apps.orgs.api.authentication import Caller


class ScopeMissing(AppError):
    """The key or the person may not do this."""

    code = "scope_missing"
    http_status = HTTPStatus.FORBIDDEN


class HasScope(BasePermission):
    """The caller has the view's scope."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if not isinstance(request.auth, Caller):
            raise NotAuthenticated("Send an API key as `Authorization: Bearer …` or `X-API-Key: …`.")
        needed = view.scope
        if needed is not None and needed not in request.auth.scopes:
            who = "This API key" if request.auth.key_id else "Your role here"
            raise ScopeMissing(f"{who} lacks the scope {needed}.")
        return True
