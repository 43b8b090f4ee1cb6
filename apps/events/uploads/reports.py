"""An upload as a report of campaign performance: which column is what, and how its first rows would be read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.http import QueryDict

from apps.common.errors import InvalidInput
from apps.events.models import ColumnMapping
from apps.events.reported import mapping as mappings
from apps.events.reported.keeping import FORMAT, check_source, remembered
from apps.events.reported.mapping import Mapping as Columns
from apps.events.reported.mapping import Options, restored, suggest
from apps.events.reported.previewing import PreviewedRow, preview, raw_rows
from apps.events.reported.reading import SAMPLE_ROWS, Table, open_table
from apps.events.reported.roles import FIGURES, TEXTS, Role
from apps.events.reported.totals import compare
from apps.orgs.public import Organisation

PERFORMANCE = FORMAT
DESCRIPTION = "campaign performance as a platform reports it (CSV, TSV, XLSX)"
NO_COLUMNS = Columns({})
EXTENSIONS = re.compile(r"(?:\.(?:csv|tsv|txt|xlsx|gz))+$")
# Words of file names that do not say where the file is from.
NO_SOURCE = frozenset(
    re.findall(
        r"\w+",
        "report reports export data copy final new daily weekly monthly day week month year from to of the by "
        "january february march april may june july august september october november december "
        "jan feb mar apr jun jul aug sep oct nov dec q1 q2 q3 q4",
    )
)
SHOWN_ROWS = 20
ROLE_NAMES: Mapping[Role, str] = {
    Role.DATE: "Date",
    Role.HOUR: "Hour",
    Role.CAMPAIGN_NAME: "Campaign name",
    Role.CAMPAIGN_ID: "Campaign id",
    Role.PLATFORM: "Platform",
    Role.CURRENCY: "Currency",
    Role.SPEND: "Spend",
    Role.IMPRESSIONS: "Impressions",
    Role.CLICKS: "Clicks",
    Role.CONVERSIONS: "Conversions",
    Role.REVENUE: "Revenue",
}
FATES = {
    "total": "The file's own total: compared, not summed",
    "remark": "Not a row of figures: passed over",
}


@dataclass(frozen=True)
class Column:
    """`place` counts from 0; `role` is empty for one that is not read."""

    place: int
    name: str
    role: str


@dataclass(frozen=True)
class Cell:
    """As it stands in the file, and as it is read where that looks different."""

    text: str
    read: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class ReportRow:
    line: int
    cells: Sequence[Cell]
    note: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class Report:
    """The file under a mapping; `error` says why it cannot be imported so."""

    source: str
    columns: Sequence[Column] = ()
    rows: Sequence[ReportRow] = ()
    mapping: Columns = NO_COLUMNS
    layout: str = ""
    count: int | None = None
    error: str = ""
    is_remembered: bool = False
    differing: Sequence[str] = ()

    @property
    def problems(self) -> int:
        return sum(row.wrong for row in self.rows)

    @property
    def has_notes(self) -> bool:
        return any(row.note for row in self.rows)

    @property
    def options(self) -> Options:
        return self.mapping.options


def looks_like_report(path: Path) -> bool:
    """Whether it is a table whose columns name a date or campaign, and a figure."""
    try:
        with open_table(path, is_glance=True) as table:
            found = set(suggest(table.header, table.sample(50)).columns)
    except InvalidInput:
        return False
    return bool(found & {Role.DATE, Role.CAMPAIGN_NAME, Role.CAMPAIGN_ID}) and bool(found & set(FIGURES))


def look_at_report(
    path: Path, org: Organisation, query: QueryDict, stored: Mapping[str, Any], *, name: str = ""
) -> Report:
    """As the query maps it, else as the upload was imported before, else as the source or the names of columns say.
    Its source is proposed by the platform that is recognised, else by the file's `name`."""
    try:
        with open_table(path, is_glance=True) as table:
            return _report(table, org, _choose(table, query, stored, name))
    except InvalidInput as error:
        return Report(query.get("source", ""), error=error.message)


def chosen_mapping(path: Path, query: QueryDict) -> dict[str, Any]:
    """What an import needs of the form's choices; refuses what the file cannot have."""
    source = query.get("source", "")
    check_source(source)
    with open_table(path, is_glance=True) as table:
        told = _roles_told(table, query)
        _check_once(told)
        mapping = Columns({role: name for name, role in told.items()}, _options(query))
        mappings.check(mapping, table.header)
    return {"source": source, "mapping": mapping.stored()}


def known_sources() -> list[str]:
    """In the organisation's schema."""
    return list(ColumnMapping.objects.order_by("source").values_list("source", flat=True)[:200])


def read_stored(stored: Mapping[str, Any]) -> tuple[str, Columns]:
    return stored["source"], restored(stored["mapping"])


@dataclass(frozen=True)
class _Choice:
    """`roles` by column: while somebody chooses, two may have the same."""

    source: str
    roles: Mapping[str, Role]
    mapping: Columns
    is_remembered: bool = False


def source_of_name(name: str) -> str:
    """`Facebook ads 2026-01.csv` is of the source `facebook-ads`; empty where the name says nothing."""
    words = re.findall(r"[a-z][a-z0-9]*", EXTENSIONS.sub("", name.lower()))
    return "-".join(word for word in words if word not in NO_SOURCE)[:40].strip("-")


