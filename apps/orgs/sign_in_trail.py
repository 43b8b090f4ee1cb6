"""Sign-ins and what else people do to their own access, noted in the audit trail of each organisation they belong to.

Accounts knows nothing of organisations; it says by signals what happened.
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.dispatch import Signal
from django.http import HttpRequest

from apps.accounts.public import User, find_by_email, network_of
from apps.orgs.actor import ANONYMOUS, SERVICE, Actor, acting, declare
from apps.orgs.audit import record
from apps.orgs.models import Organisation

ACTIONS: dict[Signal, str] = {
    auth.user_logged_in: "sign_in.done",
    auth.user_logged_out: "sign_in.ended",
    account.password_changed: "password.changed",
    account.password_set: "password.set",
    account.password_reset: "password.reset",
    mfa.authenticator_added: "second_step.added",
    mfa.authenticator_removed: "second_step.removed",
    mfa.authenticator_reset: "second_step.reset",
}


def listen() -> None:
    for signal, action in ACTIONS.items():
        signal.connect(_listener(action), weak=False, dispatch_uid=f"audit.{action}")
    auth.user_login_failed.connect(_note_failure, weak=False, dispatch_uid="audit.sign_in.failed")


def _listener(action: str) -> Any:
    def note(*, request: HttpRequest | None = None, user: User | None = None, **kwargs: Any) -> None:
        if user is not None:
            note_of(request, user, action)

    return note


def _note_failure(*, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """For an address that is nobody's there is nothing to note; that it was tried is the rate limit's business."""
    if user := find_by_email(str(credentials.get("email") or credentials.get("username") or "")):
        note_of(request, user, "sign_in.failed")


def note_of(request: HttpRequest | None, user: User, action: str) -> None:
    """Whoever signs in has no rights yet, hence the platform writes; afterwards the request is what it was."""
    origin = network_of(request) if request is not None else ""
    actor = Actor(user.email, user_id=user.pk, origin=origin)
    try:
        with acting(SERVICE):
            record_of_person(actor, action)
    finally:
        declare(getattr(request, "actor", ANONYMOUS))


def record_of_person(actor: Actor, action: str, **detail: Any) -> None:
    """In the trail of each organisation that the person belongs to, or of none; as the platform."""
    orgs: list[Organisation | None] = list(Organisation.objects.filter(memberships__user=actor.user_id).distinct())
    for org in orgs or [None]:
        record(org=org, actor=actor, action=action, target=f"user/{actor.user_id}", **detail)
