"""Who may do what: the one table. Templates, views and the API read it; nothing else decides.

Roles and their meaning are those of the domain: super_admin and campaign_manager are platform staff,
the others belong to one organisation.
"""

from enum import StrEnum


class Role(StrEnum):
    SUPER_ADMIN = "super_admin"
    CAMPAIGN_MANAGER = "campaign_manager"
    ORG_ADMIN = "org_admin"
    MARKETER = "marketer"
    DATA_OWNER = "data_owner"
    MEASUREMENT_PARTNER = "measurement_partner"
    VIEWER = "viewer"


class Permission(StrEnum):
    VIEW_OVERVIEW = "view_overview"
    VIEW_EARNINGS = "view_earnings"
    IMPORT_EVENTS = "import_events"
    VIEW_ALL_ORGANISATIONS = "view_all_organisations"


ALL = frozenset(Permission)
TABLE: dict[Role, frozenset[Permission]] = {
    Role.SUPER_ADMIN: ALL,
    Role.CAMPAIGN_MANAGER: frozenset(
        {Permission.VIEW_OVERVIEW, Permission.VIEW_EARNINGS, Permission.IMPORT_EVENTS},
    ),
    Role.ORG_ADMIN: frozenset({Permission.VIEW_OVERVIEW, Permission.VIEW_EARNINGS, Permission.IMPORT_EVENTS}),
    Role.MARKETER: frozenset({Permission.VIEW_OVERVIEW}),
    Role.DATA_OWNER: frozenset({Permission.VIEW_EARNINGS}),
    Role.MEASUREMENT_PARTNER: frozenset({Permission.VIEW_OVERVIEW}),
    Role.VIEWER: frozenset({Permission.VIEW_OVERVIEW, Permission.VIEW_EARNINGS}),
}


def roles_with(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in TABLE[role]]
