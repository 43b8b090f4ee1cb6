"""Reads of people and their sign-in links."""

from django.utils import timezone

from apps.accounts.models import SignInLink, User


def find_link_owner(token: str) -> User | None:
    """Whose unused, unexpired link this is."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(token_hash=SignInLink.hash_of(token), used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    return link.user if link else None
