"""The live event debugger: the newest lines as they were received, what became of each, and one event in full."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import InvalidInput, NotFound
from apps.common.figures import format_age
from apps.common.pages import once, respond, text_parameter
from apps.events.actions import keep_test_event
from apps.events.canonical import EventType
from apps.events.debugger.foreseeing import foresee
from apps.events.debugger.pretty import indented, pretty
from apps.events.debugger.received import Received, find_line, get_line, is_readable, list_log_sources, newest
from apps.events.debugger.states import MEANING, Line, State, tell_states
from apps.events.debugger.tracing import trace
from apps.events.edge.judging import judge, pointer
from apps.events.flow.times import format_length
from apps.events.quality import CODES, Window
from apps.events.queries import one_event
from apps.events.unknown_fields import unknown_fields
from apps.orgs.public import Organisation, OrgRequest, Permission, data_org_id, requires

PAGE = "events/live_events.html"
FRAGMENTS = {"events-rows": "events/partials/_event_rows.html"}
TRY_PAGE = "events/try_event.html"
TRY_FRAGMENTS = {"verdict": "events/partials/_verdict.html"}
SHOWN = 100
MOST_TRIED = 200_000
EXAMPLE = {
    "event_type": "purchase",
    "timestamp": "",
    "user_id": "visitor-1",
    "source": {"platform": "shopify", "campaign_id": "autumn"},
    "properties": {"revenue": "19.90", "currency": "USD"},
    "consent": {"status": "granted"},
}


@require_GET
@requires(Permission.IMPORT_EVENTS)
def live_events(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    question = {name: text_parameter(request, name) for name in ("source", "type", "state", "q")}
    _check_state(question["state"])
    glances = newest(request.org, now, source=question["source"])
    lines = tell_states(data_org_id(request.org), [line for glance in glances for line in glance.lines])
    found = [line for line in lines if _fits(line, question)]
    context = {
        "lines": [_row(line, now) for line in found[:SHOWN]],
        "looked_at": len(lines),
        "more": _more(glances, question),
        "question": question,
        "is_filtered": any(question.values()),
        "stored": once(lambda: _stored(request.org, question["q"])),
        "sources": once(lambda: list_log_sources(request.org, now)),
        "types": EventType.__args__,  # type: ignore[attr-defined]
        "states": list(MEANING.items()),
        "url": request.get_full_path(),
        "is_readable": is_readable(),
        "time_zone": request.org.time_zone,
    }
    return respond(request, PAGE, FRAGMENTS, context)


@require_GET
@requires(Permission.IMPORT_EVENTS)
def event(request: OrgRequest, event_id: str) -> HttpResponse:
    row = _stored(request.org, event_id)
    if row is None:
        raise NotFound(f"No event {event_id[:120]!r} is stored here. It may wait, or have been turned away.")
    received = find_line(request.org, row["batch_id"], row["received_at"], bytes.fromhex(row["content_hash"]))
    line = tell_states(data_org_id(request.org), [received])[0] if received else None
    return render(request, "events/event.html", _event_context(request, row, line))


@require_GET
@requires(Permission.IMPORT_EVENTS)
def received_line(request: OrgRequest, record_id: int, place: int) -> HttpResponse:
    received = get_line(request.org, record_id, place, _moment(request.GET.get("at", "")))
    line = tell_states(data_org_id(request.org), [received])[0]
    is_event = line.received.why is None and line.received.is_done
    row = _stored(request.org, line.received.event_id) if is_event else None
    return render(request, "events/event.html", _event_context(request, row, line))


@require_GET
@requires(Permission.IMPORT_EVENTS)
def try_event(request: OrgRequest) -> HttpResponse:
    example = indented({**EXAMPLE, "timestamp": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"})
    return render(request, TRY_PAGE, {"text": example})


@require_POST
@requires(Permission.IMPORT_EVENTS)
def send_try(request: OrgRequest) -> HttpResponse:
    """By the edge's own rules. Nothing is kept unless that is asked for."""
    text = request.POST.get("event", "").strip()
    if not text:
        raise InvalidInput("Paste an event, one JSON object.")
    if len(text) > MOST_TRIED:
        raise InvalidInput(f"A test event has at most {MOST_TRIED:,} characters; this one has {len(text):,}.")
    verdict = judge(text.encode(), bytes(request.org.identity_key), Window.at(timezone.now(), history=False))
    keeps = request.POST.get("keep") == "1"
    if keeps:
        keep_test_event(actor=request.actor, org=request.org, line=verdict.line)
    context = {"text": text, "keeps": keeps, "verdict": _verdict(verdict.told(0), verdict.why is None, keeps)}
    context["rows"] = pretty(verdict.line, verdict.why.field if verdict.why else "")
    context["event_id"] = verdict.event_id
    context["warnings"] = unknown_fields(verdict.line)
    context["fields"] = foresee(request.org, verdict.line, timezone.now())
    if keeps and not request.htmx:
        messages.success(request, "The event is in the log.")
        return redirect("org:live_events", org=request.org.slug)
    return respond(request, TRY_PAGE, TRY_FRAGMENTS, context)


