"""A file of reported performance into the warehouse, whole or not at all, and what becomes of its rows."""

import json
import re
from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from apps.common.errors import InvalidInput
from apps.common.texts import storable
from apps.events.importing import Progress
from apps.events.models import ColumnMapping, FileImport, RejectedRow
from apps.events.privacy import scrub
from apps.events.reported import storing
from apps.events.reported.cells import Row
from apps.events.reported.judging import Judged, Record, judge
from apps.events.reported.mapping import Mapping, restored, suggest
from apps.events.reported.plan import Plan, make_plan
from apps.events.reported.reading import Table, open_table
from apps.events.reported.refusals import Problem
from apps.events.reported.roles import FIGURES, Role
from apps.events.reported.totals import Comparison, compare
from apps.orgs.public import SERVICE, Actor, Organisation, Permission, acting, check, in_schema_of, record

FORMAT = "performance"
SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
ROWS_PER_PART = 20_000
# So many rows are kept for each reason; all are counted.
KEPT_PER_REASON = 1_000
LONGEST_CELL = 1_000


@dataclass(frozen=True)
class Imported:
    """What became of a file; `read` are its rows without totals and remarks."""

    import_id: UUID
    read: int
    accepted: int
    rejected: int
    reasons: Map[str, int]
    comparisons: tuple[Comparison, ...]
    mapping: Mapping


def import_performance(
    *,
    actor: Actor,
    org: Organisation,
    path: Path,
    source: str,
    name: str = "",
    mapping: Mapping | None = None,
    progress: Progress = lambda done: None,
    before_it_counts: Callable[[UUID], None] = lambda import_id: None,
) -> Imported:
    """Read the file and make its figures count, or none of them. Without a `mapping` the source's last one is taken,
    or one is suggested. `progress` is called with the bytes of the file read so far, and may raise to stop; so may
    `before_it_counts`, called with the import's id in its transaction: the last moment at which nothing counts."""
    if not actor.is_service:
        check(actor, Permission.IMPORT_EVENTS, org)
    check_source(source)
    with acting(SERVICE), in_schema_of(org):
        known = remembered(source)
        with open_table(path, list((mapping or known or Mapping({})).columns.values())) as table:
            mapping = mapping or suggest(table.header, table.sample(), known)
            plan = make_plan(table, mapping, zone=org.time_zone, currency=org.currency, source=source)
            run = FileImport.objects.create(name=(name or path.name)[:255], format=FORMAT, source=source)
            keeper = Keeper(org, run, plan)
            for row in table.rows(progress):
                keeper.take(row, judge(row, plan))
            keeper.finish(table)
        remember(source, mapping)
        record(
            org=org, actor=actor, action="performance.imported", file=run.name, source=source, read=run.read,
            rejected=run.rejected,
        )  # fmt: skip
        before_it_counts(run.pk)
        # The warehouse takes nothing back: this is the transaction's last step. Should its commit fail, figures count
        # without an import, until the file is imported once more and replaces them.
        if run.accepted:
            storing.sum_up(org.pk, run.pk)
    return Imported(run.pk, run.read, run.accepted, run.rejected, keeper.reasons, tuple(keeper.comparisons), mapping)


def check_source(source: str) -> None:
    if not SOURCE.fullmatch(source):
        raise InvalidInput(
            f"A source is 1 to 40 lower-case letters, digits, dashes or underscores such as google-ads, "
            f"not {source[:60]!r}."
        )


def remembered(source: str) -> Mapping | None:
    """How the source's last file was read. In the organisation's schema."""
    found = ColumnMapping.objects.filter(source=source).first()
    return restored({"columns": found.columns, "options": found.options}) if found else None


def remember(source: str, mapping: Mapping) -> None:
    """In the organisation's schema."""
    ColumnMapping.objects.update_or_create(source=source, defaults=mapping.stored())


@dataclass
class Keeper:
    """Takes a file's rows one by one: accepted ones in parts to the warehouse, rejected ones to the organisation."""

    org: Organisation
    run: FileImport
    plan: Plan
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    reasons: Counter[str] = field(default_factory=Counter)
    comparisons: list[Comparison] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._records: list[Record] = []
        self._rejected: list[RejectedRow] = []
        self._sums: dict[Role, Decimal] = {}
        self._totals: list[Map[Role, Decimal]] = []
        self._parts = self._remarks = self._total_rows = 0
        self._span: tuple[datetime, datetime] | None = None

    def take(self, row: Row, judged: Judged) -> None:
        if judged.record is not None:
            self._accept(judged.record)
        elif judged.problems:
            self._reject(row, judged.problems[0])
        elif judged.total is not None:
            self._total_rows += 1
            if judged.total:
                self._totals.append(judged.total)
        else:
            self._remarks += 1

    def finish(self, table: Table) -> None:
        """Lay by the last rows and write down what was found. They do not count yet."""
        if not (self.run.accepted or self.run.rejected):
            raise InvalidInput("The file has no rows with figures: there is a header at most.")
        self._stage()
        RejectedRow.objects.bulk_create(self._rejected, batch_size=1_000)
        self.comparisons = compare(self._totals[-20:], self._sums)
        self.run.read = self.run.accepted + self.run.rejected
        self.run.findings = self._findings(table)
        self.run.finished_at = timezone.now()
        self.run.save()

    def _accept(self, record: Record) -> None:
        self.run.accepted += 1
        self._records.append(record)
        first, last = self._span or (record.hour, record.hour)
        self._span = min(first, record.hour), max(last, record.hour)
        for role, value in zip(FIGURES, record.figures, strict=True):
            if value is not None:
                self._sums[role] = self._sums.get(role, Decimal(0)) + value
        if len(self._records) >= ROWS_PER_PART:
            self._stage()

    def _reject(self, row: Row, problem: Problem) -> None:
        self.run.rejected += 1
        self.reasons[problem.code] += 1
        if self.reasons[problem.code] > KEPT_PER_REASON:
            return
        cells = {name: self.plan.cell(row, role)[:LONGEST_CELL] for role, name in self.plan.names.items()}
        kept = scrub(json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"), bytes(self.org.identity_key))
        self._rejected.append(
            RejectedRow(
                import_id=self.run.pk,
                source=self.run.source,
                line=row.line,
                code=problem.code,
                column=problem.column[:256],
                message=storable(problem.message[:2000]),
                cells=storable(kept.decode("utf-8", "replace")),
            )
        )

    def _stage(self) -> None:
        if self._records:
            storing.stage(
                self._records, org_id=self.org.pk, source=self.run.source, import_id=self.run.pk, at=self.at,
                part=self._parts,
            )  # fmt: skip
            self._parts += 1
            self._records = []

    def _findings(self, table: Table) -> dict[str, Any]:
        return {
            "days": [f"{hour.astimezone(ZoneInfo(self.org.time_zone)):%Y-%m-%d}" for hour in self._span or ()],
            "layout": table.layout.words,
            "reasons": dict(self.reasons),
            "total_rows": self._total_rows,
            "remarks": self._remarks,
            "totals": [
                {"role": str(one.role), "stated": str(one.stated), "summed": str(one.summed), "agrees": one.agrees}
                for one in self.comparisons
            ],
        }
