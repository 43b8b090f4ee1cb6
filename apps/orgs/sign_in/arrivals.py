"""Whether somebody who comes from a provider gets in, as whom, and with which roles. Nothing here trusts an address
that the provider did not verify, and nobody's account is taken over because a provider says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.http import HttpRequest

from apps.accounts.public import User, check_email, find_by_email, get_or_create_user, verify_address
from apps.common.errors import InvalidInput
from apps.orgs.actor import Actor, as_platform
from apps.orgs.models import IdentityProvider, Organisation, Status
from apps.orgs.permissions import PLATFORM_ROLES, Role
from apps.orgs.sign_in.providers import usable_provider
from apps.orgs.sign_in.roles import Deactivated, GroupsUnknown, follow_provider, groups_in, is_staff, roles_of
from apps.orgs.sign_in.tokens import BadToken, check_nonce


class Refused(Exception):
    """Why somebody does not get in, by the name that the page about it has."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Source:
    """What a provider may say here: for which organisation, if any, and which roles it rules over there."""

    org: Organisation | None = None
    domains: frozenset[str] | None = None
    roles: frozenset[Role] = frozenset()
    ruled: frozenset[Role] = frozenset()


def admit(request: HttpRequest, login: SocialLogin, actor: Actor) -> None:
    """Complete allauth's `login` with the person, or refuse."""
    claims: dict[str, Any] = login.claims
    try:
        check_nonce(claims, login.state.get("nonce"))
    except BadToken as error:
        raise Refused("failed") from error
    source = _source(actor, login.account.provider, claims)
    if login.state.get("process") == "connect":
        _check_connection(request, login, _address(claims, source))
        return
    with as_platform(actor):
        user = login.user if login.is_existing else _find(login, claims, source)
        _check_person(user)
        user = _follow(source, user, claims, login.account.provider)
        if not login.is_existing:
            login.user = user
            login.save(request, connect=True)
            verify_address(user)


def _find(login: SocialLogin, claims: Mapping[str, Any], source: Source) -> User | None:
    """Whoever has the verified address. An account that somebody uses already is connected by its owner only."""
    user = find_by_email(_address(claims, source))
    if user is not None and (user.has_usable_password() or SocialAccount.objects.filter(user=user).exists()):
        raise Refused("known")
    return user


def _address(claims: Mapping[str, Any], source: Source) -> str:
    """The address, if the provider vouches for it: an organisation's own for its confirmed domains, others for what
    they say they verified."""
    try:
        email = check_email(str(claims.get("email", "")))
    except InvalidInput as error:
        raise Refused("no-address") from error
    verified = claims.get("email_verified")
    if source.domains is not None:
        if email.partition("@")[2] not in source.domains:
            raise Refused("other-domain")
        if verified in {False, "false"}:
            raise Refused("unverified")
    elif verified not in {True, "true"}:
        raise Refused("unverified")
    return email


def _check_person(user: User | None) -> None:
    if user is None:
        return
    if not user.is_active:
        raise Refused("inactive")
    if is_staff(user):
        raise Refused("staff")


def _follow(source: Source, user: User | None, claims: Mapping[str, Any], provider: str) -> User:
    """Give and take roles; whoever has none left in the provider's organisation does not get in by it."""
    if source.org is None:
        if user is None:
            raise Refused("uninvited")
        return user
    if user is None and not source.roles:
        raise Refused("no-role")
    if user is None:
        user = get_or_create_user(email=_address(claims, source))
        user.name = str(claims.get("name") or "").replace("\x00", "")[:200]
        user.save(update_fields=["name"])
    roles, ruled = set(source.roles), set(source.ruled)
    try:
        left = follow_provider(org=source.org, user=user, roles=roles, ruled=ruled, by=f"provider {provider}"[:120])
    except Deactivated as error:
        raise Refused("inactive") from error
    if not left:
        raise Refused("no-role")
    return user


def _check_connection(request: HttpRequest, login: SocialLogin, email: str) -> None:
    """The person's own account there: the address must be the one that they have here."""
    if not request.user.is_authenticated:
        raise Refused("expired")
    if email != request.user.email:
        raise Refused("other-address")
    if login.is_existing and login.user != request.user:
        raise Refused("known")


def _source(actor: Actor, key: str, claims: Mapping[str, Any]) -> Source:
    if key.startswith("org-"):
        found = usable_provider(actor, key)
        if found is None:
            raise Refused("off")
        return _of_organisation(found, claims)
    return _of_platform(actor, settings.SIGN_IN_CLAIMS.get(key), claims)


def _of_organisation(found: IdentityProvider, claims: Mapping[str, Any]) -> Source:
    roles = roles_of(_groups(claims, found.groups_claim), found.role_groups)
    if not roles and found.everyone:
        roles = {Role(found.everyone)}
    ruled = {Role(one) for one in [*found.role_groups, *filter(None, [found.everyone])]}
    return Source(
        found.org, frozenset(found.domains), frozenset(roles - PLATFORM_ROLES), frozenset(ruled - PLATFORM_ROLES)
    )


def _of_platform(actor: Actor, table: Mapping[str, Any] | None, claims: Mapping[str, Any]) -> Source:
    """Google only says who somebody is. Auth0 may say for which organisation, and as what, if the settings have it."""
    named = claims.get(table["org"]) if table else None
    if table is None or not named:
        return Source()
    with as_platform(actor):
        org = Organisation.objects.filter(slug=str(named), status=Status.ACTIVE).first()
    if org is None:
        raise Refused("no-role")
    roles = roles_of(_groups(claims, table["roles"]), table["table"])
    ruled = {Role(role) for role in table["table"]}
    return Source(org, None, frozenset(roles - PLATFORM_ROLES), frozenset(ruled - PLATFORM_ROLES))


def _groups(claims: Mapping[str, Any], claim: str) -> set[str]:
    try:
        return groups_in(claims, claim)
    except GroupsUnknown as error:
        raise Refused("too-many-groups") from error
