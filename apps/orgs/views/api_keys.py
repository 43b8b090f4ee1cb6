"""API keys of an organisation: what machines may do for it. A new key is shown once, in the answer that made it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import AppError, InvalidInput, NotFound
from apps.common.figures import format_age
from apps.orgs.access import requires
from apps.orgs.api_keys import create_api_key, list_api_keys, revoke_api_key
from apps.orgs.models import ApiKey
from apps.orgs.permissions import Permission, Scope
from apps.orgs.requests import OrgRequest

SOON = timedelta(days=14)


@require_GET
@requires(Permission.MANAGE_API_KEYS)
def index(request: OrgRequest) -> HttpResponse:
    return _index(request)


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def create(request: OrgRequest) -> HttpResponse:
    """No redirect: the key stands in this answer and nowhere else."""
    sent = request.POST
    try:
        made, key = create_api_key(
            actor=request.actor,
            org=request.org,
            name=sent.get("name", ""),
            scopes=sent.getlist("scope"),
            expires_at=_end_of(sent.get("expires", ""), request.org.time_zone),
        )
    except AppError as error:
        return _index(request, error=error.message, status=int(error.http_status))
    return _index(request, made=made, key=key)


@require_GET
@requires(Permission.MANAGE_API_KEYS)
def one(request: OrgRequest, key_id: UUID) -> HttpResponse:
    found = ApiKey.objects.filter(org=request.org, pk=key_id).first()
    if found is None:
        raise NotFound("There is no such API key here.")
    return render(request, "orgs/api_key.html", {"row": _row(found, timezone.now())})


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def revoke(request: OrgRequest, key_id: UUID) -> HttpResponse:
    gone = revoke_api_key(actor=request.actor, org=request.org, key_id=key_id)
    messages.success(request, f"{gone.name} is revoked. Every door refuses it within five seconds.")
    return redirect("org:api_keys", org=request.org.slug)


def _index(request: OrgRequest, *, error: str = "", status: int = 200, **made: Any) -> HttpResponse:
    now = timezone.now()
    rows = [_row(found, now) for found in list_api_keys(request.org)]
    # What was sent stays in the form only while something is to be corrected.
    sent = request.POST if error else {}
    chosen = request.POST.getlist("scope") if error else [Scope.WRITE_EVENTS]
    context = {
        "valid": [row for row in rows if row["is_valid"]],
        "gone": [row for row in rows if not row["is_valid"]],
        "scopes": [(scope.value, scope.words, scope.value in chosen) for scope in Scope],
        "name": sent.get("name", ""),
        "expires": sent.get("expires", ""),
        "tomorrow": timezone.localdate(now, ZoneInfo(request.org.time_zone)) + timedelta(days=1),
        "error": error,
        **made,
    }
    response = render(request, "orgs/api_keys.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _row(key: ApiKey, now: datetime) -> dict[str, Any]:
    expired = key.expires_at is not None and key.expires_at <= now
    return {
        "key": key,
        "scopes": [(scope, Scope(scope).words if scope in set(Scope) else scope) for scope in key.scopes],
        "last_used": format_age((now - key.last_used_at).total_seconds()) if key.last_used_at else "never",
        # The key ends with that day, at the midnight after it.
        "last_day": key.expires_at and key.expires_at - timedelta(seconds=1),
        "is_valid": not expired and key.revoked_at is None,
        "is_soon": key.expires_at is not None and key.expires_at - now < SOON,
        "why_not": "Revoked" if key.revoked_at else "Expired" if expired else "",
    }


def _end_of(day: str, time_zone: str) -> datetime | None:
    """The end of the day that the form names, in the organisation's zone."""
    if not day:
        return None
    try:
        last = date.fromisoformat(day)
        end = datetime.combine(last, time.min, ZoneInfo(time_zone)) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{day[:20]!r} is not a day; the last day of a key looks like 2027-01-31.") from error
    if end <= timezone.now():
        raise InvalidInput("The key's last day has passed; name a later one, or none.")
    return end.astimezone(UTC)
