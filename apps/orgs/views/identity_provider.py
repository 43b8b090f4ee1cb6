"""An organisation's own sign-in: its OpenID Connect provider, whose addresses it speaks for, what its groups give."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import AppError
from apps.orgs.access import requires
from apps.orgs.models import IdentityProvider
from apps.orgs.people import roles_to_give
from apps.orgs.permissions import PLATFORM_ROLES, Permission, Role
from apps.orgs.requests import OrgRequest
from apps.orgs.sign_in.providers import (
    Wish,
    confirm_domains,
    find_provider,
    remove_provider,
    save_provider,
    try_provider,
)


@require_GET
@requires(Permission.MANAGE_SIGN_IN)
def page(request: OrgRequest) -> HttpResponse:
    return _page(request)


@require_POST
@requires(Permission.MANAGE_SIGN_IN)
def save(request: OrgRequest) -> HttpResponse:
    try:
        saved = save_provider(actor=request.actor, org=request.org, wish=_wish(request.POST))
    except AppError as error:
        return _page(request, error=error.message, status=int(error.http_status))
    if problem := try_provider(saved):
        messages.warning(request, f"Saved, but {saved.name} cannot be used yet. {problem}")
    else:
        messages.success(request, f"Saved. {saved.name} answers.")
    return redirect("org:sign_in", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_SIGN_IN)
def attempt(request: OrgRequest) -> HttpResponse:
    found = find_provider(request.org)
    if found is None:
        return _page(request, error="There is no provider to try yet.", status=400)
    if problem := try_provider(found):
        messages.error(request, f"{found.name} cannot be used. {problem}")
    else:
        messages.success(request, f"{found.name} answers as a provider should.")
    return redirect("org:sign_in", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_SIGN_IN)
def confirm(request: OrgRequest) -> HttpResponse:
    """For platform staff, who look whether the domains are the organisation's."""
    try:
        found = confirm_domains(actor=request.actor, org=request.org)
    except AppError as error:
        return _page(request, error=error.message, status=int(error.http_status))
    messages.success(request, f"{', '.join(found.domains)}: confirmed as {request.org.name}'s.")
    return redirect("org:sign_in", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_SIGN_IN)
def remove(request: OrgRequest) -> HttpResponse:
    try:
        remove_provider(actor=request.actor, org=request.org)
    except AppError as error:
        return _page(request, error=error.message, status=int(error.http_status))
    messages.success(request, "The provider is removed. People sign in with passwords again.")
    return redirect("org:sign_in", org=request.org.slug)


def _wish(sent: QueryDict) -> Wish:
    return Wish(
        name=sent.get("name", ""),
        issuer=sent.get("issuer", ""),
        client_id=sent.get("client_id", ""),
        secret=sent.get("secret", "").strip(),
        domains=sent.get("domains", "").replace(",", " ").split(),
        groups_claim=sent.get("groups_claim", ""),
        role_groups={role: _lines(sent.get(f"groups_{role}", "")) for role in Role},
        everyone=sent.get("everyone", ""),
        is_on=bool(sent.get("is_on")),
        is_only=bool(sent.get("is_only")),
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]


def _page(request: OrgRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    found = find_provider(request.org)
    shown = _sent(request.POST) if error and "name" in request.POST else _stored(found)
    giveable = [role for role in roles_to_give(request.actor, request.org) if role not in PLATFORM_ROLES]
    path = reverse("openid_connect_callback", args=[found.key]) if found else ""
    context = {
        "provider": found,
        "shown": shown,
        "roles": [(role.value, role.words, shown["groups"].get(role.value, "")) for role in giveable],
        "callback_url": settings.BASE_URL.rstrip("/") + path if found else "",
        "may_confirm": request.actor.is_super_admin,
        "error": error,
    }
    return render(request, "orgs/sign_in.html", context, status=status)


def _sent(sent: QueryDict) -> dict[str, Any]:
    wish = _wish(sent)
    return {
        **{name: getattr(wish, name) for name in ("name", "issuer", "client_id", "groups_claim", "everyone")},
        "domains": sent.get("domains", ""),
        "groups": {role: sent.get(f"groups_{role}", "") for role in Role},
        "is_on": wish.is_on,
        "is_only": wish.is_only,
    }


def _stored(found: IdentityProvider | None) -> dict[str, Any]:
    if found is None:
        return {"groups_claim": "groups", "is_on": True, "groups": {}}
    names = ("name", "issuer", "client_id", "groups_claim", "everyone", "is_on", "is_only")
    return {
        **{name: getattr(found, name) for name in names},
        "domains": ", ".join(found.domains),
        "groups": {role: ", ".join(groups) for role, groups in found.role_groups.items()},
    }
