"""Writes to organisations that exist: what they are called and linked to, who manages them, whether they are open."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts.public import User
from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.orgs.actions import check_fields, check_name_free, check_taken
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Kind, Membership, Organisation, Status
from apps.orgs.names import check_name
from apps.orgs.permissions import Permission, Role

# What the console edits; the rest follows from how the organisation was made.
EDITABLE = (
    "name", "kind", "domain", "currency", "time_zone", "ttd_advertiser_id", "salesforce_account_id", "contributor_id",
    "tier", "events_per_second", "raw_event_days", "requires_second_step",
)  # fmt: skip
MOVES: Mapping[Status, tuple[str, frozenset[Status]]] = {
    Status.ACTIVE: ("organisation.opened", frozenset({Status.SUSPENDED, Status.ARCHIVED})),
    Status.SUSPENDED: ("organisation.suspended", frozenset({Status.ACTIVE})),
    Status.ARCHIVED: ("organisation.archived", frozenset({Status.ACTIVE, Status.SUSPENDED})),
}


def version_of(org: Organisation) -> str:
    """Changes with any editable value: a form says with it what its reader saw."""
    return sha256(repr([getattr(org, name) for name in EDITABLE]).encode()).hexdigest()[:16]


def edit_organisation(*, actor: Actor, org: Organisation, changes: Mapping[str, Any], seen: str = "") -> Organisation:
    """Save what differs; the trail says before and after. Answers the organisation as it is now.

    `seen` is the version that the changes were made on: when somebody else was faster, nothing is overwritten.
    """
    _check_staff(actor)
    with transaction.atomic():
        found: Organisation = Organisation.objects.select_for_update(of=("self",)).get(pk=org.pk)
        if seen and seen != version_of(found):
            raise Conflict(f"Somebody else changed {found.name} meanwhile. Look at it again, then make your change.")
        before = {name: getattr(found, name) for name in EDITABLE}
        for name in EDITABLE:
            if name in changes:
                setattr(found, name, changes[name])
        changed = [name for name in EDITABLE if getattr(found, name) != before[name]]
        if not changed:
            return found
        others = Organisation.objects.exclude(pk=found.pk)
        found.name = check_name(found.name) if "name" in changed else found.name
        if "kind" in changed and Kind.PLATFORM in {before["kind"], found.kind}:
            raise InvalidInput("Whether an organisation is the platform's own is said when it is made, and stays.")
        check_fields(found, exclude={"slug", "schema_name"} | (set(EDITABLE) - set(changed)))
        check_taken(found, others)
        if "name" in changed:
            check_name_free(found.name, others)
        found.save(update_fields=changed)
        record(
            org=found, actor=actor, action="organisation.edited", target=f"organisation/{found.slug}",
            before={name: before[name] for name in changed}, after={name: getattr(found, name) for name in changed},
        )  # fmt: skip
    return found


def set_status(*, actor: Actor, org: Organisation, status: Status, reason: str = "") -> None:
    """Open, suspend or archive; people and keys of what is not open are refused from the next request on."""
    _check_staff(actor)
    action, whence = MOVES[status]
    if org.kind == Kind.PLATFORM and status != Status.ACTIVE:
        raise Conflict("The platform's own organisation stays open: whoever runs the platform belongs to it.")
    with transaction.atomic():
        # The conditional update claims the move: of two who press at once, one is told that it was done.
        if not Organisation.objects.filter(pk=org.pk, status__in=whence).update(status=status):
            raise Conflict(f"{org.name} is {Status(_status(org)).label.lower()} already.")
        record(org=org, actor=actor, action=action, target=f"organisation/{org.slug}", reason=reason)


def assign_manager(*, actor: Actor, org: Organisation, user_id: UUID) -> User:
    """A member of the platform's staff manages the organisation's campaigns."""
    _check_staff(actor)
    found = list_staff().filter(pk=user_id).first()
    if found is None:
        raise NotFound("Campaign managers are people of the platform's own organisation; this is nobody of them.")
    with transaction.atomic():
        membership, made = Membership.objects.get_or_create(user=found, org=org, role=Role.CAMPAIGN_MANAGER)
        if made:
            record(org=org, actor=actor, action="manager.assigned", target=f"user/{membership.user_id}")
    return found


def release_manager(*, actor: Actor, org: Organisation, user_id: UUID) -> None:
    _check_staff(actor)
    with transaction.atomic():
        gone, _ = Membership.objects.filter(user=user_id, org=org, role=Role.CAMPAIGN_MANAGER).delete()
        if not gone:
            raise NotFound("Nobody of that name manages this organisation.")
        record(org=org, actor=actor, action="manager.released", target=f"user/{user_id}")


def list_staff() -> QuerySet[User]:
    """Who may be assigned: people of the platform's organisations, and who manages campaigns already."""
    of_platform = Q(memberships__org__kind=Kind.PLATFORM) | Q(memberships__role=Role.CAMPAIGN_MANAGER)
    return User.objects.filter(of_platform, is_active=True).distinct().order_by("email")


def list_managers(org: Organisation) -> list[tuple[User, datetime]]:
    found = Membership.objects.filter(org=org, role=Role.CAMPAIGN_MANAGER).select_related("user")
    return [(one.user, one.created_at) for one in found.order_by("user__email")]


def _status(org: Organisation) -> str:
    return str(Organisation.objects.values_list("status", flat=True).get(pk=org.pk))


def _check_staff(actor: Actor) -> None:
    if not (actor.is_service or actor.may_on_platform(Permission.MANAGE_ORGANISATIONS)):
        raise Forbidden("Only platform staff may change organisations.")
