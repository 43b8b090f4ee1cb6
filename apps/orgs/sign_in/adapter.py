"""How django-allauth's social accounts work here: who is refused is told why on a page of its own."""

from typing import Any

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from requests import RequestException

from apps.accounts.public import AccountAdapter, User
from apps.orgs.actor import ANONYMOUS
from apps.orgs.sign_in.arrivals import Refused, admit
from apps.orgs.sign_in.outgoing import Session
from apps.orgs.sign_in.providers import as_app, provider_for, usable_provider
from apps.orgs.sign_in.roles import is_staff
from apps.orgs.sign_in_trail import note_of

log = structlog.get_logger()


class SignInAdapter(AccountAdapter):
    """Sign-in by password or link, where an organisation does not want its people to come by its provider only."""

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        is_social = "sociallogin" in (kwargs.get("signal_kwargs") or {})
        found = None if is_social else provider_for(getattr(request, "actor", ANONYMOUS), user.email)
        if found is not None and found.is_only and not is_staff(user):
            return redirect("sign_in_problem", reason="only-provider")
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer


class SocialAdapter(DefaultSocialAccountAdapter):
    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The platform's providers, and an organisation's own where the address names it."""
        apps: list[SocialApp] = super().list_apps(request, provider=provider, client_id=client_id)
        if provider is not None and provider.startswith("org-"):
            found = usable_provider(getattr(request, "actor", ANONYMOUS), provider)
            apps = [as_app(found)] if found else []
        return apps

    def get_requests_session(self) -> Session:
        return Session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        try:
            admit(request, sociallogin, getattr(request, "actor", ANONYMOUS))
        except Refused as refusal:
            if sociallogin.is_existing:
                note_of(request, sociallogin.user, "sign_in.refused")
            _refuse(refusal.reason, sociallogin.account.provider)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        key = provider.sub_id
        if error == AuthError.CANCELLED or request.GET.get("error") == "access_denied":
            _refuse("cancelled", key)
        if isinstance(exception, RequestException):
            _refuse("unreachable", key, exception)
        _refuse("failed" if exception or request.GET.get("error") else "expired", key, exception)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever may come in has an account by the time allauth asks; see `arrivals`."""
        return False

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("socialaccount_connections")


def _refuse(reason: str, provider: str, exception: Exception | None = None) -> None:
    """By a redirect: what changed on the way (a role that was taken away) stays changed."""
    log.warning("sign_in.refused", reason=reason, provider=provider, error=type(exception).__name__)
    raise ImmediateHttpResponse(redirect("sign_in_problem", reason=reason))
