"""`manage.py import_events`: files of events into an organisation."""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.common.commands import Command as BaseCommand
from apps.common.errors import AppError, InvalidInput
from apps.events import importing
from apps.events.formats.registry import FORMATS, get_format
from apps.events.ingestor import only_ingestor
from apps.events.log import store
from apps.events.models import FileImport, QuarantinedLine
from apps.events.quality import CODES
from apps.orgs.public import SERVICE, Organisation, acting, find_by_slug, in_schema_of


class Command(BaseCommand):
    help = (
        "Import files of events into an organisation, through the ingest log. Each file goes in whole or not at all; "
        "events that are there already are counted and dropped, so importing a file twice changes nothing. "
        "The last line printed is a JSON summary."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        formats = "; ".join(f"{one.name}: {one.description}" for one in FORMATS.values())
        parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="files, gzipped or not")
        parser.add_argument("--org", required=True, help="short name of the organisation")
        parser.add_argument("--format", required=True, help=f"one of: {formats}")
        parser.add_argument("--history", action="store_true", help="take events older than 90 days too")
        parser.add_argument("--end", help="journeys made from paths end before this day (YYYY-MM-DD, default today)")

    def run(self, **options: Any) -> None:
        started = time.monotonic()
        file_format, end = get_format(options["format"]), _end(options["end"])
        with acting(SERVICE):
            org = find_by_slug(options["org"])
        for path in options["files"]:
            importing.check_path(path)
        imports: list[importing.Imported] = []
        try:
            # Not a list made at once: a file that is refused takes nothing away from those before it.
            imports.extend(self._append(org, path, file_format, options["history"], end) for path in options["files"])
        finally:
            if imports:
                self._wait(imports)
                self._summarise(org, self._runs(org, imports), time.monotonic() - started)

    def _append(self, org: Organisation, path: Path, file_format: Any, history: bool, end: Any) -> importing.Imported:
        total = path.stat().st_size
        with tqdm(
            total=total, unit="B", unit_scale=True, desc=path.name, file=sys.stderr, leave=False, disable=None
        ) as bar:
            return importing.import_file(
                org=org,
                path=path,
                file_format=file_format,
                history=history,
                end=end,
                progress=lambda done: bar.update(done - bar.n) and None,
            )

    def _wait(self, imports: list[importing.Imported]) -> None:
        """Until every line has met its end: at the hands of the running ingestor, or of this process without one."""
        total = sum(one.read for one in imports)
        with tqdm(
            total=total, unit=" events", unit_scale=True, desc="ingesting", file=sys.stderr, leave=False, disable=None
        ) as bar:
            while True:
                with acting(SERVICE):
                    states = [store.progress(one.import_id, one.started_at) for one in imports]
                bar.update(sum(state["done"] for state in states) - bar.n)
                if any(state["failed"] for state in states):
                    raise AppError("The ingestor failed on a batch; its log says why. Nothing else was lost.")
                if all(state["done"] == state["line_count"] for state in states):
                    return
                with only_ingestor() as ingestor:
                    if ingestor:
                        ingestor.drain(after_each=lambda lines: bar.update(lines) and None)
                    else:
                        time.sleep(0.1)

    def _runs(self, org: Organisation, imports: list[importing.Imported]) -> list[FileImport]:
        with acting(SERVICE), in_schema_of(org):
            return [FileImport.objects.get(pk=one.import_id) for one in imports]

    def _summarise(self, org: Organisation, runs: list[Any], seconds: float) -> None:
        counts = {
            name: sum(getattr(run, name) for run in runs) for name in ("read", "accepted", "duplicate", "rejected")
        }
        self.stdout.write(
            f"{counts['read']:,} read, {counts['accepted']:,} accepted, {counts['duplicate']:,} duplicate, "
            f"{counts['rejected']:,} rejected."
        )
        for code, count in self._reasons(org, runs).most_common():
            hint = " (give --history to import the past)" if code == "timestamp_too_old" else ""
            self.stdout.write(f"  {count:,} {code}: {CODES[code]}{hint}")
        if counts["rejected"]:
            self.stdout.write("Rejected lines are kept in quarantine (see docs/runbook.md).")
        self.stdout.write(json.dumps({**counts, "seconds": round(seconds, 3)}))

    def _reasons(self, org: Organisation, runs: list[Any]) -> Counter[str]:
        with acting(SERVICE), in_schema_of(org):
            lines = QuarantinedLine.objects.filter(import_id__in=[run.pk for run in runs])
            return Counter(lines.values_list("code", flat=True))


def _end(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"--end must be a day such as 2026-10-31, not {text!r}.") from error
