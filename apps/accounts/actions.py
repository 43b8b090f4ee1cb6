"""Writes to people and their sign-in links."""

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from apps.accounts.models import SignInLink, User
from apps.accounts.notices import Notice
from apps.accounts.sessions import end_sessions
from apps.common.errors import InvalidInput, NotFound

LINK_LIFETIME = timedelta(hours=24)


def get_or_create_user(*, email: str, using: str = DEFAULT_DB_ALIAS) -> User:
    """The person with this e-mail address; a new one cannot sign in until given a link or a password."""
    email = check_email(email)
    user = User.objects.using(using).filter(email=email).first()
    return user or User.objects.db_manager(using).create_user(email)


def check_email(email: str) -> str:
    """In its one form. Only ASCII: two addresses that look alike would otherwise be two people."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{email[:80]!r} is not an e-mail address.") from error
    if not email.isascii():
        raise InvalidInput(f"{email[:80]!r} has letters beyond a to z, which may look like others; write it in ASCII.")
    return email


def issue_sign_in_link(*, user: User, using: str = DEFAULT_DB_ALIAS) -> str | None:
    """A new one-time token for `user`; whoever holds it may sign in once within 24 hours.

    None for who has a password already: a link would be a way around it and around the second step.
    """
    if user.has_usable_password():
        return None
    token = secrets.token_urlsafe(32)
    SignInLink.objects.using(using).create(
        user=user, token_hash=SignInLink.hash_of(token), expires_at=timezone.now() + LINK_LIFETIME
    )
    return token


@transaction.atomic
def redeem_sign_in_link(*, token: str) -> User:
    """Use the link up and answer whose it is. Having reached the inbox, the address counts as verified."""
    now = timezone.now()
    usable = SignInLink.objects.filter(token_hash=SignInLink.hash_of(token), used_at=None, expires_at__gt=now)
    # The conditional update claims the link: of two who press at once, one gets in.
    if usable.update(used_at=now) != 1:
        raise NotFound("This link was used already or has expired.")
    user = SignInLink.objects.select_related("user").get(token_hash=SignInLink.hash_of(token)).user
    verify_address(user)
    return user


def set_password(*, user: User, password: str) -> None:
    """Give `user` a password and count the address as verified: for accounts that the operator makes."""
    user.set_password(password)
    user.save(update_fields=["password"])
    verify_address(user)


def set_account_active(*, user_id: UUID, active: bool) -> bool:
    """Close the account, ending every session, or open it again; answers whether that changed anything."""
    with transaction.atomic():
        changed = User.objects.filter(pk=user_id, is_active=not active).update(is_active=active)
        if changed and not active:
            end_sessions(user_id=user_id)
    return bool(changed)


def edit_profile(*, user: User, name: str, muted: Collection[str]) -> dict[str, Any]:
    """What the person is called, and which mail they do not want; answers what changed."""
    unknown = set(muted) - set(Notice)
    if unknown:
        raise InvalidInput(f"There is no message {min(unknown)[:40]!r}; there are: {', '.join(Notice)}.")
    before = {"name": user.name, "muted": sorted(user.muted)}
    user.name, user.muted = name, sorted(set(muted))
    after = {"name": user.name, "muted": user.muted}
    changed = [field for field in before if before[field] != after[field]]
    if changed:
        user.save(update_fields=changed)
    return {field: (before[field], after[field]) for field in changed}


def verify_address(user: User) -> None:
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True}, create_defaults={"verified": True, "primary": True}
    )
