"""Single sign-on: finding the provider of an address, going there, coming back, and what went wrong."""

from collections.abc import Callable
from typing import Any, cast

import structlog
from allauth.core import ratelimit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from requests import RequestException

from apps.common.errors import InvalidInput
from apps.orgs.requests import ActorRequest
from apps.orgs.sign_in.problems import PROBLEMS
from apps.orgs.sign_in.provider import OrganisationAdapter
from apps.orgs.sign_in.providers import provider_for

log = structlog.get_logger()
FORBIDDEN, UNAVAILABLE = 403, 503


@never_cache
@require_http_methods(["GET", "POST"])
def find(request: ActorRequest) -> HttpResponse:
    """Asks for the address; its domain says where to go. Whether the address is anybody's makes no difference."""
    email, error = request.POST.get("email", ""), ""
    if request.method == "POST":
        if refused := ratelimit.consume_or_429(request, action="single_sign_on"):
            return cast(HttpResponse, refused)
        try:
            found = provider_for(request.actor, email)
        except InvalidInput as refusal:
            error = refusal.message
        else:
            if found is not None:
                return _go(request, found.key)
            error = "No organisation signs in here with addresses like this one. Use your password, or ask your admin."
    context = {"email": email, "error": error, "next": _next(request)}
    return render(request, "socialaccount/find.html", context, status=400 if error else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def begin(request: ActorRequest, provider_id: str) -> HttpResponse:
    """GET asks, POST goes to the provider: by a page, since a form's redirect to elsewhere is against our policy."""
    if refused := ratelimit.consume_or_429(request, action="single_sign_on"):
        return cast(HttpResponse, refused)
    if request.POST.get("process") == "connect" and request.actor.user_id is None:
        return redirect("account_login")
    return _go(request, provider_id)


def _go(request: ActorRequest, provider_id: str) -> HttpResponse:
    answer = _ask(request, provider_id, OAuth2LoginView.adapter_view)
    target = answer.headers.get("Location", "")
    if request.method == "GET" or target.startswith("/"):
        return answer
    return going_to(request, target)


@never_cache
@require_GET
def callback(request: ActorRequest, provider_id: str) -> HttpResponse:
    return _ask(request, provider_id, OAuth2CallbackView.adapter_view)


@require_GET
def problem(request: ActorRequest, reason: str) -> HttpResponse:
    if reason not in PROBLEMS:
        raise Http404
    what, then = PROBLEMS[reason]
    status = UNAVAILABLE if reason == "unreachable" else FORBIDDEN
    return render(request, "socialaccount/problem.html", {"what": what, "then": then, "reason": reason}, status=status)


def going_to(request: ActorRequest, target: str) -> HttpResponse:
    """A page that leads elsewhere at once."""
    return render(request, "socialaccount/going.html", {"target": target, "refresh": f"0; url={target}"})


def _ask(request: ActorRequest, provider_id: str, as_view: Callable[[Any], Any]) -> HttpResponse:
    """allauth's own view; a provider that is down or answers nonsense is told of, not a failure of ours."""
    try:
        return cast(HttpResponse, as_view(OrganisationAdapter(request, provider_id))(request))
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (RequestException, OAuth2Error) as error:
        reason = "unreachable"
        log.warning("sign_in.refused", reason=reason, provider=provider_id, error=type(error).__name__)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = "failed"
        log.warning("sign_in.refused", reason=reason, provider=provider_id, error=type(error).__name__)
    return redirect("sign_in_problem", reason=reason)


def _next(request: ActorRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""
