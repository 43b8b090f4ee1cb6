"""How far the platform's staff reach among people."""

from uuid import UUID

from apps.orgs.actor import Actor
from apps.orgs.permissions import Permission, Role


def reaches_people(actor: Actor) -> bool:
    """Whether the actor is of the staff, and looks after people of some organisation."""
    return actor.is_super_admin or bool(managed_orgs(actor))


def managed_orgs(actor: Actor) -> list[UUID]:
    """Organisations that a campaign manager looks after."""
    mine = {org_id for org_id, role in actor.roles if role is Role.CAMPAIGN_MANAGER}
    return sorted(org_id for org_id in mine if actor.may(Permission.MANAGE_PEOPLE, org_id))