def _stored(org: Organisation, event_id: str) -> Mapping[str, Any] | None:
    """The stored event by its columns' names."""
    found = one_event.fetch(data_org_id(org), event_id) if event_id else None
    return vars(found) if found else None


def _verdict(told: Mapping[str, Any], is_fine: bool, keeps: bool) -> dict[str, Any]:
    """What `POST /api/v1/events` would answer."""
    if is_fine:
        return {"status": "202 Accepted" if keeps else "200 OK", "is_fine": True, "body": indented(told)}
    problem = {
        "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": told["code"],
        "detail": told["message"], "pointer": told["pointer"].removeprefix("/0"),
    }  # fmt: skip
    return {
        "status": "422 Unprocessable Entity",
        "is_fine": False,
        "body": indented(problem),
        "code": told["code"],
        "message": told["message"],
        "pointer": problem["pointer"],
    }


def _moment(text: str) -> datetime | None:
    """As the page's own links have it."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is None or not 2000 <= found.year < 9000):
        raise InvalidInput("`at` is the time of a line's arrival such as 2026-11-25T13:00:00.123456Z.")
    return found


def _check_state(state: str) -> None:
    if state and state not in list(State):
        raise InvalidInput(f"There is no state {state!r}; use one of {', '.join(State)}.")


def _fits(line: Line, question: Mapping[str, str]) -> bool:
    one = line.received
    return (
        (not question["type"] or one.event_type == question["type"])
        and (not question["state"] or line.state == question["state"])
        and (not question["q"] or one.event_id == question["q"])
    )


def _more(glances: Any, question: Mapping[str, str]) -> list[dict[str, Any]]:
    """Which of the newest records hold more lines than are looked at."""
    if question["q"] or question["type"] or question["state"]:
        return []
    return [
        {"count": glance.more, "source": glance.lines[0].source, "at": glance.lines[0].received_at}
        for glance in glances
        if glance.more and glance.lines
    ][:5]


def _row(line: Line, now: datetime) -> dict[str, Any]:
    one = line.received
    return {
        "record_id": one.record_id,
        "place": one.place,
        "at": one.received_at,
        "arrived": f"{one.received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "age": format_age((now - one.received_at).total_seconds()),
        "source": one.source or "unknown",
        "type": one.event_type,
        "platform": one.platform,
        "event_id": one.event_id,
        "state": line.state.value,
        "code": one.why.code if one.why else "",
        "pointer": pointer(None, one.why.field) if one.why else "",
        "preview": one.preview,
    }


def _event_context(request: OrgRequest, row: Mapping[str, Any] | None, line: Line | None) -> dict[str, Any]:
    received = line.received if line else None
    why = received.why if received else None
    return {
        "event_id": row["event_id"] if row else received.event_id if received else "",
        "line": line,
        "state": line.state.value if line else State.STORED.value,
        "meaning": line.meaning if line else MEANING[State.STORED],
        "received": received,
        "digest": received.digest.hex() if received else "",
        "matches": bool(row and received and row["content_hash"] == received.digest.hex()),
        "rows": pretty(received.line, why.field if why else "") if received else [],
        "why": why and {"code": why.code, "meaning": CODES[why.code], "message": why.message,
                        "pointer": pointer(None, why.field)},
        "fields": trace(row, received.line if received and _is_own(row, received) else None) if row else [],
        "stored": row,
        "age": _age(row, received),
        "time_zone": request.org.time_zone,
    }  # fmt: skip


def _is_own(row: Mapping[str, Any], received: Received) -> bool:
    """Whether the stored event came from this very line, and not from another with the same id."""
    return bool(row["content_hash"] == received.digest.hex())


def _age(row: Mapping[str, Any] | None, received: Received | None) -> str:
    """From happening to arrival."""
    happened = row["timestamp"] if row else received.happened_at if received else None
    arrived = received.received_at if received else row["received_at"] if row else None
    return format_length((arrived - happened).total_seconds()) if happened and arrived else ""
