"""Work on accounts that no request waits for."""

from smtplib import SMTPException
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import SignInLink
from apps.accounts.notices import Notice, deliver


@shared_task(time_limit=120)
def purge_sign_in() -> int:
    """Remove expired sessions and sign-in links; answers how many links went."""
    call_command("clearsessions")
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    removed, _ = SignInLink.objects.filter(expires_at__lt=timezone.now()).delete()
    return removed


@shared_task(time_limit=60, autoretry_for=(OSError, SMTPException), retry_backoff=30, max_retries=5)
def send_notice(user_id: str, notice: str, context: dict[str, Any]) -> bool:
    return deliver(UUID(user_id), Notice(notice), context)
