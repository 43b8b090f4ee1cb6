"""Who asks the API: the holder of a key, or a person who is signed in. Each gets the actor, transaction and schema that
pages get (see `apps.orgs.middleware`); keys are looked up on every request, so that revoking one works at once."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import DEFAULT_DB_ALIAS, connections
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apps.accounts.public import network_of
from apps.common.addresses import client_address, is_within
from apps.common.errors import AppError, InvalidInput
from apps.orgs.access import check_second_step, get_organisation
from apps.orgs.actor import SERVICE, Actor, declare
from apps.orgs.api_keys import FORM, FORM_IN_WORDS, digest_of, find_key
from apps.orgs.key_uses import count_request
from apps.orgs.models import Organisation
from apps.orgs.permissions import GRANTED, Scope

ORGANISATION_HEADER = "X-Organisation"


@dataclass(frozen=True)
class Caller:
    """Whoever asks, for one organisation. A person has the scopes that their roles' permissions add up to."""

    org: Organisation
    actor: Actor
    scopes: frozenset[str]
    key_id: UUID | None = None
    name: str = ""
    expires_at: datetime | None = None


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` or `X-API-Key: …`."""

    def authenticate(self, request: Any) -> tuple[Any, Caller] | None:
        key = _key_of(request)
        if key is None:
            return None
        if not FORM.fullmatch(key):
            raise AuthenticationFailed(FORM_IN_WORDS)
        declare(SERVICE)
        found = find_key(digest_of(key))
        if found is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired.")
        if found.networks and not is_within(_address_of(request), found.networks):
            raise AddressNotAllowed("This API key works from other addresses only.")
        count_request(found.pk)
        actor = Actor(
            f"key {found.prefix}", origin=network_of(request), key_of=found.org_id, granted=_granted(found.scopes)
        )
        caller = Caller(found.org, actor, frozenset(found.scopes), found.pk, found.name, found.expires_at)
        _enter(request, caller)
        return AnonymousUser(), caller

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class AddressNotAllowed(AppError):
    """The key is good; the place is not."""

    code = "address_not_allowed"
    http_status = HTTPStatus.FORBIDDEN


class PersonAuthentication(SessionAuthentication):
    """The session of the pages, for one's own organisation; writes need the CSRF token."""

    def authenticate(self, request: Any) -> tuple[Any, Caller] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        actor: Actor = request.actor
        org = get_organisation(actor, _slug_of(request))
        if org is None:
            return None
        check_second_step(actor, org)
        held = frozenset(scope for scope in Scope if actor.may(GRANTED[scope], org.pk))
        caller = Caller(org, actor, held, name=actor.name)
        _enter(request, caller)
        return found[0], caller


def _address_of(request: Any) -> Any:
    return client_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def _key_of(request: Any) -> str | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return str(value).strip()
    own = request.headers.get("X-API-Key")
    return None if own is None else str(own).strip()


def _granted(scopes: list[str]) -> frozenset[Any]:
    return frozenset(GRANTED[Scope(scope)] for scope in scopes if scope in set(Scope))


def _slug_of(request: Any) -> str:
    """The organisation that the header names, or the only one there is."""
    named = request.headers.get(ORGANISATION_HEADER)
    if named:
        return str(named)
    slugs = [org.slug for org in request.organisations]
    if len(slugs) != 1:
        raise InvalidInput(
            f"Say for which organisation you ask, in the header {ORGANISATION_HEADER}: its short name as in /o/…/.",
            code="organisation_missing",
        )
    return str(slugs[0])


def _enter(request: Any, caller: Caller) -> None:
    """What `ActorMiddleware` does for pages, in the same transaction."""
    plain = request._request
    plain.actor, plain.org = caller.actor, caller.org
    declare(caller.actor)
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.set_tenant(caller.org)
