"""The people of an organisation: who they are, what they may do, who is invited."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.public import User, has_second_step
from apps.common.errors import AppError, Conflict, InvalidInput
from apps.common.figures import format_age
from apps.orgs import people
from apps.orgs.access import requires
from apps.orgs.invitations import LIFETIME, send_invitation
from apps.orgs.models import Invitation
from apps.orgs.permissions import TABLE, Permission, Role
from apps.orgs.reads import reads_personal_data
from apps.orgs.requests import OrgRequest


@require_GET
@requires(Permission.MANAGE_PEOPLE)
@reads_personal_data("people")
def index(request: OrgRequest) -> HttpResponse:
    return _index(request, None)


def _index(request: OrgRequest, error: AppError | None) -> HttpResponse:
    now = timezone.now()
    rows = [
        {
            "person": person,
            "roles": [role.words for role in person.roles],
            "last_login": format_age((now - person.last_login).total_seconds()) if person.last_login else "never",
        }
        for person in people.list_people(request.org)
    ]
    context = {
        "rows": rows,
        "invitations": [(one, Role(one.role).words, one.expires_at < now) for one in _invitations(request)],
        "roles": [(role.value, role.words) for role in people.roles_to_give(request.actor, request.org)],
        "error": error.message if error else "",
        "email": request.POST.get("email", ""),
        "role": request.POST.get("role", Role.VIEWER.value),
    }
    return render(request, "orgs/people.html", context, status=error.http_status if error else 200)


@require_GET
@requires(Permission.MANAGE_PEOPLE)
@reads_personal_data("person")
def person(request: OrgRequest, user_id: UUID) -> HttpResponse:
    return _person(request, user_id, None)


def _person(request: OrgRequest, user_id: UUID, error: AppError | None) -> HttpResponse:
    found = people.get_person(request.org, user_id)
    allowed = set(people.roles_to_give(request.actor, request.org))
    roles = [
        {
            "value": role.value,
            "label": role.words,
            "held": role in found.roles,
            "locked": role not in allowed,
            "allows": [permission.words for permission in Permission if permission in TABLE[role]],
        }
        for role in Role
        if role in allowed or role in found.roles
    ]
    context = {
        "person": found,
        "person_row": User(pk=found.id, name=found.name),
        "roles": roles,
        "is_self": user_id == request.user.pk,
        "error": error.message if error else "",
    }
    return render(request, "orgs/person.html", context, status=error.http_status if error else 200)


@require_POST
@requires(Permission.MANAGE_PEOPLE)
def invite(request: OrgRequest) -> HttpResponse:
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    try:
        made, token = people.invite(actor=request.actor, org=request.org, email=email, role=role)
    except AppError as error:
        return _index(request, error)
    transaction.on_commit(lambda: send_invitation(made, token, request.user.email))
    days = LIFETIME.days
    messages.success(request, f"{made.email} is invited as {Role(made.role).words}; the link works for {days} days.")
    return redirect("org:people", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_PEOPLE)
def revoke(request: OrgRequest, invitation_id: UUID) -> HttpResponse:
    gone = people.revoke_invitation(actor=request.actor, org=request.org, invitation_id=invitation_id)
    messages.success(request, f"The invitation of {gone.email} no longer works.")
    return redirect("org:people", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_PEOPLE)
def change_roles(request: OrgRequest, user_id: UUID) -> HttpResponse:
    """Roles that the page showed as locked are not sent, and stay."""
    found = people.get_person(request.org, user_id)
    allowed = set(people.roles_to_give(request.actor, request.org))
    locked = {role.value for role in found.roles if role not in allowed}
    leaves = "remove" in request.POST
    roles = set() if leaves else locked | set(request.POST.getlist("role"))
    try:
        if not roles and not leaves:
            raise InvalidInput(f"{found.email} needs at least one role; to let them leave, use Remove.")
        people.set_roles(actor=request.actor, org=request.org, user_id=user_id, roles=roles)
    except AppError as error:
        return _person(request, user_id, error)
    messages.success(request, f"{found.email} {'has left' if leaves else 'has new roles in'} {request.org.name}.")
    return redirect("org:people", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_PEOPLE)
def set_active(request: OrgRequest, user_id: UUID) -> HttpResponse:
    found = people.get_person(request.org, user_id)
    active = request.POST.get("active") == "1"
    try:
        people.set_active(actor=request.actor, org=request.org, user_id=user_id, active=active)
    except AppError as error:
        return _person(request, user_id, error)
    messages.success(request, f"{found.email} may {'enter' if active else 'no longer enter'} {request.org.name}.")
    return redirect("org:person", org=request.org.slug, user_id=user_id)


@require_POST
@requires(Permission.MANAGE_PEOPLE)
def require_second_step(request: OrgRequest) -> HttpResponse:
    """Whoever demands it has one: nobody locks themselves out by a press of a button."""
    required = request.POST.get("required") == "1"
    if required and not has_second_step([request.user.pk]):
        raise Conflict("You have no second step of sign-in yourself; set one up first, then require it of everybody.")
    people.require_second_step(actor=request.actor, org=request.org, required=required)
    messages.success(request, "Everybody needs a second step now." if required else "The second step is a choice now.")
    return redirect("org:people", org=request.org.slug)


def _invitations(request: OrgRequest) -> list[Invitation]:
    return people.list_invitations(request.org)
