"""Identity providers of organisations: who may set one up, what is refused, and which one is whose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from requests import RequestException

from apps.accounts.public import check_email
from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.common.sealing import seal, unseal
from apps.orgs.actor import Actor, as_platform
from apps.orgs.audit import record
from apps.orgs.models import IdentityProvider, Organisation, Status
from apps.orgs.people import roles_to_give
from apps.orgs.permissions import Role
from apps.orgs.sign_in.outgoing import check_scheme
from apps.orgs.sign_in.provider import discover

MOST_DOMAINS, MOST_GROUPS, LONGEST_GROUP = 20, 200, 200
# What an audit entry tells of a change; the secret is told as changed only.
TOLD = ("name", "issuer", "client_id", "domains", "groups_claim", "role_groups", "everyone", "is_on", "is_only")


@dataclass(frozen=True)
class Wish:
    """What the form asks for. An empty secret leaves the one that is stored."""

    name: str
    issuer: str
    client_id: str
    secret: str = ""
    domains: Collection[str] = ()
    groups_claim: str = "groups"
    role_groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    everyone: str = ""
    is_on: bool = True
    is_only: bool = False


def find_provider(org: Organisation) -> IdentityProvider | None:
    return IdentityProvider.objects.filter(org=org).first()


def save_provider(*, actor: Actor, org: Organisation, wish: Wish) -> IdentityProvider:
    """Set up the organisation's provider, or change it. Changed domains have to be confirmed again, and accounts that
    were connected at another issuer or client are connected no longer: the same name there may be another person."""
    checked = _checked(actor, org, wish)
    with transaction.atomic():
        before = IdentityProvider.objects.select_for_update().filter(org=org).first()
        if before is None and not wish.secret:
            raise InvalidInput("Enter the client secret that the provider gave you.")
        found = before or IdentityProvider(org_id=org.pk)
        old = {name: getattr(found, name) for name in TOLD} if before else {}
        for name, value in checked.items():
            setattr(found, name, value)
        if wish.secret:
            found.client_secret = seal(_purpose(org.pk), wish.secret)
        if old and old["domains"] != found.domains:
            found.confirmed_at = None
        found.save()
        if old and (old["issuer"], old["client_id"]) != (found.issuer, found.client_id):
            SocialAccount.objects.filter(provider=found.key).delete()
        new = {name: getattr(found, name) for name in TOLD}
        changed = [name for name in TOLD if old.get(name) != new[name]]
        record(
            org=org, actor=actor, action="sign_in.provider_changed" if old else "sign_in.provider_added",
            target=f"identity_provider/{found.pk}", before={name: old.get(name) for name in changed},
            after={name: new[name] for name in changed}, secret_changed=bool(wish.secret),
        )  # fmt: skip
    return found


def confirm_domains(*, actor: Actor, org: Organisation) -> IdentityProvider:
    """Platform staff found that the domains are the organisation's. One domain is one organisation's."""
    if not actor.is_super_admin:
        raise Forbidden("Domains are confirmed by the platform's staff.")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sign_in_domains'))")
        found = IdentityProvider.objects.select_for_update().filter(org=org).first()
        if found is None:
            raise NotFound("This organisation has no provider of its own.")
        others = IdentityProvider.objects.exclude(pk=found.pk).filter(
            confirmed_at__isnull=False, domains__overlap=found.domains
        )
        if other := others.select_related("org").first():
            shared = ", ".join(sorted(set(other.domains) & set(found.domains)))
            raise Conflict(f"{shared} is confirmed as {other.org.name}'s already.")
        found.confirmed_at = timezone.now()
        found.save(update_fields=["confirmed_at", "changed_at"])
        record(org=org, actor=actor, action="sign_in.domains_confirmed", domains=found.domains)
    return found


def remove_provider(*, actor: Actor, org: Organisation) -> None:
    """People keep their roles; whoever has no password asks for one by "Forgot your password?"."""
    with transaction.atomic():
        found = IdentityProvider.objects.select_for_update().filter(org=org).first()
        if found is None:
            raise NotFound("This organisation has no provider of its own.")
        SocialAccount.objects.filter(provider=found.key).delete()
        record(org=org, actor=actor, action="sign_in.provider_removed", issuer=found.issuer)
        found.delete()


def try_provider(found: IdentityProvider) -> str:
    """Ask the provider for its discovery document; what is wrong with it, or nothing."""
    cache.delete(f"oidc:{found.issuer}")
    try:
        discover(found.issuer)
    except (OAuth2Error, RequestException, ValueError) as error:
        return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    """Never what a server answered: the address may be a way into somebody's network."""
    if isinstance(error, OAuth2Error):
        return str(error)
    return "It did not answer with a discovery document: is the address right, public, and reached by https?"


