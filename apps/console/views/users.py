"""People over all organisations: for super admins, and for campaign managers within what they manage. Looking at them
is noted."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.public import User, has_second_step, list_sessions
from apps.common.errors import AppError, InvalidInput
from apps.common.figures import format_age
from apps.common.paging import read_page
from apps.common.texts import search_text
from apps.orgs.public import (
    ActorRequest,
    Held,
    Permission,
    Role,
    State,
    add_member,
    as_platform,
    close_account,
    count_keys,
    find_by_slug,
    get_user,
    list_held,
    open_account,
    record,
    requires_platform,
    requires_staff,
    search_users,
    sign_out,
)

SHOWN_ORGS = 3


@require_GET
@requires_staff
def index(request: ActorRequest) -> HttpResponse:
    text = search_text(request.GET.get("q", ""), name="The name")
    state, role = _one_of(request, "state", list(State)), _one_of(request, "role", list(Role))
    page = read_page(request, search_users(request.actor, text=text, state=state, role=role))
    _note(request, "users.listed", query=request.GET.urlencode()[:200])
    ids = [user.pk for user in page.rows]
    held, secured = list_held(request.actor, ids), has_second_step(ids)
    context = {
        "rows": [_row(user, held.get(user.pk, []), user.pk in secured) for user in page.rows],
        "page": page,
        "query": text,
        "state": state,
        "states": [(one.value, one.words) for one in State],
        "role": role,
        "roles": [(one.value, one.words) for one in Role],
        "is_filtered": bool(text or state or role),
        "of_all": request.actor.is_super_admin,
    }
    return render(request, "console/users.html", context)


@require_GET
@requires_staff
def one(request: ActorRequest, user_id: UUID) -> HttpResponse:
    return _show(request, user_id)


@require_POST
@requires_platform(Permission.MANAGE_USERS)
def change_account(request: ActorRequest, user_id: UUID) -> HttpResponse:
    """Close, open again, or end all sessions: each by a button of its own."""
    user, what = get_user(request.actor, user_id), request.POST.get("what", "")
    doings = {
        "close": (close_account, f"{user.email} can no longer sign in; their sessions and API keys have ended."),
        "open": (open_account, f"{user.email} can sign in again."),
        "sign-out": (sign_out, f"{user.email} is signed out everywhere."),
    }
    if what not in doings:
        raise InvalidInput(f"Say what is to happen: {', '.join(doings)}.")
    do, said = doings[what]
    try:
        do(actor=request.actor, user_id=user_id)
    except AppError as error:
        return _show(request, user_id, error)
    messages.success(request, said)
    return redirect("console:user", user_id=user_id)


@require_POST
@requires_platform(Permission.MANAGE_USERS)
def give_role(request: ActorRequest, user_id: UUID) -> HttpResponse:
    user, role = get_user(request.actor, user_id), request.POST.get("role", "")
    try:
        if role not in set(Role):
            raise InvalidInput(f"There is no role {role[:40]!r}; there are: {', '.join(Role)}.")
        org = find_by_slug(search_text(request.POST.get("slug", ""), name="The short name"))
        add_member(actor=request.actor, org=org, email=user.email, role=Role(role))
    except AppError as error:
        return _show(request, user_id, error)
    messages.success(request, f"{user.email} is {Role(role).words} of {org.name} now.")
    return redirect("console:user", user_id=user_id)


def _show(request: ActorRequest, user_id: UUID, error: AppError | None = None) -> HttpResponse:
    user = get_user(request.actor, user_id)
    if error is None:
        _note(request, "user.viewed", target=f"user/{user.pk}")
    context: dict[str, Any] = {
        "person": user,
        "held": list_held(request.actor, [user.pk]).get(user.pk, []),
        "has_second_step": user.pk in has_second_step([user.pk]),
        "last_login": _age(user),
        "sessions": len(list_sessions(user)),
        "keys": count_keys(user),
        "may_change": request.actor.may_on_platform(Permission.MANAGE_USERS),
        "is_self": user.pk == request.user.pk,
        "roles": [(role.value, role.words) for role in Role],
        "role": request.POST.get("role", Role.VIEWER.value),
        "slug": request.POST.get("slug", ""),
        "error": error.message if error else "",
    }
    return render(request, "console/user.html", context, status=int(error.http_status) if error else 200)


def _note(request: ActorRequest, action: str, **detail: Any) -> None:
    """Of no single organisation, hence written by the platform, whoever of the staff looks."""
    with as_platform(request.actor):
        record(org=None, actor=request.actor, action=action, **detail)


def _row(user: User, held: list[Held], is_secured: bool) -> dict[str, Any]:
    return {
        "user": user,
        "held": [(one.org, ", ".join(role.words for role in one.roles), one.may_enter) for one in held[:SHOWN_ORGS]],
        "more": max(0, len(held) - SHOWN_ORGS),
        "is_secured": is_secured,
        "last_login": _age(user),
    }


def _age(user: User) -> str:
    return format_age((timezone.now() - user.last_login).total_seconds()) if user.last_login else "never"


def _one_of(request: ActorRequest, name: str, known: list[Any]) -> str:
    text = request.GET.get(name, "")
    if text and text not in known:
        raise InvalidInput(f"There is no {name} {text[:40]!r}; there are: {', '.join(known)}.")
    return text
