"""`manage.py watch_files`: looks at watched folders by hand."""

import time
from argparse import ArgumentParser
from typing import Any

from apps.common.commands import Command as BaseCommand
from apps.events.watched import queue
from apps.events.watched.looking import Look, look
from apps.orgs.public import SERVICE, Organisation, acting, find_by_slug

PAUSE = 60


class Command(BaseCommand):
    help = (
        "Look at watched folders and import what is there, as the workers do each minute. A local file is taken by the "
        "second look that sees it unchanged, so go on for a while, or look twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--org", help="short name of the organisation; all of them without it")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def run(self, **options: Any) -> None:
        while True:
            with acting(SERVICE):
                only = find_by_slug(options["org"]) if options["org"] else None
            self._look_at_all(only)
            if options["once"]:
                return
            time.sleep(PAUSE)

    def _look_at_all(self, only: Organisation | None) -> None:
        sources = [pair for pair in queue.active_sources() if only is None or pair[0] == only.pk]
        if not sources:
            self.stdout.write("No folder is watched.")
        for org_id, source_id in sources:
            with acting(SERVICE):
                org = Organisation.objects.get(pk=org_id)
            if seen := look(org, source_id):
                self._tell(org, seen)

    def _tell(self, org: Organisation, seen: Look) -> None:
        if seen.error:
            self.stdout.write(f"{org.slug}, {seen.source}: {seen.error}")
            return
        self.stdout.write(
            f"{org.slug}, {seen.source}: {seen.found:,} files there, {seen.new:,} new, {seen.growing:,} still "
            f"arriving, {seen.imported:,} imported with {seen.events:,} events, {seen.failed:,} failed."
        )
        for error in seen.errors:
            self.stdout.write(f"  {error}")
