"""What the frame around every page shows: the organisation, the way to others, navigation by role."""

from collections.abc import Set
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.common.period import zone_words
from apps.orgs.public import (
    MOST_LISTED,
    Actor,
    ActorRequest,
    Organisation,
    Permission,
    admin_mode_is_on,
    may_switch,
    reaches_people,
)

THEMES = frozenset({"light", "dark"})
OVERVIEW = (Permission.VIEW_OVERVIEW, "Overview", "org:overview", "chart-bar")
EXPLORE = (Permission.VIEW_OVERVIEW, "Explore", "org:explore", "search")
REACH = (Permission.VIEW_OVERVIEW, "Reach", "org:reach", "users")
GEOGRAPHY = (Permission.VIEW_OVERVIEW, "Geography", "org:geography", "map-2")
REPORTED = (Permission.VIEW_OVERVIEW, "Reported", "org:reported", "scale")
SOURCES = (Permission.IMPORT_EVENTS, "Sources", "org:sources", "file-import")
ABOUT = (Permission.EDIT_IN_PLACE, "Organisation", "org:about", "building")
PEOPLE = (Permission.MANAGE_PEOPLE, "People", "org:people", "user")
API_KEYS = (Permission.MANAGE_API_KEYS, "API keys", "org:api_keys", "link")
SIGN_IN = (Permission.MANAGE_SIGN_IN, "Sign-in", "org:sign_in", "shield-lock")
AUDIT = (Permission.VIEW_AUDIT, "Audit trail", "org:audit", "file-text")
EARNINGS = (Permission.VIEW_EARNINGS, "Earnings", "org:earnings", "coins")

# Pages that belong to one of the navigation.
PARTS = {
    "org:reach": ("org:universe",),
    "org:overview": ("org:campaign", "org:explain"),
    "org:people": ("org:person",),
    "org:api_keys": ("org:api_key", "org:create_api_key", "org:rotate_api_key", "org:limit_api_key"),
    "org:sign_in": ("org:save_sign_in", "org:try_sign_in"),
    "org:audit": ("org:audit_entry",),
    "org:sources": (
        "org:source", "org:live_events", "org:event", "org:received_line", "org:try_event", "org:quarantine",
    ),
}  # fmt: skip
PLATFORM = (
    ("Organisations", "console:organisations", "building"),
    ("Users", "console:users", "users"),
    ("Roles", "console:roles", "table"),
    ("Flow of events", "console:flow", "chart-bar"),
    ("Audit trail", "console:audit", "shield-lock"),
    ("System", "console:system", "server"),
)

# Of these, what campaign managers see too, within what they manage.
STAFF = PLATFORM[1:2]
CAUGHT_MAIL = ("Mail", "console:mail", "mail")

# Pages without an item of their own, and the one they are reached from.
REACHED_FROM = {
    "org:files": "org:sources",
    "org:file": "org:sources",
    "console:new_organisation": "console:organisations",
    "console:organisation": "console:organisations",
    "console:edit_organisation": "console:organisations",
    "console:user": "console:users",
    "console:mail_message": "console:mail",
}

# Pages that show what really arrived, also while figures are generated.
REAL = frozenset({"org:files", "org:file", "org:watched_source", "org:watched_new", "org:watched_edit"})


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell` for `base.html`."""
    theme = request.COOKIES.get("theme", "")
    user = getattr(request, "user", None)
    org = getattr(request, "org", None)
    signed_in = user is not None and user.is_authenticated
    return {
        "shell": {
            "theme": theme if theme in THEMES else "",
            "user": {"email": user.email, "initials": user.initials} if user and signed_in else None,
            "org": _card(org) if org else None,
            "orgs": [_card(one) for one in getattr(request, "organisations", [])[:MOST_LISTED]],
            "more_orgs": len(getattr(request, "organisations", [])) > MOST_LISTED,
            # Asked for by the pages that show it, not by those that tell of a failing database.
            "admin_mode": signed_in and admin_mode_is_on(cast(ActorRequest, request)),
            "may_admin": bool(org and signed_in and may_switch(cast(ActorRequest, request).actor, org)),
            "generated": partial(_generated, request, org) if org and signed_in else None,
            "nav": _navigation(request, org) if signed_in else [],
        }
    }


def _generated(request: HttpRequest, org: Organisation) -> dict[str, bool] | None:
    """What the banner over generated data needs; nothing while the pages show real data."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or not org.shows_generated:
        return None
    here = request.resolver_match.view_name if request.resolver_match else ""
    return {"may_switch": actor.may(Permission.CHOOSE_DATA, org.pk), "is_real_here": here in REAL}


def _card(org: Organisation) -> dict[str, str]:
    return {
        "name": org.name,
        "slug": org.slug,
        "kind_label": org.get_kind_display(),
        "currency": org.currency,
        "timezone": zone_words(org.time_zone),
        "logo": org.logo_digest,
        "accent": org.accent.removeprefix("#"),
    }


def _navigation(request: HttpRequest, org: Organisation | None) -> list[dict[str, Any]]:
    groups = []
    actor = getattr(request, "actor", None)
    if org is not None and actor is not None:
        groups.append({"label": "", "items": _org_items(request, actor, org)})
    if actor is not None and (pages := _platform_pages(actor)):
        groups.append({"label": "Platform", "items": [_platform_item(request, *one) for one in pages]})
    return groups


def _platform_pages(actor: Actor) -> tuple[tuple[str, str, str], ...]:
    if actor.is_super_admin:
        return (*PLATFORM, *([CAUGHT_MAIL] if settings.MAIL_CATCHER else []))
    return STAFF if reaches_people(actor) else ()


def _org_items(request: HttpRequest, actor: Actor, org: Organisation) -> list[dict[str, Any]]:
    """The page that the organisation's kind begins with stands at its home, too."""
    items = []
    permission, label, page, icon = EARNINGS if org.sells_data else OVERVIEW
    if actor.may(permission, org.pk):
        items.append(
            _item(request, label, reverse("org:home", args=[org.slug]), icon, {"org:home", page, *PARTS.get(page, ())})
        )
    of_buyers = () if org.sells_data else (EXPLORE, REACH, GEOGRAPHY, REPORTED)
    for permission, label, page, icon in (*of_buyers, SOURCES, ABOUT, PEOPLE, SIGN_IN, API_KEYS, AUDIT):
        if actor.may(permission, org.pk):
            items.append(_item(request, label, reverse(page, args=[org.slug]), icon, {page, *PARTS.get(page, ())}))
    return items


def _platform_item(request: HttpRequest, label: str, page: str, icon: str) -> dict[str, Any]:
    return _item(request, label, reverse(page), icon, {page})


def _item(request: HttpRequest, label: str, url: str, icon: str, pages: Set[str]) -> dict[str, Any]:
    match = request.resolver_match
    name = match.view_name if match else ""
    return {"label": label, "url": url, "icon": icon, "current": REACHED_FROM.get(name, name) in pages}
