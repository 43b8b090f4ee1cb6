"""API keys of an organisation: what machines may do for it. A new key is shown once, on the page that follows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import AppError, Conflict, InvalidInput, NotFound
from apps.common.figures import format_age
from apps.common.sealing import seal, unseal
from apps.orgs.access import requires
from apps.orgs.api_keys import (
    OVERLAPS,
    create_api_key,
    limit_addresses,
    list_api_keys,
    revoke_api_key,
    rotate_api_key,
)
from apps.orgs.key_uses import Day, list_uses
from apps.orgs.models import ApiKey
from apps.orgs.permissions import Permission, Scope
from apps.orgs.requests import OrgRequest

# Stands for a key that nobody can show again.
PLACE = "YOUR_KEY"
EXACT = timedelta(minutes=5)
SOON = timedelta(days=14)
NEW_KEY = "new_api_key"
OVERLAP_WORDS = ("not at all", "an hour", "a day", "a week")


@require_GET
@requires(Permission.MANAGE_API_KEYS)
def index(request: OrgRequest) -> HttpResponse:
    return _index(request, **_take_new_key(request))


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def create(request: OrgRequest) -> HttpResponse:
    sent = request.POST
    try:
        made, key = create_api_key(
            actor=request.actor,
            org=request.org,
            name=sent.get("name", ""),
            scopes=sent.getlist("scope"),
            expires_at=_end_of(sent.get("expires", ""), request.org.time_zone),
            networks=_ranges(sent.get("networks", "")),
        )
    except AppError as error:
        return _index(request, error=error.message, status=int(error.http_status))
    _keep_new_key(request, made, key)
    return redirect("org:api_keys", org=request.org.slug)


@require_GET
@requires(Permission.MANAGE_API_KEYS)
def one(request: OrgRequest, key_id: UUID) -> HttpResponse:
    return _one(request, _get(request, key_id))


def _one(request: OrgRequest, found: ApiKey, *, error: str = "", status: int = 200) -> HttpResponse:
    days = list_uses(found)
    context = {
        "row": _row(found, timezone.now()),
        "error": error,
        "networks": request.POST.get("networks", "") if error else "\n".join(found.networks),
        "overlaps": [(int(one.total_seconds()), words) for one, words in zip(OVERLAPS, OVERLAP_WORDS, strict=True)],
        "replaced_by": found.replaced_by.first(),
        "snippets": snippets(PLACE, found.scopes),
        "is_for_pages": Scope.PIXEL in found.scopes,
        "days": days,
        "bars": _bars(days),
        "total": sum(day.total for day in days),
        "most": max(day.total for day in days),
    }
    return render(request, "orgs/api_key.html", context, status=status)


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def rotate(request: OrgRequest, key_id: UUID) -> HttpResponse:
    seconds = request.POST.get("overlap", "")
    try:
        overlap = timedelta(seconds=int(seconds)) if seconds.isascii() and len(seconds) < 10 else timedelta(days=-1)
        made, key = rotate_api_key(actor=request.actor, org=request.org, key_id=key_id, overlap=overlap)
    except (ValueError, InvalidInput, Conflict) as error:
        said = error.message if isinstance(error, AppError) else "Choose how long the old key works."
        return _one(request, _get(request, key_id), error=said, status=400)
    _keep_new_key(request, made, key)
    return redirect("org:api_keys", org=request.org.slug)


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def limit(request: OrgRequest, key_id: UUID) -> HttpResponse:
    """From which addresses it works."""
    try:
        found = limit_addresses(
            actor=request.actor, org=request.org, key_id=key_id, networks=_ranges(request.POST.get("networks", ""))
        )
    except InvalidInput as error:
        return _one(request, _get(request, key_id), error=error.message, status=400)
    where = f"from {len(found.networks)} address ranges only" if found.networks else "from everywhere"
    messages.success(request, f"{found.name} works {where}.")
    return redirect("org:api_key", org=request.org.slug, key_id=key_id)


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def revoke(request: OrgRequest, key_id: UUID) -> HttpResponse:
    gone = revoke_api_key(actor=request.actor, org=request.org, key_id=key_id)
    messages.success(request, f"{gone.name} is revoked. Every door refuses it within five seconds.")
    return redirect("org:api_keys", org=request.org.slug)


def _get(request: OrgRequest, key_id: UUID) -> ApiKey:
    found = ApiKey.objects.filter(org=request.org, pk=key_id).first()
    if found is None:
        raise NotFound("There is no such API key here.")
    return found


def _keep_new_key(request: OrgRequest, made: ApiKey, key: str) -> None:
    """For the next page only, which may be reloaded without making another; encrypted, since sessions are stored."""
    request.session[NEW_KEY] = {"id": str(made.pk), "sealed": seal(f"{NEW_KEY}:{made.pk}", key).decode()}


def _take_new_key(request: OrgRequest) -> dict[str, Any]:
    kept = request.session.get(NEW_KEY)
    if kept is None:
        return {}
    made = ApiKey.objects.filter(org=request.org, pk=kept["id"]).first()
    if made is None:
        return {}
    del request.session[NEW_KEY]
    return {"made": made, "key": unseal(f"{NEW_KEY}:{made.pk}", kept["sealed"].encode())}


def _ranges(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _bars(days: list[Day]) -> list[dict[str, Any]]:
    """Places and heights of the chart, in per mille of its height."""
    most = max(day.total for day in days) or 1
    return [
        {"x": number, "top": 1000 - round(1000 * day.total / most), "requests": round(1000 * day.requests / most),
         "deliveries": round(1000 * day.deliveries / most), "day": day}
        for number, day in enumerate(days)
    ]  # fmt: skip


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
        "networks": sent.get("networks", ""),
        "tomorrow": timezone.localdate(now, ZoneInfo(request.org.time_zone)) + timedelta(days=1),
        "error": error,
        "snippets": snippets(made["key"], made["made"].scopes) if made else (),
        **made,
    }
    response = render(request, "orgs/api_keys.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def snippets(key: str, scopes: Sequence[str]) -> list[tuple[str, str]]:
    """What a web page needs of a pixel key, ready to be copied: a name and a line of HTML each."""
    if Scope.PIXEL not in scopes:
        return []
    base = settings.BASE_URL.rstrip("/")
    return [
        ("Tag", f'<script async src="{base}/tag.js" data-key="{key}"></script>'),
        ("Pixel", f'<img src="{base}/p.gif?k={key}&amp;e=page_view" width="1" height="1" alt="">'),
    ]


def _row(key: ApiKey, now: datetime) -> dict[str, Any]:
    expired = key.expires_at is not None and key.expires_at <= now
    return {
        "key": key,
        "scopes": [(scope, Scope(scope).words if scope in set(Scope) else scope) for scope in key.scopes],
        "last_used": _last_used(now - key.last_used_at) if key.last_used_at else "never",
        # The key ends with that day, at the midnight after it.
        "last_day": key.expires_at and key.expires_at - timedelta(seconds=1),
        "is_valid": not expired and key.revoked_at is None,
        "is_soon": key.expires_at is not None and key.expires_at - now < SOON,
        "why_not": "Revoked" if key.revoked_at else "Expired" if expired else "",
    }


def _last_used(ago: timedelta) -> str:
    """It is written down every five minutes at most."""
    return "in the last five minutes" if ago < EXACT else format_age(ago.total_seconds())


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
