"""Files as the pages show them: those that people uploaded, and those that other doors imported. In the schema."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from apps.accounts.public import User
from apps.common.errors import NotFound
from apps.events.formats.registry import FORMATS
from apps.events.generated import DOOR
from apps.events.models import FileImport, QuarantinedLine, RejectedRow, Upload, UploadState
from apps.events.reported.refusals import ROW_CODES
from apps.events.reported.roles import Role
from apps.events.sources import SAMPLE_CHARACTERS, Reason, reasons_of
from apps.events.uploads.lock import worked_on
from apps.events.uploads.reports import PERFORMANCE, ROLE_NAMES
from apps.events.uploads.running import progress_of

LISTED = 50
OPEN = frozenset({UploadState.QUEUED, UploadState.IMPORTING})
# An upload of which nothing came for so long was paused, or its page was closed.
QUIET = timedelta(seconds=20)


@dataclass(frozen=True)
class File:
    """One file: an upload, an import, or both."""

    id: UUID
    name: str
    format: str
    at: datetime
    upload: Upload | None = None
    run: FileImport | None = None
    by: str = ""
    stopped: bool = False

    @property
    def format_name(self) -> str:
        if self.format == PERFORMANCE:
            source = f", {self.run.source}" if self.run else ""
            return f"campaign performance{source}"
        known = FORMATS.get(self.format)
        return known.description if known else self.format

    @property
    def is_report(self) -> bool:
        return self.format == PERFORMANCE

    @property
    def is_whole(self) -> bool:
        return self.run is not None and self.run.finished_at is not None

    @property
    def changes(self) -> bool:
        """Whether it is worth looking again in a moment."""
        if self.upload is not None and self.upload.state in OPEN:
            return not self.stopped
        return self.run is not None and not self.is_whole

    @property
    def is_not_recognised(self) -> bool:
        return self.upload is not None and self.upload.state == UploadState.READY and not self.format

    @property
    def is_interrupted(self) -> bool:
        """Bytes are missing, and none came for a while."""
        if self.upload is None or self.upload.state != UploadState.RECEIVING:
            return False
        return timezone.now() - self.upload.changed_at > QUIET

    @property
    def word(self) -> str:
        if self.stopped:
            return "Stopped"
        if self.run is not None:
            return "Imported" if self.is_whole else "Being processed"
        if self.is_not_recognised:
            return "Not recognised"
        if self.is_interrupted:
            return "Interrupted at"
        return str(self.upload.get_state_display()) if self.upload else ""

    @property
    def tone(self) -> str:
        if self.stopped or (self.upload and self.upload.state == UploadState.FAILED):
            return "bad"
        if self.is_whole:
            return "good"
        waits = self.upload is not None and self.upload.state in {UploadState.RECEIVING, UploadState.CANCELLED}
        return "warn" if waits or self.is_not_recognised else "accent"

    @property
    def percent(self) -> int | None:
        """Of what is going on now."""
        if self.upload is None or self.stopped:
            return None
        if self.upload.state == UploadState.RECEIVING:
            return self.upload.received * 100 // self.upload.size
        progress = progress_of(self.upload.pk) if self.upload.state == UploadState.IMPORTING else None
        return min(progress.done * 100 // self.upload.size, 100) if progress else None


@dataclass(frozen=True)
class Total:
    """A total of the report's own beside the sum of its rows."""

    name: str
    stated: str
    summed: str
    agrees: bool


def list_files(before: datetime | None = None) -> list[File]:
    """The newest first; more of them before the last one's time."""
    uploads = Upload.objects.order_by("-created_at")
    runs = FileImport.objects.exclude(door__startswith=DOOR).order_by("-started_at")
    if before:
        uploads, runs = uploads.filter(created_at__lt=before), runs.filter(started_at__lt=before)
    mine = list(uploads[:LISTED])
    known = {run.pk: run for run in FileImport.objects.filter(pk__in=[one.import_id for one in mine if one.import_id])}
    linked = Upload.objects.exclude(import_id=None).values("import_id")
    others = [
        File(run.pk, run.name, run.format, run.started_at, run=run) for run in runs.exclude(pk__in=linked)[:LISTED]
    ]
    return sorted([*_files(mine, known), *others], key=lambda one: one.at, reverse=True)[:LISTED]


def get_file(file_id: UUID) -> File:
    """By the upload's id, or the import's where there was no upload."""
    if upload := Upload.objects.filter(pk=file_id).first():
        runs = FileImport.objects.filter(pk=upload.import_id) if upload.import_id else ()
        return _files([upload], {run.pk: run for run in runs})[0]
    run = FileImport.objects.filter(pk=file_id).first()
    if run is None:
        raise NotFound("There is no such file here.")
    return _of_import(run)


def find_twin(upload: Upload) -> File | None:
    """A report of exactly as many bytes that was imported before: most likely the same one."""
    same = Upload.objects.filter(state=UploadState.IMPORTED, format=PERFORMANCE, size=upload.size)
    found = same.exclude(pk=upload.pk).order_by("-changed_at").first()
    return None if found is None else get_file(found.pk)


def list_row_reasons(run: FileImport) -> list[Reason]:
    """Why rows of this report were turned away: all are counted, some are kept."""
    counts: dict[str, int] = run.findings.get("reasons", {})
    kept = RejectedRow.objects.filter(import_id=run.pk)
    samples = {row.code: row for row in kept.order_by("code", "line").distinct("code")}
    return [
        Reason(
            code,
            ROW_CODES.get(code, code),
            count,
            f"line {samples[code].line}: {samples[code].message}" if code in samples else "",
            samples[code].cells[:SAMPLE_CHARACTERS] if code in samples else "",
        )
        for code, count in sorted(counts.items(), key=lambda one: -one[1])
    ]


def list_totals(run: FileImport) -> list[Total]:
    """What the report itself says its rows sum to."""
    return [
        Total(
            ROLE_NAMES[Role(one["role"])],
            _written(Decimal(one["stated"])),
            _written(Decimal(one["summed"])),
            one["agrees"],
        )
        for one in run.findings.get("totals", [])
    ]


def list_reasons(import_id: UUID) -> list[Reason]:
    """Why lines of this import were turned away."""
    return reasons_of(QuarantinedLine.objects.filter(import_id=import_id))


def _written(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _of_import(run: FileImport) -> File:
    return File(run.pk, run.name, run.format, run.started_at, run=run)


def _files(uploads: Sequence[Upload], runs: Mapping[UUID, FileImport]) -> list[File]:
    names = _names(one.created_by for one in uploads if one.created_by)
    open_ids = [one.pk for one in uploads if one.state == UploadState.IMPORTING]
    at_work = worked_on(open_ids) if open_ids else set()
    return [
        File(
            id=one.pk,
            name=one.name,
            format=one.format,
            at=one.created_at,
            upload=one,
            run=runs.get(one.import_id) if one.import_id else None,
            by=names.get(one.created_by, "") if one.created_by else "",
            stopped=one.state == UploadState.IMPORTING and one.pk not in at_work,
        )
        for one in uploads
    ]


def _names(user_ids: Iterable[UUID]) -> dict[UUID, str]:
    return {user.pk: user.name or user.email for user in User.objects.filter(pk__in=set(user_ids))}
