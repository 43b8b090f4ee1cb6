"""`manage.py data_dictionary`: docs/data-dictionary.md from the code and the engine's catalogue."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from apps.common.commands import Command as BaseCommand
from apps.common.errors import InvalidInput
from config.dictionary import build


class Command(BaseCommand):
    help = "Write docs/data-dictionary.md: events, tables, metrics."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")

    def run(self, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "data-dictionary.md"
        text = build()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise InvalidInput(f"{path.name} is out of date. Write it anew: make manage ARGS=data_dictionary.")
