"""What was turned away of the reports that count now."""

from dataclasses import dataclass
from datetime import datetime

from apps.events.models import FileImport, RejectedRow
from apps.events.reported.refusals import ROW_CODES


@dataclass(frozen=True)
class RejectedRows:
    """Rows of one file that were rejected for one reason, with the first of them."""

    source: str
    file: str
    imported_at: datetime
    code: str
    meaning: str
    count: int
    line: int
    column: str
    message: str
    cells: str


def list_rejected_rows() -> list[RejectedRows]:
    """Of each source's last file, the newest file first. In the organisation's schema."""
    runs = FileImport.objects.exclude(source="").filter(finished_at__isnull=False)
    last = {run.pk: run for run in runs.order_by("source", "-started_at").distinct("source") if run.rejected}
    firsts = RejectedRow.objects.filter(import_id__in=last).order_by("import_id", "code", "line")
    found = [_told(row, last[row.import_id]) for row in firsts.distinct("import_id", "code")]
    return sorted(found, key=lambda one: (one.imported_at, one.count), reverse=True)


def _told(row: RejectedRow, run: FileImport) -> RejectedRows:
    return RejectedRows(
        source=run.source,
        file=run.name,
        imported_at=run.started_at,
        code=row.code,
        meaning=ROW_CODES.get(row.code, ""),
        count=run.findings.get("reasons", {}).get(row.code, 0),
        line=row.line,
        column=row.column,
        message=row.message,
        cells=row.cells,
    )
