"""All that the platform keeps about one person, for that person: account, memberships, and what they did."""

from typing import Any

from apps.accounts.public import User, collect
from apps.orgs.actor import Actor, as_platform
from apps.orgs.models import ApiKey, AuditEntry, Invitation, Membership
from apps.orgs.trail import MOST_EXPORTED


def collect_person(actor: Actor, user: User) -> dict[str, Any]:
    """Also from organisations that they have left: hence asked as the platform, for this one person."""
    with as_platform(actor):
        return {**collect(user), **_of_organisations(user)}


def _of_organisations(user: User) -> dict[str, Any]:
    done = AuditEntry.objects.filter(actor=str(user.pk)).order_by("-id")[:MOST_EXPORTED]
    members = Membership.objects.filter(user=user).order_by("org__name", "role")
    invited = Invitation.objects.filter(email=user.email).order_by("created_at")
    keys = ApiKey.objects.filter(created_by__in=[user.email, str(user.pk)]).order_by("created_at")
    return {
        "memberships": list(members.values("org__name", "role", "is_active", "created_at")),
        "invitations": list(invited.values("org__name", "role", "created_at", "accepted_at", "revoked_at")),
        "api_keys_made": list(keys.values("org__name", "name", "prefix", "created_at", "revoked_at")),
        "done": list(done.values("at", "org__name", "action", "target", "origin")),
    }
