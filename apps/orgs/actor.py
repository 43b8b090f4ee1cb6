"""Who acts, and the transaction in which the database knows it.

Row-level security reads `app.user_role`, `app.user_org_ids` and `app.user_id`. They are set here, local to one
transaction, so that a pooled connection never carries one person's rights to the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from apps.orgs.models import Organisation
from apps.orgs.permissions import TABLE, Permission, Role


@dataclass(frozen=True)
class Actor:
    """A person or a part of the platform, with the roles held in each organisation.

    `origin` says for the audit trail from where they act: a network, never an address.
    """

    name: str
    roles: frozenset[tuple[UUID, Role]] = frozenset()
    is_service: bool = False
    user_id: UUID | None = None
    origin: str = ""
    # An API key's organisation, and what its scopes grant there.
    key_of: UUID | None = None
    granted: frozenset[Permission] = frozenset()

    @property
    def is_super_admin(self) -> bool:
        return any(role is Role.SUPER_ADMIN for _, role in self.roles)

    @property
    def audit_name(self) -> str:
        """For records that outlive a person's data: never an address."""
        return str(self.user_id or self.name)

    @property
    def org_ids(self) -> frozenset[UUID]:
        own = frozenset() if self.key_of is None else frozenset({self.key_of})
        return own | {org_id for org_id, _ in self.roles}

    def roles_in(self, org_id: UUID) -> set[Role]:
        held = {role for held_in, role in self.roles if held_in == org_id}
        return held | ({Role.SUPER_ADMIN} if self.is_super_admin else set())

    def may(self, permission: Permission, org_id: UUID) -> bool:
        if self.key_of is not None and self.key_of == org_id and permission in self.granted:
            return True
        return any(permission in TABLE[role] for role in self.roles_in(org_id))

    def may_on_platform(self, permission: Permission) -> bool:
        """Whether a role of the platform's staff grants it, for every organisation."""
        return any(permission in TABLE[role] for _, role in self.roles if role is Role.SUPER_ADMIN)


# The parts of the platform that work for every organisation: ingestor, migrations, periodic tasks.
SERVICE = Actor("service", is_service=True)
ANONYMOUS = Actor("anonymous")


@contextmanager
def acting(actor: Actor, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """One transaction in which the database grants what `actor` may see."""
    with transaction.atomic(using=using):
        declare(actor, using)
        yield


def declare(actor: Actor, using: str = DEFAULT_DB_ALIAS) -> None:
    """Tell the current transaction who acts; forgotten at its end."""
    role = "service" if actor.is_service else "super_admin" if actor.is_super_admin else "member"
    org_ids = ",".join(sorted(str(org_id) for org_id in actor.org_ids))
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.user_role', %s, true), set_config('app.user_org_ids', %s, true),"
            " set_config('app.user_id', %s, true)",
            [role, org_ids, str(actor.user_id or "")],
        )


@contextmanager
def as_platform(actor: Actor) -> Iterator[None]:
    """For what the platform itself must look up or write within somebody's transaction; then it is theirs again."""
    declare(SERVICE)
    try:
        yield
    finally:
        declare(actor)


@contextmanager
def in_schema_of(org: Organisation) -> Iterator[None]:
    """The organisation's own tables, on the application's connection."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    previous = connection.tenant
    connection.set_tenant(org)
    try:
        yield
    finally:
        connection.set_tenant(previous)
