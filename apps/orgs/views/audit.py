"""The audit trail: who did what, when and from where, for those who answer for it."""

import csv
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.common.errors import NotFound
from apps.common.pages import url_with
from apps.common.spreadsheets import safe_cell
from apps.orgs.access import requires
from apps.orgs.audit import record
from apps.orgs.models import AuditEntry
from apps.orgs.permissions import Permission
from apps.orgs.reads import reads_personal_data
from apps.orgs.requests import ActorRequest, OrgRequest
from apps.orgs.trail import AT_ONCE, MOST_EXPORTED, Line, describe, find_entries, list_actions, read_question, words_of

COLUMNS = ("at", "organisation", "who", "action", "target", "from", "detail")


@require_GET
@requires(Permission.VIEW_AUDIT)
@reads_personal_data("audit")
def audit(request: OrgRequest) -> HttpResponse:
    return audit_page(request, org_id=request.org.pk, time_zone=request.org.time_zone)


@require_GET
@requires(Permission.VIEW_AUDIT)
@reads_personal_data("audit")
def audit_entry(request: OrgRequest, entry_id: int) -> HttpResponse:
    return audit_entry_page(request, entry_id, org_id=request.org.pk, time_zone=request.org.time_zone)


def audit_entry_page(request: ActorRequest, entry_id: int, *, org_id: UUID | None, time_zone: str) -> HttpResponse:
    """One entry, under an address that stays: of one organisation, or of all that the actor may see."""
    entries = AuditEntry.objects.filter(pk=entry_id).select_related("org")
    found = (entries if org_id is None else entries.filter(org=org_id)).first()
    if found is None:
        raise NotFound("There is no such entry in the audit trail.")
    line = describe([found])[0]
    context = {"entry": line, "changes": _changes(line.detail), "of_all": org_id is None, "time_zone": time_zone}
    return render(request, "orgs/audit_entry.html", context)


def audit_page(request: ActorRequest, *, org_id: UUID | None, time_zone: str) -> HttpResponse:
    """One organisation's trail, or all that the actor may see."""
    question = read_question(request.GET, time_zone)
    entries = find_entries(question, org_id)
    if request.GET.get("format") == "csv":
        return _csv(request, describe(entries[:MOST_EXPORTED]), time_zone)
    lines = describe(entries[: AT_ONCE + 1])
    context = {
        "lines": lines[:AT_ONCE],
        "question": question,
        "actions": [(action, words_of(action)) for action in list_actions(org_id)],
        "older": url_with(request, before=str(lines[AT_ONCE - 1].id)) if len(lines) > AT_ONCE else "",
        "newest": url_with(request, before=None) if question.before else "",
        "csv_url": url_with(request, format="csv", before=None),
        "time_zone": time_zone,
        "of_all": org_id is None,
    }
    return render(request, "orgs/audit.html", context)


def _changes(detail: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, before, after), where the entry says both."""
    before, after = detail.get("before"), detail.get("after")
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    return [(name, before.get(name), after.get(name)) for name in {**before, **after}]


def _csv(request: ActorRequest, lines: Sequence[Line], time_zone: str) -> HttpResponse:
    org = getattr(request, "org", None)
    record(org=org, actor=request.actor, action="audit.exported", entries=len(lines))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{org.slug}-audit.csv" if org else "audit.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(COLUMNS)
    for line in lines:
        at = line.at.astimezone(ZoneInfo(time_zone)).isoformat()
        detail = json.dumps(line.detail, ensure_ascii=False)
        cells = (at, line.org, line.who, line.action, line.target, line.origin, detail)
        writer.writerow([safe_cell(cell) for cell in cells])
    return response
