"""What other rooms may ask of organisations."""

from apps.orgs.access import check, requires, requires_platform
from apps.orgs.actions import add_member, create_organisation, record
from apps.orgs.actor import SERVICE, Actor, acting, declare, in_schema_of
from apps.orgs.models import Kind, Organisation
from apps.orgs.permissions import Permission, Role
from apps.orgs.provisioning import migrate_postgres
from apps.orgs.requests import ActorRequest, OrgRequest
from apps.orgs.selectors import buyer_names, find_by_slug, search_organisations

__all__ = [
    "SERVICE",
    "Actor",
    "ActorRequest",
    "Kind",
    "OrgRequest",
    "Organisation",
    "Permission",
    "Role",
    "acting",
    "add_member",
    "buyer_names",
    "check",
    "create_organisation",
    "declare",
    "find_by_slug",
    "in_schema_of",
    "migrate_postgres",
    "record",
    "requires",
    "requires_platform",
    "search_organisations",
]
