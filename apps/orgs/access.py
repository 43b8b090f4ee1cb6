"""The only functions that fetch an organisation for an actor.

Not theirs, or not there: 404. Theirs, but the role does not reach: 403. Signed out: to the sign-in page.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http.response import HttpResponseBase

from apps.accounts.public import has_second_step
from apps.common.errors import Forbidden, NotFound
from apps.orgs.actor import Actor
from apps.orgs.models import Kind, Organisation, Status
from apps.orgs.permissions import Permission, roles_with
from apps.orgs.reach import reaches_people
from apps.orgs.requests import ActorRequest, OrgRequest

View = Callable[..., HttpResponseBase]


def get_organisation(actor: Actor, slug: str) -> Organisation | None:
    """The organisation if the actor belongs to it or is super admin; None for whoever is signed out."""
    if actor.user_id is None:
        return None
    found: Organisation | None = Organisation.objects.filter(slug=slug).exclude(status=Status.ARCHIVED).first()
    if found is None or not (actor.is_super_admin or found.pk in actor.org_ids):
        raise NotFound(f"There is no organisation {slug!r} here for you.")
    if found.status == Status.SUSPENDED and not actor.is_super_admin:
        raise Forbidden(f"{found.name} is suspended. Its administrators can ask the platform's staff why.")
    return found


def requires(permission: Permission) -> Callable[[View], View]:
    """A view of one organisation for those who hold `permission` in it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: OrgRequest, org: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.actor.user_id is None:
                return redirect_to_login(request.get_full_path())
            check(request.actor, permission, request.org)
            check_second_step(request.actor, request.org)
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def requires_platform(permission: Permission) -> Callable[[View], View]:
    """A view over all organisations: for staff whose role reaches that far."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.actor.user_id is None:
                return redirect_to_login(request.get_full_path())
            if not request.actor.may_on_platform(permission):
                raise _forbidden(permission)
            for platform in Organisation.objects.filter(kind=Kind.PLATFORM, pk__in=request.actor.org_ids):
                check_second_step(request.actor, platform)
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def requires_staff(view: View) -> View:
    """A view of people over organisations: for super admins, and campaign managers within what they manage."""

    @wraps(view)
    def checked(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.actor.user_id is None:
            return redirect_to_login(request.get_full_path())
        if not reaches_people(request.actor):
            raise Forbidden(
                "This page is for the platform's staff. People of your organisation are on its page People."
            )
        return view(request, *args, **kwargs)

    return checked


def check(actor: Actor, permission: Permission, org: Organisation) -> None:
    if not actor.may(permission, org.pk):
        raise _forbidden(permission)


def check_second_step(actor: Actor, org: Organisation) -> None:
    """Where the organisation demands one of whoever enters; keys of machines have none."""
    if org.requires_second_step and actor.user_id is not None and not has_second_step([actor.user_id]):
        raise Forbidden(
            f"{org.name} asks everybody for a second step of sign-in, and you have none yet.",
            code="second_step_needed",
            data={"second_step": True},
        )


def _forbidden(permission: Permission) -> Forbidden:
    needed = ", ".join(role.replace("_", " ") for role in roles_with(permission))
    return Forbidden(f"Your role does not reach this page. It needs one of: {needed}.", data={"needed": needed})
