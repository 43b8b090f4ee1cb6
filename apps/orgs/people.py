"""Who belongs to an organisation, and as what: joining, roles, leaving. Each write is checked, locked, and noted.

Two rules hold everywhere: nobody gives more than they have, and an organisation keeps an administrator.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.public import Notice, User, check_email, find_by_email, has_second_step, notify
from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.api_keys import revoke_keys_of
from apps.orgs.audit import record
from apps.orgs.invitations import hash_of, make_invitation
from apps.orgs.models import Invitation, Kind, Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, TABLE, Role


@dataclass(frozen=True)
class Person:
    """A member as the page shows them."""

    id: UUID
    email: str
    name: str
    roles: list[Role]
    last_login: datetime | None
    has_second_step: bool
    # Of the account, everywhere; and of what it may do here.
    is_active: bool
    may_enter: bool


def list_people(org: Organisation) -> list[Person]:
    return _people(Membership.objects.filter(org=org))


def get_person(org: Organisation, user_id: UUID) -> Person:
    for person in _people(Membership.objects.filter(org=org, user=user_id)):
        return person
    raise NotFound("Nobody of that name belongs to this organisation.")


def _people(memberships: QuerySet[Membership]) -> list[Person]:
    held: dict[User, list[Membership]] = {}
    for membership in memberships.select_related("user").order_by("user__email", "role"):
        held.setdefault(membership.user, []).append(membership)
    secured = has_second_step(user.pk for user in held)
    return [
        Person(
            user.pk, user.email, user.name, [Role(one.role) for one in mine], user.last_login, user.pk in secured,
            user.is_active, any(one.is_active for one in mine),
        )
        for user, mine in held.items()
    ]  # fmt: skip


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
    return make_invitation(actor=actor, org=org, email=email, role=given)


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
        # An old link is no way back in for who was deactivated here.
        active = not Membership.objects.filter(user=user, org=found.org, is_active=False).exists()
        Membership.objects.get_or_create(user=user, org=found.org, role=found.role, defaults={"is_active": active})
        who = Actor(user.email, user_id=user.pk)
        _tell_inviter(found)
        record(org=found.org, actor=who, action="invitation.accepted", target=f"invitation/{found.pk}", role=found.role)
    return found


def _tell_inviter(found: Invitation) -> None:
    with suppress(ValueError):
        notify(
            UUID(found.invited_by), Notice.JOINED,
            org=found.org.name, slug=found.org.slug, role=Role(found.role).words,
        )  # fmt: skip


def set_roles(*, actor: Actor, org: Organisation, user_id: UUID, roles: Collection[str]) -> None:
    """The person has exactly these roles from now on; none: they leave the organisation."""
    with transaction.atomic():
        _lock(org)
        mine = list(Membership.objects.filter(org=org, user=user_id))
        before = {one.role for one in mine}
        if not before:
            raise NotFound("Nobody of that name belongs to this organisation.")
        after = set(roles)
        for role in sorted(after ^ before):
            _role_to_give(actor, org, role)
        check_admin_stays(org, user_id, after)
        Membership.objects.filter(org=org, user=user_id, role__in=before - after).delete()
        for role in sorted(after - before):
            # Who may not enter gets no way in by a further role.
            active = all(one.is_active for one in mine)
            Membership.objects.create(org=org, user_id=user_id, role=role, is_active=active)
        if before != after:
            record(
                org=org, actor=actor, action="roles.changed" if after else "member.removed", target=f"user/{user_id}",
                before={"roles": sorted(before)}, after={"roles": sorted(after)},
            )  # fmt: skip


def set_active(*, actor: Actor, org: Organisation, user_id: UUID, active: bool) -> None:
    """Let the person in again, or no longer, with the roles they have; API keys they made here end with it."""
    with transaction.atomic():
        _lock(org)
        mine = Membership.objects.filter(org=org, user=user_id)
        roles = set(mine.values_list("role", flat=True))
        if not roles:
            raise NotFound("Nobody of that name belongs to this organisation.")
        for role in sorted(roles):
            _role_to_give(actor, org, role)
        if user_id == actor.user_id and not active:
            raise Conflict("You cannot deactivate yourself; ask another administrator.")
        if not active:
            check_admin_stays(org, user_id)
        if not mine.filter(is_active=not active).update(is_active=active):
            return
        ended = 0 if active else revoke_keys_of(actor=actor, org=org, user_id=user_id)
        action = "member.reactivated" if active else "member.deactivated"
        record(org=org, actor=actor, action=action, target=f"user/{user_id}", keys_ended=ended)


def require_second_step(*, actor: Actor, org: Organisation, required: bool) -> None:
    """From now on whoever enters needs one, or no longer."""
    with transaction.atomic():
        changed = Organisation.objects.filter(pk=org.pk).exclude(requires_second_step=required)
        if changed.update(requires_second_step=required):
            action = "second_step.required" if required else "second_step.made_optional"
            record(org=org, actor=actor, action=action, target=f"organisation/{org.slug}")


def _lock(org: Organisation) -> None:
    """Whoever changes roles of this organisation waits here: two cannot remove one another's last admin."""
    Organisation.objects.select_for_update(of=("self",)).get(pk=org.pk)


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


def check_admin_stays(org: Organisation, user_id: UUID, after: Collection[str] = ()) -> None:
    """Whether somebody still administers the organisation when the person has only the roles of `after` there."""
    admin = Role.SUPER_ADMIN if org.kind == Kind.PLATFORM else Role.ORG_ADMIN
    if admin in after:
        return
    admins = Membership.objects.filter(org=org, role=admin, is_active=True, user__is_active=True)
    if admins.filter(user=user_id).exists() and not admins.exclude(user=user_id).exists():
        raise Conflict(f"{org.name} would have no {admin.words} left; give the role to somebody else first.")
