"""`manage.py sign_in_link EMAIL`: a new one-time link for who has none left and no password yet."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.urls import reverse

from apps.accounts.actions import issue_sign_in_link
from apps.accounts.models import User
from apps.common.commands import Command as BaseCommand
from apps.common.errors import Conflict, NotFound


class Command(BaseCommand):
    help = "Print a one-time sign-in link for a person who has not chosen a password yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def run(self, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise NotFound(f"Nobody here has the address {options['email']!r}.")
        token = issue_sign_in_link(user=user)
        if token is None:
            raise Conflict(
                f"{user.email} has a password: they sign in with it, or reset it at /account/password/reset/."
            )
        self.stdout.write(settings.BASE_URL.rstrip("/") + reverse("sign_in_link", args=[token]))
