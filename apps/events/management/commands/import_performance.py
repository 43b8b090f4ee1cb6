"""`manage.py import_performance`: what platforms report of their campaigns, from their exports."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from apps.common.commands import Command as BaseCommand
from apps.common.errors import InvalidInput
from apps.events.importing import check_path
from apps.events.reported.judging import judge
from apps.events.reported.keeping import Imported, check_source, import_performance, remembered
from apps.events.reported.mapping import Mapping, check_options, suggest
from apps.events.reported.plan import make_plan
from apps.events.reported.reading import Table, open_table
from apps.events.reported.refusals import ROW_CODES
from apps.events.reported.roles import MONEY, Role
from apps.orgs.public import SERVICE, Organisation, acting, find_by_slug, in_schema_of

PREVIEWED = 10


class Command(BaseCommand):
    help = (
        "Import campaign performance as platforms report it: CSV, TSV or XLSX exports. Columns are recognised by their "
        "names, or named by --mapping, and remembered for the source. Each file counts whole or not at all; importing "
        "one twice changes nothing. The last line printed is a JSON summary."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        roles = ", ".join(Role)
        parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CSV, TSV (gzipped or not) or XLSX")
        parser.add_argument("--org", required=True, help="short name of the organisation")
        parser.add_argument(
            "--source", required=True, help="which report it is, such as google-ads; later files replace"
        )
        parser.add_argument(
            "--mapping", nargs="+", default=[], metavar="COLUMN=ROLE",
            help=f"corrections of what is recognised; roles: {roles}; none takes a column out",
        )  # fmt: skip
        parser.add_argument("--date-order", default="", choices=("dmy", "mdy"), help="where the file leaves it open")
        parser.add_argument("--decimal", default="", choices=(".", ","), help="the decimal mark, where it is left open")
        parser.add_argument("--currency", default="", help="of amounts that name none; the organisation's by default")
        parser.add_argument("--platform", default="", help="of rows that name none; the source by default")
        parser.add_argument("--time-zone", default="", help="of hours that name none; the organisation's by default")
        parser.add_argument("--millionths", nargs="+", default=[], metavar="ROLE", help=f"of {' or '.join(MONEY)}")
        parser.add_argument("--preview", action="store_true", help="show how the first rows are read; import nothing")

    def run(self, **options: Any) -> None:
        started = time.monotonic()
        check_source(options["source"])
        with acting(SERVICE):
            org = find_by_slug(options["org"])
        for path in options["files"]:
            check_path(path)
        if options["preview"]:
            for path in options["files"]:
                with named_by_mapping():
                    self._preview(org, path, options)
            return
        done: list[Imported] = []
        try:
            # Not a list made at once: a file that is refused takes nothing away from those before it.
            with named_by_mapping():
                done.extend(self._import(org, path, options) for path in options["files"])
        finally:
            if done:
                self._summarise(done, time.monotonic() - started)

    def _import(self, org: Organisation, path: Path, options: dict[str, Any]) -> Imported:
        with self._table(org, path, options) as table:
            mapping = self._mapping(org, table, options)
        with tqdm(
            total=path.stat().st_size,
            unit="B",
            unit_scale=True,
            desc=path.name,
            file=sys.stderr,
            leave=False,
            disable=None,
        ) as bar:
            return import_performance(
                actor=SERVICE,
                org=org,
                path=path,
                source=options["source"],
                mapping=mapping,
                progress=lambda count: bar.update(count - bar.n) and None,
            )

    def _table(self, org: Organisation, path: Path, options: dict[str, Any]) -> Table:
        with acting(SERVICE), in_schema_of(org):
            known = remembered(options["source"])
        named = [column for column, role in _pairs(options["mapping"]) if role]
        return open_table(path, named or list(known.columns.values() if known else ()))

    def _mapping(self, org: Organisation, table: Table, options: dict[str, Any]) -> Mapping:
        with acting(SERVICE), in_schema_of(org):
            mapping = suggest(table.header, table.sample(), remembered(options["source"]))
        columns = dict(mapping.columns)
        for column, role in _pairs(options["mapping"]):
            columns = {one: name for one, name in columns.items() if name != column and one != role}
            if role:
                columns[role] = column
        told = {name: options[name] for name in ("date_order", "decimal", "currency", "platform", "time_zone")}
        mapping = mapping.with_columns(columns).with_options(**{name: value for name, value in told.items() if value})
        if options["millionths"]:
            mapping = mapping.with_options(millionths=tuple(options["millionths"]))
        check_options(mapping.options)
        return mapping

    def _preview(self, org: Organisation, path: Path, options: dict[str, Any]) -> None:
        with self._table(org, path, options) as table:
            mapping = self._mapping(org, table, options)
            self.stdout.write(f"{path.name}: {table.layout.words}")
            for role, column in mapping.columns.items():
                self.stdout.write(f"  {role:15} {column}")
            for text in mapping.assumed:
                self.stdout.write(f"  assumed: {text}")
            plan = make_plan(table, mapping, zone=org.time_zone, currency=org.currency, source=options["source"])
            for row in table.sample(PREVIEWED):
                judged = judge(row, plan)
                if judged.record:
                    kept = {name: value for name, value in judged.record._asdict().items() if value not in (None, "")}
                    self.stdout.write(f"{row.line:>6}: " + ", ".join(f"{name} {value}" for name, value in kept.items()))
                else:
                    why = "; ".join(f"{one.column}: {one.message}" for one in judged.problems)
                    self.stdout.write(f"{row.line:>6}: {why or 'not summed: a total of the file, or a remark'}")

    def _summarise(self, done: list[Imported], seconds: float) -> None:
        counts = {name: sum(getattr(one, name) for one in done) for name in ("read", "accepted", "rejected")}
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")
        reasons = sum((Counter(one.reasons) for one in done), Counter())
        for code, count in reasons.most_common():
            self.stdout.write(f"  {count:,} {code}: {ROW_CODES[code]}")
        differing = [one.words for each in done for one in each.comparisons if not one.agrees]
        for words in differing:
            self.stdout.write(f"  {words}")
        summary = {**counts, "reasons": dict(reasons), "totals_that_differ": differing, "seconds": round(seconds, 3)}
        self.stdout.write(json.dumps(summary))


@contextmanager
def named_by_mapping() -> Iterator[None]:
    """Tells with a column that was not recognised how it is named here."""
    try:
        yield
    except InvalidInput as error:
        if error.code != "missing_column":
            raise
        hint = "If one of them is it, name it: --mapping id=campaign_id, for example."
        raise InvalidInput(f"{error.message} {hint}", code=error.code) from error


def _pairs(texts: list[str]) -> list[tuple[str, Role | None]]:
    """`Kosten=spend`; a column's name may have `=` in it, a role has not."""
    pairs: list[tuple[str, Role | None]] = []
    for text in texts:
        column, sign, role = text.rpartition("=")
        if not sign or role not in {*Role, "none"}:
            raise InvalidInput(f"--mapping takes COLUMN=ROLE with a role of {', '.join(Role)} or none, not {text!r}.")
        pairs.append((column, None if role == "none" else Role(role)))
    return pairs
