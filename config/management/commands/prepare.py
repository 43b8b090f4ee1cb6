"""`manage.py prepare`: everything between "the services answer" and "the web process may start"."""

import time
from typing import Any

from django.core.management import call_command

from apps.common.commands import Command as BaseCommand
from apps.events.public import writing_stopped
from apps.orgs.public import migrate_postgres
from apps.warehouse.public import apply_schema, missing_schema


class Command(BaseCommand):
    help = "Migrate PostgreSQL (as its owner), apply ClickHouse's schema files, collect static files. Safe to repeat."

    def run(self, **options: Any) -> None:
        started = time.monotonic()
        migrate_postgres(self._say)
        if missing_schema():
            self._change_schema()
        call_command("collectstatic", interactive=False, verbosity=0)
        self._say(f"Ready after {time.monotonic() - started:.1f} s")

    def _change_schema(self) -> None:
        """With the ingestor stopped: a file may move the events' table."""
        with writing_stopped():
            for name in apply_schema():
                self._say(f"ClickHouse: {name}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
