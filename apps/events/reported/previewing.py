"""How the first rows of a file are read under a mapping, before anything is imported."""

from collections.abc import Mapping as Map
from dataclasses import dataclass

import msgspec

from apps.events.privacy import scrub
from apps.events.reported.cells import Row
from apps.events.reported.judging import Judged, judge
from apps.events.reported.mapping import Mapping
from apps.events.reported.plan import make_plan
from apps.events.reported.reading import Table
from apps.events.reported.refusals import Problem
from apps.events.reported.roles import Role
from apps.orgs.public import Organisation

LONGEST_SHOWN = 200


@dataclass(frozen=True)
class PreviewedRow:
    """A row as it stands in the file, personal data taken out, and what becomes of it."""

    line: int
    cells: tuple[str, ...]
    judged: Judged

    @property
    def fate(self) -> str:
        """`record`, `problem`, `total` or `remark`."""
        if self.judged.record is not None:
            return "record"
        if self.judged.problems:
            return "problem"
        return "remark" if self.judged.total is None else "total"

    @property
    def read(self) -> Map[Role, object]:
        """The values by role as they will be kept; empty for what is no record."""
        if self.judged.record is None:
            return {}
        values = self.judged.record._asdict()
        names = {Role.DATE: "hour", Role.CAMPAIGN_ID: "campaign"}
        return {role: values[names.get(role, str(role))] for role in Role if role is not Role.HOUR}

    def problem_of(self, column: str) -> Problem | None:
        return next((one for one in self.judged.problems if one.column == column), None)


def preview(table: Table, mapping: Mapping, *, org: Organisation, source: str, count: int = 20) -> list[PreviewedRow]:
    """The first rows; refuses what an import would refuse of the file as a whole."""
    plan = make_plan(table, mapping, zone=org.time_zone, currency=org.currency, source=source)
    key = bytes(org.identity_key)
    return [PreviewedRow(row.line, _masked(table, row, key), judge(row, plan)) for row in table.sample(count)]


def raw_rows(table: Table, *, org: Organisation, count: int = 20) -> list[tuple[str, ...]]:
    """The first rows' cells, personal data taken out, while there is no mapping to read them by."""
    key = bytes(org.identity_key)
    return [_masked(table, row, key) for row in table.sample(count)]


def _masked(table: Table, row: Row, key: bytes) -> tuple[str, ...]:
    """As wide as the header. What stands beyond it belongs to no column and is not shown."""
    shown = {name: cell[:LONGEST_SHOWN] for name, cell in zip(table.header, row.cells, strict=False)}
    line = msgspec.json.encode({name: str(cell).encode("utf-8", "replace").decode() for name, cell in shown.items()})
    return tuple(msgspec.json.decode(scrub(line, key), type=dict[str, str]).values())
