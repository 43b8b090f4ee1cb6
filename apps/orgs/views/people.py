"""The people of an organisation: who they are, what they may do, who is invited."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.public import User
from apps.common.errors import AppError, InvalidInput
from apps.common.figures import format_age
from apps.orgs import people
from apps.orgs.access import requires
from apps.orgs.models import Invitation
from apps.orgs.permissions import TABLE, Permission, Role
from apps.orgs.requests import OrgRequest


@require_GET
@requires(Permission.MANAGE_PEOPLE)
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
    transaction.on_commit(lambda: _send(made, token, request.user.email))
    days = people.LIFETIME.days
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


def _invitations(request: OrgRequest) -> list[Invitation]:
    return people.list_invitations(request.org)


def _send(made: Invitation, token: str, inviter: str) -> None:
    context = {
        "org": made.org.name,
        "role": Role(made.role).words,
        "inviter": inviter,
        "link": settings.BASE_URL.rstrip("/") + reverse("invitation", args=[token]),
        "days": people.LIFETIME.days,
    }
    text = render_to_string("orgs/mail/invitation.txt", context)
    send_mail(f"{made.org.name} invites you to Precise", text, None, [made.email])