def provider_for(actor: Actor, email: str) -> IdentityProvider | None:
    """Whose people have addresses like this one; only what is confirmed, on, and of an active organisation."""
    domain = check_email(email).partition("@")[2]
    with as_platform(actor):
        found: IdentityProvider | None = _usable().filter(domains__contains=[domain]).first()
    return found


def usable_provider(actor: Actor, key: str) -> IdentityProvider | None:
    """By the name that addresses give it."""
    try:
        found_id = UUID(key.removeprefix("org-"))
    except ValueError:
        return None
    with as_platform(actor):
        found: IdentityProvider | None = _usable().filter(pk=found_id).first()
    return found


def as_app(found: IdentityProvider) -> SocialApp:
    """As django-allauth knows it; never stored."""
    return SocialApp(
        provider="openid_connect",
        provider_id=found.key,
        name=found.name,
        client_id=found.client_id,
        secret=unseal(_purpose(found.org_id), bytes(found.client_secret)),
        settings={"server_url": found.issuer},
    )


def _usable() -> Any:
    return IdentityProvider.objects.select_related("org").filter(
        is_on=True, confirmed_at__isnull=False, org__status=Status.ACTIVE
    )


def _checked(actor: Actor, org: Organisation, wish: Wish) -> dict[str, Any]:
    role_groups = {role: _groups(role, groups) for role, groups in wish.role_groups.items() if groups}
    given = {*role_groups, *filter(None, [wish.everyone])}
    allowed = {role.value for role in roles_to_give(actor, org)}
    if beyond := sorted(given - allowed):
        raise Forbidden(f"A directory cannot give {', '.join(beyond)[:80]}: you may not give that yourself.")
    if not given:
        raise InvalidInput("Name a group for at least one role, or a role for everybody: else nobody gets in.")
    return {
        "name": _line(wish.name, "The name", 40),
        "issuer": _issuer(wish.issuer),
        "client_id": _line(wish.client_id, "The client ID", 191),
        "domains": _domains(wish.domains),
        "groups_claim": _line(wish.groups_claim, "The claim", 120),
        "role_groups": role_groups,
        "everyone": Role(wish.everyone).value if wish.everyone else "",
        "is_on": wish.is_on,
        "is_only": wish.is_only,
    }


def _line(text: str, what: str, longest: int) -> str:
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise InvalidInput(f"{what} is one line of 1 to {longest} characters.")
    return text


def _issuer(text: str) -> str:
    issuer = _line(text, "The issuer's address", 300).removesuffix("/.well-known/openid-configuration")
    try:
        check_scheme(issuer)
    except (RequestException, ValueError) as error:
        raise InvalidInput("The issuer's address begins with https://, such as https://login.example.com.") from error
    if any(sign in issuer for sign in "?#@ "):
        raise InvalidInput("The issuer's address has neither ?, # nor @; it is what discovery begins with.")
    return issuer


def _domains(named: Collection[str]) -> list[str]:
    domains = sorted({one.strip().lower().removeprefix("@") for one in named if one.strip()})
    if not domains:
        raise InvalidInput("Name the domain of your people's addresses, such as example.com.")
    if len(domains) > MOST_DOMAINS:
        raise InvalidInput(f"At most {MOST_DOMAINS} domains; {len(domains)} were named.")
    for domain in domains:
        try:
            check_email(f"name@{domain}")
        except InvalidInput as error:
            raise InvalidInput(f"{domain[:80]!r} is not a domain; one looks like example.com.") from error
    return domains


def _groups(role: str, named: Collection[str]) -> list[str]:
    groups = sorted({one.strip() for one in named if one.strip()})
    if len(groups) > MOST_GROUPS or any(len(one) > LONGEST_GROUP or not one.isprintable() for one in groups):
        raise InvalidInput(f"At most {MOST_GROUPS} groups for a role, each one line of {LONGEST_GROUP} characters.")
    return groups


def _purpose(org_id: UUID) -> str:
    return f"identity-provider:{org_id}"
