"""Staff sign in by the platform's own directory: Entra ID of one tenant, or Okta, through social-auth-app-django.

Its pipeline ends here: app roles or groups of the token become the platform's roles by the table `STAFF_ROLES` of the
settings, and whoever has lost them there has lost them here.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import structlog
from allauth.account.utils import perform_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import (
    AuthCanceled,
    AuthProviderError,
    AuthResponseError,
    AuthSessionError,
    SocialAuthBaseException,
)
from social_django.middleware import SocialAuthExceptionMiddleware
from social_django.models import UserSocialAuth

from apps.accounts.public import User, check_email, find_by_email, get_or_create_user, verify_address
from apps.common.errors import InvalidInput
from apps.orgs.actor import ANONYMOUS, as_platform
from apps.orgs.models import Kind, Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, Role
from apps.orgs.sign_in.arrivals import Refused
from apps.orgs.sign_in.roles import Deactivated, GroupsUnknown, follow_provider, groups_in, roles_of

log = structlog.get_logger()


class Directory(OpenIdConnectAuth[HttpResponse]):
    """OpenID Connect with discovery, nonce, PKCE and a checked signature."""

    DEFAULT_USE_PKCE = True
    EXTRA_DATA = [("sub", "id")]
    GROUPS_CLAIM = "groups"

    def extra_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """No tokens: nothing asks the directory again."""
        return {}


class Entra(Directory):
    """Microsoft Entra ID. App roles stand in `roles`; an address in `email`, or else the sign-in name is one."""

    name = "entra"
    title = "Microsoft"
    GROUPS_CLAIM = "roles"

    def validate_claims(self, id_token: dict[str, Any]) -> None:
        super().validate_claims(id_token)
        wanted = settings.ENTRA_TENANT
        if _is_uuid(wanted) and id_token.get("tid") != wanted:
            raise AuthResponseError(self, claim="tid", code="invalid_claim", stage="token_validation")


class Okta(Directory):
    name = "okta"
    title = "Okta"


DIRECTORIES: Mapping[str, type[Directory]] = {one.name: one for one in (Entra, Okta)}


def configured() -> list[type[Directory]]:
    """The directories that this installation has."""
    return [one for name, one in DIRECTORIES.items() if getattr(settings, f"SOCIAL_AUTH_{name.upper()}_KEY", "")]


class DirectoryProblemMiddleware(SocialAuthExceptionMiddleware):
    """What went wrong at the directory, in our words."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, SocialAuthBaseException) or not hasattr(request, "social_strategy"):
            return None
        reason = "cancelled" if request.GET.get("error") == "access_denied" else _reason(exception)
        log.warning("sign_in.refused", reason=reason, provider="staff", error=type(exception).__name__)
        return redirect("sign_in_problem", reason=reason)


def _reason(exception: SocialAuthBaseException) -> str:
    if isinstance(exception, AuthCanceled):
        return "cancelled"
    if isinstance(exception, AuthProviderError):
        return "unreachable"
    return "expired" if isinstance(exception, AuthSessionError) else "failed"


def admit(
    backend: Directory, response: Mapping[str, Any], user: User | None = None, social: Any = None, **_: Any
) -> dict[str, Any] | HttpResponse:
    """Pipeline: the person, with the roles that the directory gives; or the page that says why not."""
    request = _request(backend)
    claims = {**response, **(backend.id_token or {})}
    try:
        with as_platform(getattr(request, "actor", ANONYMOUS)):
            return {"user": _admitted(backend, claims, user, is_linked=social is not None)}
    except Refused as refusal:
        log.warning("sign_in.refused", reason=refusal.reason, provider=backend.name)
        return redirect("sign_in_problem", reason=refusal.reason)


def enter(backend: Directory, user: User, **_: Any) -> HttpResponse:
    """Pipeline, at its end: allauth's own way in, with its second step, its signals and a new session."""
    request = _request(backend)
    wanted = backend.strategy.session_pop("next")
    answer: HttpResponse = perform_login(
        request, user, email_verification="none", redirect_url=wanted or reverse("home"), signal_kwargs={}
    )
    return answer


def _request(backend: Directory) -> HttpRequest:
    return cast(HttpRequest, cast(Any, backend.strategy).request)


def _admitted(backend: Directory, claims: Mapping[str, Any], user: User | None, *, is_linked: bool) -> User:
    try:
        roles = roles_of(groups_in(claims, backend.GROUPS_CLAIM), settings.STAFF_ROLES) & PLATFORM_ROLES
    except GroupsUnknown as error:
        raise Refused("too-many-groups") from error
    if not is_linked:
        user = _person(claims, user, may_be_new=bool(roles))
    if user is None:
        raise Refused("no-role")
    if not user.is_active:
        raise Refused("inactive")
    try:
        _follow(user, roles, backend.name)
    except Deactivated as error:
        raise Refused("inactive") from error
    if not roles:
        raise Refused("no-role")
    verify_address(user)
    return user


def _person(claims: Mapping[str, Any], signed_in: User | None, *, may_be_new: bool) -> User | None:
    """Whoever has the address; an account that is in use is connected by its owner only, who is signed in."""
    email = _address(claims)
    if signed_in is not None:
        if signed_in.email != email:
            raise Refused("other-address")
        return signed_in
    found = find_by_email(email)
    if found is not None and (found.has_usable_password() or UserSocialAuth.objects.filter(user=found).exists()):
        raise Refused("known")
    return found or (get_or_create_user(email=email) if may_be_new else None)


def _address(claims: Mapping[str, Any]) -> str:
    """Entra verifies no address, but its tenant is ours, and says for which domains it speaks."""
    try:
        email = check_email(str(claims.get("email") or claims.get("preferred_username") or ""))
    except InvalidInput as error:
        raise Refused("no-address") from error
    if claims.get("email_verified") in {False, "false"}:
        raise Refused("unverified")
    if settings.STAFF_DOMAINS and email.partition("@")[2] not in settings.STAFF_DOMAINS:
        raise Refused("other-domain")
    return email


def _follow(user: User, roles: set[Role], directory: str) -> None:
    """In the platform's own organisation as the directory says; elsewhere what it no longer gives is taken away."""
    home = Organisation.objects.filter(kind=Kind.PLATFORM).order_by("created_at").first()
    if home is None:
        raise Refused("no-role")
    by = f"directory {directory}"
    follow_provider(org=home, user=user, roles=roles, ruled=set(PLATFORM_ROLES), by=by)
    gone = PLATFORM_ROLES - roles
    elsewhere = Organisation.objects.filter(memberships__user=user, memberships__role__in=gone).exclude(pk=home.pk)
    for org in elsewhere.distinct():
        held = Membership.objects.filter(org=org, user=user, role__in=PLATFORM_ROLES & roles)
        kept = {Role(role) for role in held.values_list("role", flat=True)}
        follow_provider(org=org, user=user, roles=kept, ruled=set(PLATFORM_ROLES), by=by)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
