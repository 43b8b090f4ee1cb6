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

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


# Held by the platform's staff; the others belong to an organisation's own people.
PLATFORM_ROLES = frozenset({Role.SUPER_ADMIN, Role.CAMPAIGN_MANAGER})


class Permission(StrEnum):
    VIEW_OVERVIEW = "view_overview"
    VIEW_EARNINGS = "view_earnings"
    IMPORT_EVENTS = "import_events"
    MANAGE_API_KEYS = "manage_api_keys"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SIGN_IN = "manage_sign_in"
    EDIT_ORGANISATION = "edit_organisation"
    EDIT_IN_PLACE = "edit_in_place"
    VIEW_AUDIT = "view_audit"
    CHOOSE_DATA = "choose_data"
    MANAGE_SOURCES = "manage_sources"
    SET_UNIVERSE = "set_universe"
    VIEW_ALL_ORGANISATIONS = "view_all_organisations"
    MANAGE_ORGANISATIONS = "manage_organisations"
    MANAGE_USERS = "manage_users"
    RUN_PLATFORM = "run_platform"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ").replace("api ", "API ")

    @property
    def help(self) -> str:
        """What it means, for who gives roles."""
        return PERMISSION_WORDS[self]


PERMISSION_WORDS = {
    Permission.VIEW_OVERVIEW: "Media figures of the organisation, with CSV of each",
    Permission.VIEW_EARNINGS: "What an owner's data earns",
    Permission.IMPORT_EVENTS: "Files, sources, single events, quarantine and replay",
    Permission.MANAGE_API_KEYS: "Make and revoke keys of machines",
    Permission.MANAGE_PEOPLE: "Invite, deactivate, give and take roles within one's own",
    Permission.MANAGE_SIGN_IN: "The identity provider that its people sign in with",
    Permission.EDIT_ORGANISATION: "Name, currency, time zone and the like",
    Permission.EDIT_IN_PLACE: "Admin mode: change values where they stand",
    Permission.VIEW_AUDIT: "Who did what, with CSV",
    Permission.CHOOSE_DATA: "Show generated or real data to everybody",
    Permission.MANAGE_SOURCES: "Watched folders and their access keys",
    Permission.SET_UNIVERSE: "How many people reach and GRP are counted against",
    Permission.VIEW_ALL_ORGANISATIONS: "The console: organisations, flow of events, the whole audit trail",
    Permission.MANAGE_ORGANISATIONS: "Make, edit, suspend, archive and export organisations",
    Permission.MANAGE_USERS: "Close and open accounts, end sessions, give roles anywhere",
    Permission.RUN_PLATFORM: "Services, queues, failed tasks, feature flags",
}


class Scope(StrEnum):
    """What an API key may do for its organisation."""

    WRITE_EVENTS = "events:write"
    WRITE_METRICS = "metrics:write"
    READ_EVENTS = "events:read"
    READ_METRICS = "metrics:read"
    # Stands in the page that carries the pixel, hence is no secret.
    PIXEL = "pixel"

    @property
    def words(self) -> str:
        return SCOPE_WORDS[self]


SCOPE_WORDS = {
    Scope.WRITE_EVENTS: "send events, replay what was turned away",
    Scope.WRITE_METRICS: "send figures that platforms report",
    Scope.READ_EVENTS: "read events, sources, imports and quarantine",
    Scope.READ_METRICS: "read figures of performance",
    Scope.PIXEL: "be a pixel or tag: stands in web pages, hence is no secret",
}


ALL = frozenset(Permission)
TABLE: dict[Role, frozenset[Permission]] = {
    Role.SUPER_ADMIN: ALL,
    Role.CAMPAIGN_MANAGER: frozenset(
        {
            Permission.VIEW_OVERVIEW,
            Permission.VIEW_EARNINGS,
            Permission.IMPORT_EVENTS,
            Permission.EDIT_IN_PLACE,
            Permission.MANAGE_PEOPLE,
            Permission.VIEW_AUDIT,
            Permission.MANAGE_SOURCES,
        },
    ),
    Role.ORG_ADMIN: frozenset(
        {
            Permission.VIEW_OVERVIEW,
            Permission.VIEW_EARNINGS,
            Permission.IMPORT_EVENTS,
            Permission.MANAGE_API_KEYS,
            Permission.MANAGE_PEOPLE,
            Permission.MANAGE_SIGN_IN,
            Permission.EDIT_ORGANISATION,
            Permission.EDIT_IN_PLACE,
            Permission.VIEW_AUDIT,
            Permission.CHOOSE_DATA,
            Permission.MANAGE_SOURCES,
            Permission.SET_UNIVERSE,
        },
    ),
    Role.MARKETER: frozenset({Permission.VIEW_OVERVIEW}),
    Role.DATA_OWNER: frozenset({Permission.VIEW_EARNINGS}),
    Role.MEASUREMENT_PARTNER: frozenset({Permission.VIEW_OVERVIEW}),
    Role.VIEWER: frozenset({Permission.VIEW_OVERVIEW, Permission.VIEW_EARNINGS}),
}


# What a scope stands for among people: whoever holds the permission may ask the API the same, signed in.
GRANTED: dict[Scope, Permission] = {
    Scope.WRITE_EVENTS: Permission.IMPORT_EVENTS,
    Scope.WRITE_METRICS: Permission.IMPORT_EVENTS,
    Scope.READ_EVENTS: Permission.IMPORT_EVENTS,
    Scope.READ_METRICS: Permission.VIEW_OVERVIEW,
    Scope.PIXEL: Permission.IMPORT_EVENTS,
}


def roles_with(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in TABLE[role]]
