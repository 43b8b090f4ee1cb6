"""Reads of people and their sign-in links."""

from collections.abc import Iterable
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.accounts.models import SignInLink, User

SECOND_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def find_link_owner(token: str) -> User | None:
    """Whose unused, unexpired link this is."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(token_hash=SignInLink.hash_of(token), used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    return link.user if link else None


def list_emails(user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """How people who act by their id are called; whoever was removed is missing."""
    return dict(User.objects.filter(pk__in=set(user_ids)).values_list("pk", "email"))


def find_by_email(email: str) -> User | None:
    return User.objects.filter(email=email.strip().lower()).first() if email else None


def with_second_step() -> Exists:
    """For queries of people: who signs in with a second step."""
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_STEPS))


def has_second_step(user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these people sign in with a second step."""
    return set(
        Authenticator.objects.filter(user__in=set(user_ids), type__in=SECOND_STEPS).values_list("user", flat=True)
    )
