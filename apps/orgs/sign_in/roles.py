"""What the groups of a person's token make them here, and how memberships follow: given, and taken away, at sign-in.

A provider rules over the roles that its table names. Roles that people gave by hand, and which the table does not
name, stay.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from apps.accounts.public import User, end_sessions
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, Role


class Deactivated(Exception):
    """An administrator of the organisation deactivated the person here; no provider changes that."""


class GroupsUnknown(Exception):
    """The token says that there are groups, and not which: nothing may be taken away for that."""


def groups_in(claims: Mapping[str, Any], claim: str) -> set[str]:
    """Providers leave the claim out for who has no group; Entra points elsewhere when there are too many."""
    pointed = claims.get("_claim_names")
    if "hasgroups" in claims or (isinstance(pointed, dict) and claim in pointed):
        raise GroupsUnknown
    found = claims.get(claim, [])
    if isinstance(found, str):
        found = [found]
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def roles_of(groups: Collection[str], role_groups: Mapping[str, Iterable[str]]) -> set[Role]:
    return {Role(role) for role, giving in role_groups.items() if set(giving) & set(groups)}


def follow_provider(*, org: Organisation, user: User, roles: set[Role], ruled: set[Role], by: str) -> set[Role]:
    """Make the person's roles in `org` what the provider says, within what it rules; answers those they have then.

    To be done as the platform. Only the platform's own organisation has a directory that gives the platform's roles.
    """
    mine = Membership.objects.filter(org=org, user=user)
    if mine.filter(is_active=False).exists():
        raise Deactivated
    held = {Role(role) for role in mine.values_list("role", flat=True)}
    after = (held - ruled) | roles
    if after == held:
        return held
    # A further role is no way in for who was deactivated here.
    active = not Membership.objects.filter(org=org, user=user, is_active=False).exists()
    Membership.objects.filter(org=org, user=user, role__in=held - after).delete()
    Membership.objects.bulk_create(
        [Membership(org=org, user=user, role=role, is_active=active) for role in sorted(after - held)]
    )
    action = "member.provisioned" if not held else "roles.changed" if after else "member.deprovisioned"
    record(
        org=org,
        actor=Actor(by, is_service=True),
        action=action,
        target=f"user/{user.pk}",
        before={"roles": sorted(held)},
        after={"roles": sorted(after)},
    )
    if not Membership.objects.filter(user=user).exists():
        end_sessions(user_id=user.pk)
    return after


def is_staff(user: User) -> bool:
    return Membership.objects.filter(user=user, role__in=PLATFORM_ROLES).exists()
