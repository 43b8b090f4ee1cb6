"""Watched folders: making and changing them, trying their connection, and each one's hours and files."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import AppError, InvalidInput
from apps.common.pages import respond, url_with
from apps.common.period import zone_words
from apps.common.texts import whole_number
from apps.events.formats.registry import FORMATS
from apps.events.models import WatchedSource
from apps.events.sources import is_known_source
from apps.events.watched import actions, selectors
from apps.events.watched.forms import WatchedSourceForm
from apps.events.watched.hours import days_shown, legend
from apps.events.watched.looking import preview
from apps.events.watched.names import hour_of
from apps.events.watched.seal import unseal
from apps.orgs.public import OrgRequest, Permission, requires

FORM = "events/watched_form.html"
PAGE = "events/watched_source.html"
FRAGMENTS = {"watched": "events/partials/_watched_source.html"}
TEST_FRAGMENTS = {"test-result": "events/partials/_watched_test.html"}
SHOWN_IN_TEST = 20


@require_GET
@requires(Permission.IMPORT_EVENTS)
def source(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found, now = actions.get_source(source_id), timezone.now()
    zone = request.org.time_zone
    grid = selectors.grid_for(found, zone, now)
    only_failed = request.GET.get("files") == "failed"
    number = whole_number(request.GET.get("page", "1"), "page must be a number from 1 on.", digits=6)
    ledger = selectors.ledger_page(found, number=number, only_failed=only_failed)
    context = {
        "source": found,
        "format": FORMATS[found.format].description if found.format in FORMATS else found.format,
        "grid": grid,
        "days": days_shown(grid, zone),
        "legend": legend(grid),
        "zone": "UTC" if zone == "UTC" else f"{zone_words(zone)} time",
        "time_zone": zone,
        "ledger": ledger,
        "door": found.door,
        "has_events": is_known_source(request.org, found.door, now),
        "only_failed": only_failed,
        "failed": sum(ledger.states.get(state, 0) for state in selectors.FAILED),
        "busy": sum(ledger.states.get(state, 0) for state in selectors.BUSY),
        "newer_url": url_with(request, page=str(ledger.newer)) if ledger.newer else "",
        "older_url": url_with(request, page=str(ledger.older)) if ledger.older else "",
        "may_manage": request.actor.may(Permission.MANAGE_SOURCES, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


@require_GET
@requires(Permission.MANAGE_SOURCES)
def new(request: OrgRequest) -> HttpResponse:
    return render(request, FORM, {"form": WatchedSourceForm(org=request.org)})


@require_POST
@requires(Permission.MANAGE_SOURCES)
def add(request: OrgRequest) -> HttpResponse:
    form = WatchedSourceForm(request.POST, org=request.org)
    if not form.is_valid():
        return _refused(request, form)
    try:
        made = actions.add_source(actor=request.actor, org=request.org, wish=form.wish)
    except AppError as error:
        return _refused(request, form, error)
    messages.success(request, f"{made.name} is watched. Its first files are here within minutes.")
    return _to_source(request, made)


@require_GET
@requires(Permission.MANAGE_SOURCES)
def edit(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found = actions.get_source(source_id)
    form = WatchedSourceForm(initial=WatchedSourceForm.initial_of(found), org=request.org, source=found)
    return render(request, FORM, {"form": form, "source": found})


@require_POST
@requires(Permission.MANAGE_SOURCES)
def change(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found = actions.get_source(source_id)
    form = WatchedSourceForm(request.POST, org=request.org, source=found)
    if not form.is_valid():
        return _refused(request, form)
    try:
        actions.change_source(actor=request.actor, org=request.org, source=found, wish=form.wish)
    except AppError as error:
        return _refused(request, form, error)
    messages.success(request, f"{found.name} is changed.")
    return _to_source(request, found)


@require_POST
@requires(Permission.MANAGE_SOURCES)
def test(request: OrgRequest) -> HttpResponse:
    """What would be picked up, as the form stands; nothing is kept."""
    found = actions.get_source(_source_id(request)) if request.POST.get("source") else None
    form = WatchedSourceForm(request.POST, org=request.org, source=found)
    context: dict[str, Any] = {"form": form, "source": found, "tested": True}
    if form.is_valid():
        context |= _tried(request, form, found)
    else:
        context["test_error"] = " ".join(str(text) for texts in form.errors.values() for text in texts)
    return respond(request, FORM, TEST_FRAGMENTS, context)


@require_POST
@requires(Permission.MANAGE_SOURCES)
def pause(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found, paused = actions.get_source(source_id), request.POST.get("paused")
    if paused not in {"0", "1"}:
        raise InvalidInput("The field paused must be 1 to pause or 0 to resume.")
    actions.pause_source(actor=request.actor, org=request.org, source=found, paused=paused == "1")
    messages.success(request, f"{found.name} is {'paused' if paused == '1' else 'watched again'}.")
    return _to_source(request, found)


@require_POST
@requires(Permission.MANAGE_SOURCES)
def delete(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found = actions.get_source(source_id)
    if request.POST.get("sure") != "1":
        raise InvalidInput("Deleting needs the field sure=1.")
    actions.delete_source(actor=request.actor, org=request.org, source=found)
    messages.success(request, f"{found.name} is no longer watched. The events that it brought stay.")
    return redirect("org:sources", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_SOURCES)
def look(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found = actions.get_source(source_id)
    actions.look_now(actor=request.actor, org=request.org, source=found)
    messages.success(request, f"A worker looks at {found.name} now.")
    return _to_source(request, found)


@require_POST
@requires(Permission.MANAGE_SOURCES)
def retry(request: OrgRequest, source_id: UUID) -> HttpResponse:
    found = actions.get_source(source_id)
    number = whole_number(request.POST.get("file", ""), "The field file must be the number of a file of this source.")
    actions.retry_file(actor=request.actor, org=request.org, source=found, file_id=number)
    messages.success(request, "The file is tried again now.")
    return _to_source(request, found)


def _tried(request: OrgRequest, form: WatchedSourceForm, found: WatchedSource | None) -> dict[str, Any]:
    wish = form.wish
    asked = WatchedSource(**{name: getattr(wish, name) for name in actions.FIELDS})
    try:
        kept = unseal(request.org.pk, bytes(found.sealed_secret)) if found and found.access_key_id else ""
        files = preview(asked, request.org, key=actions.key_of(wish, kept))
    except AppError as error:
        return {"test_error": error.message}
    daily = wish.cadence == "daily"
    shown = [
        {"file": file, "hour": hour_of(file.path, own=wish.hour_pattern, daily=daily)}
        for file in files[-SHOWN_IN_TEST:][::-1]
    ]
    return {"test_files": shown, "test_count": len(files), "test_bytes": sum(file.size for file in files)}


def _refused(request: HttpRequest, form: WatchedSourceForm, error: AppError | None = None) -> HttpResponse:
    if error is not None:
        form.add_error("name" if error.code == "conflict" else None, error.message)
    return render(request, FORM, {"form": form, "source": form.source}, status=HTTPStatus.BAD_REQUEST)


def _to_source(request: OrgRequest, found: WatchedSource) -> HttpResponse:
    return redirect("org:watched_source", org=request.org.slug, source_id=found.pk)


def _source_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST["source"])
    except ValueError as error:
        raise InvalidInput("The field source must be the number of a watched folder, or empty.") from error
