"""Periodic work on accounts."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import SignInLink


@shared_task(time_limit=120)
def purge_sign_in() -> int:
    """Remove expired sessions and sign-in links; answers how many links went."""
    call_command("clearsessions")
    removed, _ = SignInLink.objects.filter(expires_at__lt=timezone.now()).delete()
    return removed
