"""The link of an invitation: GET asks, POST joins (so that a mail scanner's visit does not use it up)."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.public import find_by_email, get_or_create_user, sign_in_invited
from apps.common.errors import Forbidden, NotFound
from apps.orgs.actor import as_platform
from apps.orgs.invitations import masked
from apps.orgs.models import Invitation
from apps.orgs.people import accept_invitation, find_invitation
from apps.orgs.permissions import Role
from apps.orgs.requests import ActorRequest


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: ActorRequest, token: str) -> HttpResponse:
    with as_platform(request.actor):
        found = find_invitation(token)
    if found is None:
        return render(request, "orgs/invitation.html", {}, status=410)
    if request.method == "GET" or _is_somebody_else(request, found):
        return _ask(request, found)
    return _join(request, token, found)


def _ask(request: ActorRequest, found: Invitation) -> HttpResponse:
    context = {
        "org_name": found.org.name,
        "role": Role(found.role).words,
        "email": masked(found.email),
        "somebody_else": _is_somebody_else(request, found),
    }
    return render(request, "orgs/invitation.html", context)


def _join(request: ActorRequest, token: str, found: Invitation) -> HttpResponse:
    """Who has a password signs in with it first: the link is no way around it, nor around the second step."""
    is_signed_in = request.actor.user_id is not None
    user = request.user if is_signed_in else find_by_email(found.email)
    if user is not None and not is_signed_in and user.has_usable_password():
        return redirect(f"{reverse('account_login')}?next={reverse('invitation', args=[token])}")
    try:
        with as_platform(request.actor), transaction.atomic():
            user = user or get_or_create_user(email=found.email)
            accept_invitation(token=token, user=user)
    except (NotFound, Forbidden):
        return render(request, "orgs/invitation.html", {}, status=410)
    if is_signed_in:
        return redirect("org:home", org=found.org.slug)
    return sign_in_invited(request, user)


def _is_somebody_else(request: ActorRequest, found: Invitation) -> bool:
    return request.actor.user_id is not None and request.user.email != found.email
