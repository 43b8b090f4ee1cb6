"""What the audit trail says of reading: personal data, and an organisation that one does not belong to.

A page is noted each time. Fragments, which htmx asks for every few seconds, are noted once in ten minutes: not never,
since anybody can say that they are htmx.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from redis.exceptions import RedisError

from apps.orgs.audit import record
from apps.orgs.requests import OrgRequest

QUIET_SECONDS = 600
LONGEST_TARGET = 160
View = Callable[..., HttpResponse]


def note_crossing(request: OrgRequest, response: HttpResponse) -> None:
    """A person of the platform's staff looked into, or changed something of, an organisation that is not theirs."""
    org, actor = getattr(request, "org", None), request.actor
    if org is None or actor.user_id is None or org.pk in actor.org_ids or not _is_shown(response):
        return
    what = request.resolver_match.view_name if request.resolver_match else request.path
    if _is_new(request, f"{org.pk}:{what}"):
        action = "organisation.read" if request.method in {"GET", "HEAD"} else "organisation.worked_in"
        record(org=org, actor=actor, action=action, target=what[:LONGEST_TARGET])


def reads_personal_data(what: str) -> Callable[[View], View]:
    """For a view of an organisation, below `requires`: what it shows is about people, and is noted."""

    def decorate(view: View) -> View:
        @wraps(view)
        def noting(request: OrgRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            if _is_shown(response) and _is_new(request, f"{request.org.pk}:{what}"):
                target = "/".join([what, *map(str, kwargs.values())])[:LONGEST_TARGET]
                record(org=request.org, actor=request.actor, action="personal_data.read", target=target)
            return response

        return noting

    return decorate


def _is_shown(response: HttpResponse) -> bool:
    return response.status_code < HTTPStatus.BAD_REQUEST


def _is_new(request: OrgRequest, what: str) -> bool:
    if not request.htmx:
        return True
    try:
        return bool(cache.add(f"read:{request.actor.user_id}:{what}", 1, QUIET_SECONDS))
    except (RedisError, OSError):
        return True
