"""Gives each request its actor, its organisation and its transaction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts.public import network_of
from apps.common.error_pages import error_page
from apps.common.errors import AppError, Forbidden, NotFound
from apps.orgs.access import get_organisation
from apps.orgs.actor import ANONYMOUS, Actor, declare
from apps.orgs.models import Membership
from apps.orgs.permissions import Role
from apps.orgs.reads import note_crossing
from apps.orgs.requests import OrgRequest
from apps.orgs.selectors import MOST_LISTED, list_organisations

View = Callable[..., HttpResponse]


class ActorMiddleware:
    """Answers each request inside one transaction that knows `request.actor`; a failed request leaves nothing.

    A path argument `org` names the tenant: it becomes `request.org`, found among what the actor may see.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, plain: HttpRequest) -> HttpResponse:
        request = cast(OrgRequest, plain)
        _connection().set_schema_to_public()
        with transaction.atomic():
            request.actor = actor_of(request)
            declare(request.actor)
            request.organisations = list_organisations(request.actor, MOST_LISTED + 1)
            response = self.get_response(request)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                transaction.set_rollback(True)
            else:
                note_crossing(request, response)
        return response

    def process_view(
        self, plain: HttpRequest, view: View, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        request = cast(OrgRequest, plain)
        try:
            if "org" in kwargs and (found := get_organisation(request.actor, kwargs["org"])):
                request.org = found
                _connection().set_tenant(found)
        except (NotFound, Forbidden) as error:
            return error_page(request, error)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_page(request, exception) if isinstance(exception, AppError) else None


def actor_of(request: HttpRequest) -> Actor:
    user = request.user
    if not user.is_authenticated:
        return replace(ANONYMOUS, origin=network_of(request))
    declare(Actor(user.email, user_id=user.pk))
    held = Membership.objects.filter(user_id=user.pk, is_active=True).values_list("org_id", "role")
    roles = frozenset((org_id, Role(role)) for org_id, role in held)
    return Actor(user.email, roles, user_id=user.pk, origin=network_of(request))


def _connection() -> Any:
    """This thread's connection of the application's role, with what django-tenants adds to it."""
    return connections[DEFAULT_DB_ALIAS]
