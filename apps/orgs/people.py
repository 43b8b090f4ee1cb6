"""Who belongs to an organisation, and as what: invitations, roles, leaving. Each write is checked, locked, and noted.

Two rules hold everywhere: nobody gives more than they have, and an organisation keeps an administrator.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.public import User, check_email, find_by_email, has_second_step
from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Invitation, Kind, Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, TABLE, Role

LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Person:
    """A member as the page shows them."""

    id: UUID
    email: str
    name: str
    roles: list[Role]
    last_login: datetime | None
    has_second_step: bool
    is_active: bool


def list_people(org: Organisation) -> list[Person]:
    held: dict[User, list[Role]] = {}
    for membership in Membership.objects.filter(org=org).select_related("user").order_by("user__email", "role"):
        held.setdefault(membership.user, []).append(Role(membership.role))
    secured = has_second_step(user.pk for user in held)
    return [
        Person(user.pk, user.email, user.name, roles, user.last_login, user.pk in secured, user.is_active)
        for user, roles in held.items()
    ]


def get_person(org: Organisation, user_id: UUID) -> Person:
    for person in list_people(org):
        if person.id == user_id:
            return person
    raise NotFound("Nobody of that name belongs to this organisation.")


def list_invitations(org: Organisation) -> list[Invitation]:
    """Those that are still open, the newest first; expired ones too, so that somebody asks again."""
    return list(Invitation.objects.filter(org=org, accepted_at=None, revoked_at=None).order_by("-created_at"))


def roles_to_give(actor: Actor, org: Organisation) -> list[Role]:
    """A role may be given by whoever may do all that it allows. The platform's roles are the platform's to give."""
    held = {permission for role in actor.roles_in(org.pk) for permission in TABLE[role]}
    return [role for role in Role if TABLE[role] <= held and _fits(actor, org, role)]


def invite(*, actor: Actor, org: Organisation, email: str, role: str) -> tuple[Invitation, str]:
    """Ask a person to join; answers the invitation and the token of its link. An open one is replaced."""
    email, given = check_email(email), _role_to_give(actor, org, role)
    user = find_by_email(email)
    if user is not None and Membership.objects.filter(org=org, user=user).exists():
        raise Conflict(f"{email} belongs to {org.name} already; change their roles instead.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        now = timezone.now()
        Invitation.objects.filter(org=org, email=email, accepted_at=None, revoked_at=None).update(revoked_at=now)
        try:
            with transaction.atomic():
                made = Invitation.objects.create(
                    org=org, email=email, role=given, token_hash=hash_of(token), invited_by=actor.audit_name,
                    expires_at=now + LIFETIME,
                )  # fmt: skip
        except IntegrityError as error:
            raise Conflict(f"Somebody else invited {email} just now.") from error
        record(
            org=org,
            actor=actor,
            action="invitation.sent",
            target=f"invitation/{made.pk}",
            email=masked(email),
            role=given,
        )
    return made, token


def revoke_invitation(*, actor: Actor, org: Organisation, invitation_id: UUID) -> Invitation:
    with transaction.atomic():
        found = Invitation.objects.select_for_update().filter(
            org=org, pk=invitation_id, accepted_at=None, revoked_at=None
        ).first()  # fmt: skip
        if found is None:
            raise NotFound("There is no open invitation of that kind.")
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])
        record(org=org, actor=actor, action="invitation.revoked", target=f"invitation/{found.pk}")
    return found


def find_invitation(token: str) -> Invitation | None:
    """The open invitation with this token, of an organisation that is active. To be asked as the platform."""
    open_ones = Invitation.objects.select_related("org").filter(
        token_hash=hash_of(token), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return open_ones.exclude(org__status="archived").first()


def accept_invitation(*, token: str, user: User) -> Invitation:
    """The person joins. To be done as the platform: they have no rights there yet."""
    with transaction.atomic():
        found = find_invitation(token)
        # The conditional update claims it: of two who press at once, one joins.
        claimed = found and Invitation.objects.filter(pk=found.pk, accepted_at=None, revoked_at=None).update(
            accepted_at=timezone.now()
        )
        if not found or not claimed:
            raise NotFound("This invitation was used already, was taken back, or has expired.")
        if user.email != found.email:
            raise Forbidden("This invitation is for another address.")
        Membership.objects.get_or_create(user=user, org=found.org, role=found.role)
        who = Actor(user.email, user_id=user.pk)
        record(org=found.org, actor=who, action="invitation.accepted", target=f"invitation/{found.pk}", role=found.role)
    return found


def set_roles(*, actor: Actor, org: Organisation, user_id: UUID, roles: Collection[str]) -> None:
    """The person has exactly these roles from now on; none: they leave the organisation."""
    with transaction.atomic():
        # Whoever changes roles of this organisation waits here: two cannot remove one another's last admin.
        Organisation.objects.select_for_update(of=("self",)).get(pk=org.pk)
        before = set(Membership.objects.filter(org=org, user=user_id).values_list("role", flat=True))
        if not before:
            raise NotFound("Nobody of that name belongs to this organisation.")
        after = set(roles)
        for role in sorted(after ^ before):
            _role_to_give(actor, org, role)
        _check_admin_stays(org, user_id, after)
        Membership.objects.filter(org=org, user=user_id, role__in=before - after).delete()
        for role in sorted(after - before):
            Membership.objects.create(org=org, user_id=user_id, role=role)
        if before != after:
            record(
                org=org, actor=actor, action="roles.changed" if after else "member.removed", target=f"user/{user_id}",
                before={"roles": sorted(before)}, after={"roles": sorted(after)},
            )  # fmt: skip


def hash_of(token: str) -> bytes:
    return sha256(token.encode()).digest()


def masked(email: str) -> str:
    return f"{email[0]}…@{email.partition('@')[2]}"


def _role_to_give(actor: Actor, org: Organisation, role: str) -> Role:
    allowed = roles_to_give(actor, org)
    if role not in set(Role):
        raise InvalidInput(f"There is no role {role[:40]!r}; there are: {', '.join(allowed)}.")
    if role not in allowed:
        raise Forbidden(f"You cannot give or take the role {Role(role).words}: it allows what you may not do yourself.")
    return Role(role)


def _fits(actor: Actor, org: Organisation, role: Role) -> bool:
    if role is Role.SUPER_ADMIN:
        return actor.is_super_admin and org.kind == Kind.PLATFORM
    return actor.is_super_admin or role not in PLATFORM_ROLES


def _check_admin_stays(org: Organisation, user_id: UUID, after: set[str]) -> None:
    admin = Role.SUPER_ADMIN if org.kind == Kind.PLATFORM else Role.ORG_ADMIN
    if admin in after:
        return
    admins = Membership.objects.filter(org=org, role=admin, user__is_active=True)
    if admins.filter(user=user_id).exists() and not admins.exclude(user=user_id).exists():
        raise Conflict(f"{org.name} would have no {admin.words} left; give the role to somebody else first.")
