"""`/staff/`: where the platform's staff sign in. The rest of the way is social-auth-app-django's."""

from typing import cast

import structlog
from allauth.core import ratelimit
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from social_core.exceptions import SocialAuthBaseException
from social_django import views as social

from apps.orgs.requests import ActorRequest
from apps.orgs.sign_in.staff import DIRECTORIES, configured
from apps.orgs.sign_in.views import going_to

log = structlog.get_logger()


@require_GET
def index(request: ActorRequest) -> HttpResponse:
    return render(request, "socialaccount/staff.html", {"directories": configured(), "next": request.GET.get("next")})


@never_cache
@require_POST
def begin(request: ActorRequest, backend: str) -> HttpResponse:
    _check(backend)
    if refused := ratelimit.consume_or_429(request, action="single_sign_on"):
        return cast(HttpResponse, refused)
    answer: HttpResponse = social.auth(request, backend)
    target = answer.headers.get("Location", "")
    return going_to(request, target) if target.startswith("http") else answer


@never_cache
@require_GET
def complete(request: ActorRequest, backend: str) -> HttpResponse:
    _check(backend)
    try:
        answer: HttpResponse = social.complete(request, backend)
    except SocialAuthBaseException:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("sign_in.refused", reason="failed", provider=backend, error=type(error).__name__)
        return redirect("sign_in_problem", reason="failed")
    return answer


def _check(backend: str) -> None:
    if DIRECTORIES.get(backend) not in configured():
        raise Http404
