"""Files of an organisation: upload, look, import, and what became of them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import InvalidInput
from apps.common.figures import format_size
from apps.common.pages import respond
from apps.events.formats.registry import FORMATS, get_format
from apps.events.log import store
from apps.events.models import Upload, UploadState
from apps.events.reported.roles import MONEY
from apps.events.uploads import storage
from apps.events.uploads.actions import AT_REST, cancel_import, get_upload, receive_file, remove_upload, start_import
from apps.events.uploads.looking import first_lines, preview
from apps.events.uploads.reports import (
    DESCRIPTION,
    PERFORMANCE,
    ROLE_NAMES,
    chosen_mapping,
    known_sources,
    look_at_report,
)
from apps.events.uploads.running import progress_of
from apps.events.uploads.selectors import (
    LISTED,
    File,
    find_twin,
    get_file,
    list_files,
    list_reasons,
    list_row_reasons,
    list_totals,
)
from apps.orgs.public import OrgRequest, Permission, requires

LIST, LIST_FRAGMENTS = "events/files.html", {"files-list": "events/partials/_files.html"}
FILE = "events/file.html"
FILE_FRAGMENTS = {
    "file-state": "events/partials/_file_state.html",
    "file-preview": "events/partials/_preview.html",
}
DESCRIPTIONS = {one.name: one.description for one in FORMATS.values()} | {PERFORMANCE: DESCRIPTION}
# After so long in the queue something is wrong with the workers, and the page says so.
PATIENCE = timedelta(seconds=30)


@require_GET
@requires(Permission.IMPORT_EVENTS)
def files(request: OrgRequest) -> HttpResponse:
    before = _before(request.GET.get("before", ""))
    found = list_files(before)
    context = {
        "files": found,
        "is_first": before is None,
        "more": found[-1].at.isoformat() if len(found) == LISTED else "",
        "changes": any(one.changes for one in found),
        "most": format_size(settings.UPLOAD_MOST_BYTES),
        "most_bytes": settings.UPLOAD_MOST_BYTES,
    }
    return respond(request, LIST, LIST_FRAGMENTS, context)


@require_POST
@requires(Permission.IMPORT_EVENTS)
def send(request: OrgRequest) -> HttpResponse:
    """The way without JavaScript: whole files by a plain form."""
    sent = [one for one in request.FILES.getlist("file") if one.name]
    if not sent:
        raise InvalidInput("Choose a file first.")
    uploads = [
        receive_file(actor=request.actor, org=request.org, name=one.name or "", size=one.size or 0, body=one)
        for one in sent
    ]
    return _to(request, uploads[0].pk) if len(uploads) == 1 else redirect("org:files", org=request.org.slug)


@require_GET
@requires(Permission.IMPORT_EVENTS)
def file(request: OrgRequest, file_id: UUID) -> HttpResponse:
    found = get_file(file_id)
    context = {"file": found, **_state(found)}
    if found.upload is not None and not found.upload.bytes_removed_at and (found.upload.state in AT_REST):
        context |= _choice(request, found.upload)
    response = respond(request, FILE, FILE_FRAGMENTS, context)
    if request.htmx.target == "file-state" and "formats" in context:
        response["HX-Refresh"] = "true"  # the import ended without success: the page has its choices again
    return response


@require_POST
@requires(Permission.IMPORT_EVENTS)
def start(request: OrgRequest, file_id: UUID) -> HttpResponse:
    upload = get_upload(file_id)
    if request.POST.get("again"):
        name, options = upload.format, upload.options
    else:
        name, options = request.POST.get("format", ""), _options(request, upload)
    start_import(actor=request.actor, org=request.org, upload_id=file_id, format_name=name, options=options)
    return _to(request, file_id)


@require_POST
@requires(Permission.IMPORT_EVENTS)
def cancel(request: OrgRequest, file_id: UUID) -> HttpResponse:
    cancel_import(actor=request.actor, org=request.org, upload_id=file_id)
    return _to(request, file_id)


@require_POST
@requires(Permission.IMPORT_EVENTS)
def remove(request: OrgRequest, file_id: UUID) -> HttpResponse:
    found = get_file(file_id)
    remove_upload(actor=request.actor, org=request.org, upload_id=file_id)
    messages.success(request, f"{found.name} was removed.")
    return redirect("org:files", org=request.org.slug)


def _state(found: File) -> dict[str, Any]:
    """What happened so far, for the part of the page that is asked for again and again."""
    context: dict[str, Any] = {"progress": progress_of(found.id) if found.upload else None}
    if found.run is not None:
        context["ingest"] = store.progress(found.run.pk, found.run.started_at)
        context["reasons"] = list_row_reasons(found.run) if found.is_report else list_reasons(found.run.pk)
        context["totals"] = list_totals(found.run)
    if found.upload is not None and found.upload.state == UploadState.QUEUED:
        context["is_late"] = timezone.now() - found.upload.changed_at > PATIENCE
    return context


def _choice(request: OrgRequest, upload: Upload) -> dict[str, Any]:
    """Format, options and preview: as the URL says, else as recognised or chosen before."""
    name = request.GET.get("format", upload.format)
    context: dict[str, Any] = {
        "formats": DESCRIPTIONS.items(),
        "chosen": name,
        "recognised": DESCRIPTIONS.get(upload.format),
        "lines": max(upload.lines - 1, 0) if upload.lines is not None else None,
    }
    path = storage.path_of(request.org.pk, upload.pk)
    if not name:
        return {**context, "first_lines": first_lines(path)}
    if name == PERFORMANCE:
        return context | _report(request, upload, path)
    return context | _events(request, upload, path, name)


def _events(request: OrgRequest, upload: Upload, path: Path, name: str) -> dict[str, Any]:
    chosen = get_format(name)
    history = request.GET.get("history") == "1" if "format" in request.GET else bool(upload.options.get("history"))
    seen = preview(path, chosen, key=bytes(request.org.identity_key), history=history)
    lines = max(upload.lines - chosen.has_header, 0) if upload.lines is not None else None
    return {"preview": seen, "history": history, "lines": lines}


def _report(request: OrgRequest, upload: Upload, path: Path) -> dict[str, Any]:
    return {
        "report": look_at_report(path, request.org, request.GET, upload.options, name=upload.name),
        "twin": find_twin(upload),
        "known_sources": known_sources(),
        "role_names": [(str(role), name) for role, name in ROLE_NAMES.items()],
        "may_be_millionths": MONEY,
    }


def _options(request: OrgRequest, upload: Upload) -> dict[str, Any]:
    if request.POST.get("format") == PERFORMANCE:
        return chosen_mapping(storage.path_of(request.org.pk, upload.pk), request.POST)
    return {"history": request.POST.get("history") == "1"}


def _before(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput("`before` must be a time with its zone, such as 2026-10-31T12:00:00+00:00.")
    return found


def _to(request: OrgRequest, file_id: UUID) -> HttpResponse:
    return redirect("org:file", org=request.org.slug, file_id=file_id)
