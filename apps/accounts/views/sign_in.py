"""The one-time sign-in link: GET asks, POST signs in (so that a mail scanner's visit does not use the link up)."""

from typing import cast

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.actions import redeem_sign_in_link, verify_address
from apps.accounts.models import User
from apps.accounts.selectors import find_link_owner
from apps.common.errors import NotFound


@never_cache
@require_http_methods(["GET", "POST"])
def one_time(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "GET":
        return _ask(request, find_link_owner(token))
    try:
        user = redeem_sign_in_link(token=token)
    except NotFound:
        return _ask(request, None)
    # allauth's own way in, with its second step: a password may have been chosen since the link was made.
    target = reverse("home" if user.has_usable_password() else "account_set_password")
    return cast(HttpResponse, perform_login(request, user, email_verification="none", redirect_url=target))


def sign_in_invited(request: HttpRequest, user: User) -> HttpResponse:
    """A new person whose address an invitation proved; next they choose a password."""
    verify_address(user)
    target = reverse("account_set_password")
    return cast(HttpResponse, perform_login(request, user, email_verification="none", redirect_url=target))


def _ask(request: HttpRequest, user: User | None) -> HttpResponse:
    masked = f"{user.email[0]}…@{user.email.split('@')[1]}" if user else ""
    return render(request, "accounts/sign_in_link.html", {"masked_email": masked}, status=200 if user else 410)
