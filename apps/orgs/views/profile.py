"""One's own page: who one is, where one belongs and what one may do there, sessions, mail, and all that is kept."""

import json
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.public import (
    Notice,
    browser_words,
    edit_profile,
    end_other_sessions,
    end_session,
    has_second_step,
    list_sessions,
)
from apps.common.errors import AppError
from apps.common.texts import one_line
from apps.orgs.actor import as_platform
from apps.orgs.names import check_name
from apps.orgs.permissions import TABLE, Permission
from apps.orgs.personal_data import collect_person
from apps.orgs.requests import ActorRequest
from apps.orgs.selectors import list_organisations
from apps.orgs.sign_in_trail import record_of_person
from apps.orgs.signed_in import requires_person


@require_GET
@never_cache
@requires_person
def profile(request: ActorRequest) -> HttpResponse:
    return _show(request)


@require_POST
@requires_person
def edit(request: ActorRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        name = check_name(name, name="Your name") if name.strip() else one_line(name, name="Your name", longest=200)
        muted = set(Notice) - set(request.POST.getlist("notice"))
        unknown = set(request.POST.getlist("notice")) - set(Notice)
        changes = edit_profile(user=request.user, name=name, muted=muted | unknown)
    except AppError as error:
        return _show(request, error)
    if changes:
        # Names are personal data: the trail, which outlives them, says which field, not what it was.
        _note(request, "profile.edited", fields=sorted(changes))
    messages.success(request, "Your profile is saved.")
    return redirect("profile")


@require_POST
@requires_person
def end(request: ActorRequest) -> HttpResponse:
    """One session by its number, or all others."""
    number = request.POST.get("session", "")
    if number == "others":
        end_other_sessions(request=request, user=request.user)
        said = "You are signed out everywhere else."
    else:
        end_session(
            user=request.user,
            session_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0,
        )
        said = "That session has ended."
    _note(request, "session.ended", which="others" if number == "others" else "one")
    messages.success(request, said)
    return redirect("profile")


@require_POST
@requires_person
def download(request: ActorRequest) -> HttpResponse:
    """All that is kept about the person, as JSON."""
    found = collect_person(request.actor, request.user)
    _note(request, "person.exported")
    text = json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="precise-{timezone.now():%Y-%m-%d}.json"'
    response["Cache-Control"] = "no-store"
    return response


def _note(request: ActorRequest, action: str, **detail: Any) -> None:
    with as_platform(request.actor):
        record_of_person(request.actor, action, **detail)


def _show(request: ActorRequest, error: AppError | None = None) -> HttpResponse:
    user, actor = request.user, request.actor
    wanted = set(request.POST.getlist("notice")) if error else set(Notice) - set(user.muted)
    context: dict[str, Any] = {
        "person": user,
        "name": request.POST.get("name", "") if error else user.name,
        "has_second_step": user.pk in has_second_step([user.pk]),
        "organisations": [
            {
                "org": org,
                "roles": sorted(role.words for role in actor.roles_in(org.pk)),
                "may": [one.words for one in Permission if any(one in TABLE[role] for role in actor.roles_in(org.pk))],
            }
            for org in list_organisations(actor)
            if org.pk in actor.org_ids
        ],
        "sessions": [_session(request, one) for one in list_sessions(user)],
        "notices": [(notice.value, notice.words, notice in wanted) for notice in Notice],
        "error": error.message if error else "",
    }
    return render(request, "orgs/profile.html", context, status=int(error.http_status) if error else 200)


def _session(request: ActorRequest, session: Any) -> dict[str, Any]:
    return {
        "id": session.pk,
        "browser": browser_words(session.user_agent),
        "network": session.ip,
        "since": session.created_at,
        "is_current": session.session_key == request.session.session_key,
    }
