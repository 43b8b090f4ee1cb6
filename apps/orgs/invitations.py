"""Invitations: a person is asked to join with a role, by a link that works once, until it expires."""

import secrets
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.core.mail import send_mail
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts.public import check_email
from apps.common.errors import Conflict
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Invitation, Organisation
from apps.orgs.permissions import Role

LIFETIME = timedelta(days=7)


def make_invitation(
    *, actor: Actor, org: Organisation, email: str, role: Role, using: str = DEFAULT_DB_ALIAS
) -> tuple[Invitation, str]:
    """The invitation and the token of its link; an open one to the same address is replaced.

    Whether `actor` may give the role is the caller's to check.
    """
    email, token, now = check_email(email), secrets.token_urlsafe(32), timezone.now()
    mine = Invitation.objects.using(using)
    with transaction.atomic(using=using):
        mine.filter(org=org, email=email, accepted_at=None, revoked_at=None).update(revoked_at=now)
        try:
            with transaction.atomic(using=using):
                made = mine.create(
                    org=org, email=email, role=role, token_hash=hash_of(token), invited_by=actor.audit_name,
                    expires_at=now + LIFETIME,
                )  # fmt: skip
        except IntegrityError as error:
            raise Conflict(f"Somebody else invited {email} just now.") from error
        record(
            org=org, actor=actor, action="invitation.sent", target=f"invitation/{made.pk}", using=using,
            email=masked(email), role=role,
        )  # fmt: skip
    return made, token


def send_invitation(made: Invitation, token: str, inviter: str) -> None:
    """The mail with the link; to be sent once the invitation is committed."""
    context = {
        "org": made.org.name,
        "role": Role(made.role).words,
        "inviter": inviter,
        "link": settings.BASE_URL.rstrip("/") + reverse("invitation", args=[token]),
        "days": LIFETIME.days,
    }
    text = render_to_string("orgs/mail/invitation.txt", context)
    send_mail(f"{made.org.name} invites you to Precise", text, None, [made.email])


def hash_of(token: str) -> bytes:
    return sha256(token.encode()).digest()


def masked(email: str) -> str:
    return f"{email[0]}…@{email.partition('@')[2]}"
