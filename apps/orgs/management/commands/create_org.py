"""`manage.py create_org`: a new organisation with its schema and first admin."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from apps.common.commands import Command as BaseCommand
from apps.orgs.actions import create_organisation
from apps.orgs.actor import SERVICE
from apps.orgs.models import Kind


class Command(BaseCommand):
    help = (
        "Make an organisation: its schema, its first admin and everything it starts with, in one transaction "
        "or not at all. Prints a one-time sign-in link for the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="short name in addresses, for example omd-east")
        parser.add_argument("--name", required=True, help="full name as people know it")
        parser.add_argument("--kind", required=True, choices=Kind.values, help="what the organisation is")
        parser.add_argument("--admin-email", required=True, help="e-mail address of the first admin")
        parser.add_argument("--currency", default="USD", help="three-letter code (default USD)")
        parser.add_argument("--time-zone", default="UTC", help="for example America/New_York (default UTC)")
        parser.add_argument(
            "--events-per-second", type=int, default=1000, help="the most its API keys may send (default 1000)"
        )
        parser.add_argument(
            "--contributor-id", help="the name events give this data owner (default: SLUG, for owners and publishers)"
        )

    def run(self, **options: Any) -> None:
        names = ("slug", "name", "kind", "admin_email", "currency", "time_zone", "contributor_id", "events_per_second")
        org, token = create_organisation(actor=SERVICE, **{name: options[name] for name in names})
        self.stdout.write(f"Made {org.name} ({org.get_kind_display().lower()}) at /o/{org.slug}/.")
        if token is None:
            self.stdout.write(f"First admin {options['admin_email']} signs in with the password they have.")
            return
        link = settings.BASE_URL.rstrip("/") + reverse("sign_in_link", args=[token])
        self.stdout.write(f"First admin {options['admin_email']} signs in once, within 24 hours, with:\n{link}")
