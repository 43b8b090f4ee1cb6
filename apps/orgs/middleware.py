"""Gives each request its actor, its organisation and its transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from apps.orgs.access import get_organisation
from apps.orgs.actor import ANONYMOUS, Actor, declare
from apps.orgs.models import Membership
from apps.orgs.permissions import Role
from apps.orgs.selectors import list_organisations

View = Callable[..., HttpResponse]


class ActorMiddleware:
    """Runs each view inside one transaction that knows `request.actor`.

    A path argument `org` names the tenant: it becomes `request.org`, found among what the actor may see.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> HttpResponse:
        with transaction.atomic():
            request.actor = actor_of(request)
            declare(request.actor)
            request.organisations = list_organisations(request.actor)
            request.org = get_organisation(request.actor, kwargs["org"]) if "org" in kwargs else None
            if request.org is not None:
                connection.set_tenant(request.org)
            return _answer(view(request, *args, **kwargs))


def actor_of(request: HttpRequest) -> Actor:
    user = request.user
    if not user.is_authenticated:
        return ANONYMOUS
    declare(Actor(user.email, user_id=user.pk))
    held = Membership.objects.filter(user_id=user.pk).values_list("org_id", "role")
    return Actor(user.email, frozenset((org_id, Role(role)) for org_id, role in held), user_id=user.pk)


def _answer(response: HttpResponse) -> HttpResponse:
    """Render now what would be rendered later, while the transaction still knows the actor."""
    render = getattr(response, "render", None)
    return render() if callable(render) and not response.is_rendered else response  # type: ignore[attr-defined]
