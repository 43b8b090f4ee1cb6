"""`manage.py replay_quarantine`: rejected lines through ingest once more."""

from argparse import ArgumentParser
from typing import Any

from apps.common.commands import Command as BaseCommand
from apps.events.actions import replay_quarantined
from apps.events.quality import CODES
from apps.orgs.public import SERVICE, acting, find_by_slug, in_schema_of


class Command(BaseCommand):
    help = "Send lines that were turned away for a reason through ingest once more, once its cause is mended."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--org", required=True, help="short name of the organisation")
        parser.add_argument("--code", required=True, help=f"the reason: {', '.join(CODES)}")
        parser.add_argument("--history", action="store_true", help="take events older than 90 days too")

    def run(self, **options: Any) -> None:
        with acting(SERVICE):
            org = find_by_slug(options["org"])
            with in_schema_of(org):
                count = replay_quarantined(actor=SERVICE, org=org, code=options["code"], history=options["history"])
        self.stdout.write(f"{count:,} lines go through ingest once more.")
