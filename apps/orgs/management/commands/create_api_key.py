"""`manage.py create_api_key ORG`: a machine's way in, printed once."""

from argparse import ArgumentParser
from typing import Any

from apps.common.commands import Command as BaseCommand
from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import create_api_key
from apps.orgs.permissions import Scope
from apps.orgs.selectors import find_by_slug


class Command(BaseCommand):
    help = "Make an API key for an organisation and print it: it cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("org", help="the organisation's short name")
        parser.add_argument("--name", required=True, help="who uses the key, for example 'web shop'")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in Scope],
            help="what it may do; may be repeated (events:write)",
        )

    def run(self, **options: Any) -> None:
        with acting(SERVICE):
            org = find_by_slug(options["org"])
            scopes = options["scope"] or [Scope.WRITE_EVENTS]
            _, key = create_api_key(actor=SERVICE, org=org, name=options["name"], scopes=scopes)
        self.stdout.write(key)
