"""Mail that a person gets about their access, unless they do not want its kind. Sent by a worker, on commit."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from apps.accounts.models import User


class Notice(StrEnum):
    SIGN_IN = "sign_in"
    JOINED = "joined"
    KEY_EXPIRES = "key_expires"

    @property
    def words(self) -> str:
        return WORDS[self]


WORDS = {
    Notice.SIGN_IN: "Somebody signs in as me from a network that I did not use before",
    Notice.JOINED: "Somebody whom I invited joins",
    Notice.KEY_EXPIRES: "An API key of an organisation that I administer expires within a week",
}


def notify(user_id: UUID, notice: Notice, **context: Any) -> None:
    """`context` goes through the broker: names and ids, no personal data."""
    from apps.accounts.tasks import send_notice

    transaction.on_commit(lambda: send_notice.delay(str(user_id), notice.value, context), robust=True)


def deliver(user_id: UUID, notice: Notice, context: dict[str, Any]) -> bool:
    """Whether a mail went out: not to whoever is gone or does not want it."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or notice in user.muted:
        return False
    text = render_to_string(f"accounts/mail/{notice}.txt", {**context, "base": settings.BASE_URL.rstrip("/")})
    subject, _, body = text.partition("\n")
    send_mail(subject.strip(), body.lstrip("\n"), None, [user.email])
    return True
