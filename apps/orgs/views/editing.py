"""Admin mode: its switch, editing a value where it stands, undoing. With htmx fragments, without it pages."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from apps.common.errors import Conflict, InvalidInput
from apps.orgs.access import requires
from apps.orgs.audit import record
from apps.orgs.editing.actions import Changed, save_edit, undo_edit
from apps.orgs.editing.fields import FIELDS, Field, find_field, find_row
from apps.orgs.editing.shown import SESSION_KEY, edit_rows, form_context, value_context
from apps.orgs.permissions import Permission
from apps.orgs.requests import OrgRequest

FORM, PAGE = "orgs/partials/_edit_form.html", "orgs/edit.html"
LONGEST = 10_000


@require_POST
@requires(Permission.EDIT_IN_PLACE)
def switch(request: OrgRequest) -> HttpResponse:
    """On or off, for this session."""
    wanted = request.POST.get("on") == "1"
    if wanted != bool(request.session.get(SESSION_KEY)):
        request.session[SESSION_KEY] = wanted
        record(org=request.org, actor=request.actor, action=f"admin_mode.{'on' if wanted else 'off'}")
    return _back(request)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.EDIT_IN_PLACE)
def edit(request: OrgRequest, key: str, row_id: UUID) -> HttpResponse:
    """GET the form, POST the value. `seen` is what the editor began with."""
    field = find_field(request.actor, request.org, key)
    row = find_row(request.actor, request.org, field, row_id)
    if request.method == "GET":
        return _form(request, field, row)
    text = request.POST.get("value", "")[:LONGEST]
    try:
        made = save_edit(
            actor=request.actor, org=request.org, key=key, row_id=row_id, text=text, seen=request.POST.get("seen", "")
        )
    except Changed as changed:
        return _form(request, field, row, text=text, seen=changed.now, error=changed.message, theirs=True, status=409)
    except (Conflict, InvalidInput) as error:
        return _form(request, field, row, text=text, seen=request.POST.get("seen", ""), error=error.message, status=422)
    saved = find_row(request.actor, request.org, field, row_id)
    said = f"The {field.label} is {field.words(field.text_of(saved))}." if made else "Nothing was changed."
    if request.htmx:
        return _value(request, field, saved, said)
    messages.success(request, said)
    return _back(request)


@never_cache
@require_GET
@requires(Permission.EDIT_IN_PLACE)
def edits(request: OrgRequest) -> HttpResponse:
    """What the person edited here lately, each with its undo."""
    context = {"edits": edit_rows(request, timezone.now())}
    return render(request, "orgs/partials/_edits.html" if request.htmx else "orgs/edits.html", context)


@require_POST
@requires(Permission.EDIT_IN_PLACE)
def undo(request: OrgRequest, edit_id: UUID) -> HttpResponse:
    try:
        made = undo_edit(actor=request.actor, org=request.org, edit_id=edit_id)
    except (Conflict, InvalidInput) as error:
        if request.htmx:
            return _edits(request, error.message, "error")
        messages.error(request, error.message)
        return redirect("org:edits", org=request.org.slug)
    field = FIELDS[made.field]
    said = f"Undone: the {field.label} is {field.words(made.after)} again."
    if request.htmx:
        row = find_row(request.actor, request.org, field, made.row_id)
        return _edits(request, said, "success", _swapped(request, field, row))
    messages.success(request, said)
    return redirect("org:edits", org=request.org.slug)


def _form(request: OrgRequest, field: Field, row: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    context = form_context(request, field, row, next=_next(request), **more)
    return render(request, FORM if request.htmx else PAGE, context, status=status)


def _value(request: OrgRequest, field: Field, row: Any, said: str) -> HttpResponse:
    """The value in its place, and the list of edits."""
    context = {**value_context(request, field, row), "edits": edit_rows(request, timezone.now()), "oob": True}
    answer = render(request, "orgs/partials/_edited.html", context)
    trigger_client_event(answer, "toast", {"level": "success", "text": said})
    return answer


def _edits(request: OrgRequest, said: str, level: str, more: str = "") -> HttpResponse:
    context = {"edits": edit_rows(request, timezone.now())}
    answer = HttpResponse(render_to_string("orgs/partials/_edits.html", context, request) + more)
    trigger_client_event(answer, "toast", {"level": level, "text": said})
    return answer


def _swapped(request: OrgRequest, field: Field, row: Any) -> str:
    """The value's place, if it is on the page."""
    return render_to_string("components/editable.html", {**value_context(request, field, row), "swap": True}, request)


def _next(request: OrgRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""


def _back(request: OrgRequest) -> HttpResponse:
    wanted = _next(request)
    return HttpResponseRedirect(wanted) if wanted else redirect("org:home", org=request.org.slug)
