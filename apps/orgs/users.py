"""People over all organisations, as the platform's staff see them: found, closed, opened again.

What a person may do in one organisation is that organisation's business: see `people`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.public import User, end_sessions, set_account_active, with_second_step
from apps.common.errors import Conflict, Forbidden, NotFound
from apps.orgs.actor import Actor
from apps.orgs.api_keys import revoke_keys_of
from apps.orgs.audit import record
from apps.orgs.models import ApiKey, Membership, Organisation
from apps.orgs.people import check_admin_stays
from apps.orgs.permissions import Permission, Role
from apps.orgs.reach import managed_orgs


class State(StrEnum):
    """What a list of people may be narrowed to."""

    OPEN = "open"
    CLOSED = "closed"
    ONE_STEP = "one_step"
    NEVER = "never"

    @property
    def words(self) -> str:
        return STATE_WORDS[self]


STATE_WORDS = {
    State.OPEN: "Account open",
    State.CLOSED: "Account closed",
    State.ONE_STEP: "Without a second step",
    State.NEVER: "Never signed in",
}
NARROWED: dict[State, Q] = {
    State.OPEN: Q(is_active=True),
    State.CLOSED: Q(is_active=False),
    State.NEVER: Q(last_login=None),
}


@dataclass(frozen=True)
class Held:
    """What a person is in one organisation."""

    org: Organisation
    roles: list[Role]
    may_enter: bool


def search_users(actor: Actor, *, text: str = "", state: str = "", role: str = "") -> QuerySet[User]:
    """Everybody for super admins; for campaign managers, whoever belongs to an organisation that they manage."""
    found: QuerySet[User] = User.objects.order_by("email")
    held = Membership.objects.filter(user=OuterRef("pk"))
    if not actor.is_super_admin:
        found = found.filter(Exists(held.filter(org__in=managed_orgs(actor))))
    if role:
        found = found.filter(Exists(held.filter(role=role)))
    if state == State.ONE_STEP:
        found = found.filter(~with_second_step())
    elif state:
        found = found.filter(NARROWED[State(state)])
    if text:
        # Addresses are kept in lower case.
        found = found.filter(Q(email__contains=text.lower()) | Q(name__icontains=text))
    return found


def get_user(actor: Actor, user_id: UUID) -> User:
    found = search_users(actor).filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is nobody of that kind here for you.")
    return found


def list_held(actor: Actor, user_ids: Iterable[UUID]) -> dict[UUID, list[Held]]:
    """What these people are, in the organisations that the actor sees."""
    found = Membership.objects.filter(user__in=list(user_ids)).select_related("org")
    if not actor.is_super_admin:
        found = found.filter(org__in=managed_orgs(actor))
    grouped: dict[UUID, dict[UUID, list[Membership]]] = {}
    for one in found.order_by("org__name", "role"):
        grouped.setdefault(one.user_id, {}).setdefault(one.org_id, []).append(one)
    return {
        user_id: [
            Held(mine[0].org, [Role(one.role) for one in mine], any(one.is_active for one in mine))
            for mine in by_org.values()
        ]
        for user_id, by_org in grouped.items()
    }


def count_keys(user: User) -> int:
    """API keys in force that the person made, and that would end with the account."""
    return ApiKey.objects.filter(created_by__in=[user.email, str(user.pk)], revoked_at=None).count()


def close_account(*, actor: Actor, user_id: UUID) -> None:
    """Sessions, and API keys that the person made, end at once; roles stay for the day it is opened again."""
    _check_staff(actor)
    if user_id == actor.user_id:
        raise Conflict("You cannot close your own account; ask another super admin.")
    with transaction.atomic():
        orgs = _lock_orgs(user_id)
        for org in orgs:
            check_admin_stays(org, user_id)
        if not set_account_active(user_id=user_id, active=False):
            raise Conflict("This account is closed already.")
        ended = sum(revoke_keys_of(actor=actor, org=org, user_id=user_id) for org in orgs)
        _note(actor, orgs, "user.closed", user_id, keys_ended=ended)


def open_account(*, actor: Actor, user_id: UUID) -> None:
    """With the roles that they had; API keys stay revoked."""
    _check_staff(actor)
    with transaction.atomic():
        if not set_account_active(user_id=user_id, active=True):
            raise Conflict("This account is open already.")
        _note(actor, _lock_orgs(user_id), "user.opened", user_id)


def sign_out(*, actor: Actor, user_id: UUID) -> None:
    _check_staff(actor)
    with transaction.atomic():
        end_sessions(user_id=user_id)
        _note(actor, _lock_orgs(user_id), "user.signed_out", user_id)


def _lock_orgs(user_id: UUID) -> list[Organisation]:
    """In one order, so that two who close accounts never wait for each other."""
    held = Membership.objects.filter(user=user_id).values("org")
    return list(Organisation.objects.select_for_update(of=("self",)).filter(pk__in=held).order_by("pk"))


def _note(actor: Actor, orgs: list[Organisation], action: str, user_id: UUID, **detail: Any) -> None:
    """In the trail of every organisation that it concerns."""
    concerned: list[Organisation | None] = [*orgs] or [None]
    for org in concerned:
        record(org=org, actor=actor, action=action, target=f"user/{user_id}", **detail)


def _check_staff(actor: Actor) -> None:
    if not actor.may_on_platform(Permission.MANAGE_USERS):
        raise Forbidden("Accounts are closed and opened by super admins.")
