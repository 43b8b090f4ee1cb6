"""What was turned away for one reason: line by line, as a file, and once more through ingest."""

import json
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.common.downloads import send_file
from apps.common.errors import InvalidInput, NotFound
from apps.common.pages import text_parameter, url_with
from apps.common.texts import whole_number
from apps.events.actions import replay_quarantined
from apps.events.edge.judging import pointer
from apps.events.models import QuarantinedLine
from apps.events.quality import CODES
from apps.events.sources import quarantined
from apps.orgs.public import OrgRequest, Permission, record, requires

AT_ONCE = 50
MOST_CHARACTERS = 32_000_000
SHOWN_CHARACTERS = 4_000
MOST_CHOSEN = 1_000


@require_GET
@requires(Permission.IMPORT_EVENTS)
def reason(request: OrgRequest, code: str) -> HttpResponseBase:
    if code not in CODES:
        raise NotFound(f"There is no reason {code!r} for which lines are turned away.")
    lines = quarantined(request.org).filter(code=code).order_by("-pk")
    sources = sorted(set(lines.order_by().values_list("source", flat=True).distinct()))
    if chosen := text_parameter(request, "source"):
        lines = lines.filter(source=chosen)
    if request.GET.get("format") == "ndjson":
        return _file(request, code, lines)
    count = lines.count()
    before = _number(request.GET.get("before", ""))
    page = list((lines.filter(pk__lt=before) if before else lines)[: AT_ONCE + 1])
    context = {
        "code": code,
        "meaning": CODES[code],
        "is_age": code == "timestamp_too_old",
        "may_replay": code != "line_too_long",
        "count": count,
        "lines": [_shown(line) for line in page[:AT_ONCE]],
        "sources": sources,
        "source": chosen,
        "older": url_with(request, before=str(page[AT_ONCE - 1].pk)) if len(page) > AT_ONCE else "",
        "newest": url_with(request, before=None) if before else "",
        "file_url": url_with(request, format="ndjson", before=None),
        "time_zone": request.org.time_zone,
    }
    return render(request, "events/reason.html", context)


@require_POST
@requires(Permission.IMPORT_EVENTS)
def replay(request: OrgRequest) -> HttpResponse:
    code, source = request.POST.get("code", ""), request.POST.get("source", "").replace("\x00", "\ufffd")
    ids = [_number(text) for text in request.POST.getlist("line")]
    if len(ids) > MOST_CHOSEN:
        raise InvalidInput(f"Choose at most {MOST_CHOSEN:,} lines, or replay all of them.")
    if request.POST.get("only") == "chosen" and not ids:
        messages.warning(request, "No line was chosen; tick those that shall go through ingest once more.")
        return redirect("org:quarantine", org=request.org.slug, code=code)
    count = replay_quarantined(
        actor=request.actor,
        org=request.org,
        code=code,
        source=source,
        ids=ids,
        history=request.POST.get("history") == "1",
    )
    lines = "1 line goes" if count == 1 else f"{count:,} lines go"
    messages.success(request, f"{lines} through ingest once more. What still breaks a rule comes back here.")
    return redirect("org:sources", org=request.org.slug)


def _shown(line: QuarantinedLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "at": line.created_at,
        "source": line.source or "unknown",
        "field": line.field,
        "message": line.message,
        "text": line.line[:SHOWN_CHARACTERS],
        "is_cut": len(line.line) > SHOWN_CHARACTERS,
    }


def _number(text: str) -> int:
    return whole_number(text, f"{text[:40]!r} is not the number of a line.") if text else 0


def _file(request: OrgRequest, code: str, lines: QuerySet[QuarantinedLine]) -> StreamingHttpResponse:
    """One object a line, since what is in quarantine need not be JSON itself."""
    file, count = TemporaryFile(), 0  # noqa: SIM115 - closed once it is sent
    for text in _objects(lines):
        file.write(text.encode())
        count += 1
    record(org=request.org, actor=request.actor, action="events.quarantine_exported", code=code, lines=count)
    return send_file(file, name=f"{request.org.slug}-{code}.ndjson", content_type="application/x-ndjson")


def _objects(lines: QuerySet[QuarantinedLine]) -> Iterator[str]:
    """The newest first, as many as a browser bears."""
    size = 0
    for line in lines.iterator(chunk_size=10):
        told = {
            "received_at": line.created_at.isoformat(),
            "source": line.source,
            "code": line.code,
            "pointer": pointer(None, line.field),
            "message": line.message,
            "line": line.line,
        }
        text = json.dumps(told, ensure_ascii=False) + "\n"
        size += len(text)
        if size > MOST_CHARACTERS:
            return
        yield text
