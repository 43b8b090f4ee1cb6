"""`manage.py revoke_api_key ORG PREFIX`: the key is refused from now on."""

from argparse import ArgumentParser
from typing import Any

from apps.common.commands import Command as BaseCommand
from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import revoke_api_key
from apps.orgs.selectors import find_by_slug


class Command(BaseCommand):
    help = "Take an API key back. Doors refuse it within five seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("org", help="the organisation's short name")
        parser.add_argument("prefix", help="the key's first twelve characters, or the whole key")

    def run(self, **options: Any) -> None:
        with acting(SERVICE):
            revoked = revoke_api_key(actor=SERVICE, org=find_by_slug(options["org"]), prefix=options["prefix"])
        self.stdout.write(f"{revoked} is revoked.")