def _choose(table: Table, query: QueryDict, stored: Mapping[str, Any], name: str) -> _Choice:
    source = query.get("source", "").strip()
    if query.get("mapped_for", "") and (source == query.get("mapped_for") or not known_as(source)):
        roles = _roles_told(table, query)
        return _Choice(source, roles, Columns({role: name for name, role in roles.items()}, _options(query)))
    if not source and stored.get("mapping"):
        source, mapping = read_stored(stored)
        return _Choice(source, _by_name(mapping), mapping)
    sample = table.sample()
    source = source or suggest(table.header, sample).options.platform or source_of_name(name)
    known = remembered(source)
    mapping = suggest(table.header, sample, known)
    return _Choice(source, _by_name(mapping), mapping, known is not None)


def known_as(source: str) -> bool:
    """Whether files of this source came before. Its way of reading is taken over, then."""
    return ColumnMapping.objects.filter(source=source).exists()


def _by_name(mapping: Columns) -> dict[str, Role]:
    return {name: role for role, name in mapping.columns.items()}


def _roles_told(table: Table, query: QueryDict) -> dict[str, Role]:
    told = ((name, query.get(f"column-{place}", "")) for place, name in enumerate(table.header))
    return {name: _role(role) for name, role in told if role}


def _check_once(roles: Mapping[str, Role]) -> None:
    seen: dict[Role, str] = {}
    for name, role in roles.items():
        if role in seen:
            raise InvalidInput(f"{seen[role]!r} and {name!r} are both {ROLE_NAMES[role].lower()}; choose one of them.")
        seen[role] = name


def _options(query: QueryDict) -> Options:
    return Options(
        date_order=query.get("date_order", ""),
        decimal=query.get("decimal", ""),
        currency=query.get("currency", "").strip().upper(),
        platform=query.get("platform", "").strip(),
        time_zone=query.get("time_zone", "").strip(),
        millionths=tuple(query.getlist("millionths")),
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidInput(f"A column cannot be {text[:40]!r}; it can be {', '.join(Role)}.") from error


def _report(table: Table, org: Organisation, choice: _Choice) -> Report:
    columns = _columns(table, choice.roles)
    error, count, differing = "", None, []
    try:
        if not choice.source:
            raise InvalidInput("Name the source: the platform or tool that made this report, such as google-ads.")
        check_source(choice.source)
        _check_once(choice.roles)
        read = preview(table, choice.mapping, org=org, source=choice.source, count=SAMPLE_ROWS)
        rows = [_row(one, columns) for one in read[:SHOWN_ROWS]]
        # A larger file is not read to its end for it.
        is_whole = len(read) < SAMPLE_ROWS and not table.is_cut
        count = sum(one.fate in {"record", "problem"} for one in read) if is_whole else None
        differing = _differing(read) if is_whole else []
    except InvalidInput as refused:
        error = refused.message
        raw = raw_rows(table, org=org, count=SHOWN_ROWS)
        rows = [
            ReportRow(number, [Cell(cells[column.place]) for column in columns])
            for number, cells in enumerate(raw, start=1)
        ]
    return Report(
        choice.source, columns, rows, choice.mapping, table.layout.words, count, error, choice.is_remembered, differing
    )


def _differing(read: Sequence[PreviewedRow]) -> list[str]:
    """Of a file that was read to its end: which totals of its own are not the sum of its rows."""
    sums: dict[Role, Decimal] = {}
    for one in read:
        for role, value in zip(FIGURES, one.judged.record.figures if one.judged.record else (), strict=False):
            if value is not None:
                sums[role] = sums.get(role, Decimal(0)) + value
    totals = [one.judged.total for one in read if one.judged.total]
    return [one.words for one in compare(totals, sums) if not one.agrees]


def _columns(table: Table, roles: Mapping[str, Role]) -> list[Column]:
    """Those that are read stand first, so that they are seen without scrolling."""
    order = {role: number for number, role in enumerate(Role)}
    columns = [Column(place, name, str(roles.get(name, ""))) for place, name in enumerate(table.header)]
    return sorted(columns, key=lambda one: order[Role(one.role)] if one.role else len(order))


def _row(row: PreviewedRow, columns: Iterable[Column]) -> ReportRow:
    cells = [
        Cell(text := row.cells[column.place], _read(row, column, text), row.problem_of(column.name) is not None)
        for column in columns
    ]
    problems = " ".join(one.message for one in row.judged.problems)
    return ReportRow(row.line, cells, problems or FATES.get(row.fate, ""), bool(problems))


def _read(row: PreviewedRow, column: Column, text: str) -> str:
    # Texts are kept as they are, and what is personal in them was masked.
    if not column.role or Role(column.role) in TEXTS:
        return ""
    value = row.read.get(Role(column.role))
    shown = _shown(value, row)
    return shown if shown != text.strip() else ""


def _shown(value: object, row: PreviewedRow) -> str:
    if isinstance(value, datetime):
        is_day = row.judged.record is not None and row.judged.record.grain == "day"
        return f"{value:%Y-%m-%d}" if is_day else f"{value:%Y-%m-%d %H:%M %Z}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)
