"""An organisation's imports, its sources by the hour, and what was turned away. In its own schema."""

import uuid

from django.db import models


class FileImport(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    format = models.CharField(max_length=40)
    door = models.CharField(max_length=80, blank=True, help_text="The source of its records in the ingest log.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    read = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    duplicate = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    source = models.CharField(max_length=40, blank=True, help_text="Of reported performance: which report it is.")
    findings = models.JSONField(
        default=dict, help_text="Of reported performance: layout, reasons, the file's own totals."
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.format})"


class QuarantinedLine(models.Model):
    """A line that broke a rule, as it came (personal data taken out), for replay once the cause is mended."""

    import_id = models.UUIDField(null=True, db_index=True)
    source = models.CharField(max_length=80, blank=True, help_text="As in the ingest log.")
    record_id = models.BigIntegerField(help_text="Of the ingest log.")
    position = models.PositiveBigIntegerField()
    code = models.CharField(max_length=40, db_index=True)
    field = models.CharField(max_length=120, blank=True)
    message = models.TextField()
    line = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record_id", "position"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.code} at {self.position}"


class SourceHour(models.Model):
    """What one source sent in one hour of arrival, counted by the ingestor with the batch that brought it."""

    source = models.CharField(max_length=80, help_text="As in the ingest log.")
    hour = models.DateTimeField(help_text="Start of the hour, UTC.")
    accepted = models.PositiveBigIntegerField()
    duplicate = models.PositiveBigIntegerField()
    rejected = models.PositiveBigIntegerField()
    last_received = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "hour"], name="source_hour_once")]

    def __str__(self) -> str:
        return f"{self.source} at {self.hour:%Y-%m-%d %H}"


class ColumnMapping(models.Model):
    """Which column of a source's reports is what, as it was imported last: the next file is read likewise."""

    source = models.CharField(max_length=40, unique=True)
    columns = models.JSONField(help_text="Names of columns by role.")
    options = models.JSONField(help_text="What no column says: order of dates, decimal mark, currency, platform.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.source


class RejectedRow(models.Model):
    """A row of a report that broke a rule: its mapped cells as they came, personal data taken out."""

    import_id = models.UUIDField(db_index=True)
    source = models.CharField(max_length=40)
    line = models.PositiveBigIntegerField(help_text="Of the file, from 1.")
    code = models.CharField(max_length=40, db_index=True)
    column = models.CharField(max_length=256)
    message = models.TextField()
    cells = models.TextField(help_text="JSON: the mapped cells by the names of their columns.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["import_id", "line"], name="row_rejected_once")]

    def __str__(self) -> str:
        return f"{self.code} in line {self.line}"


class UploadState(models.TextChoices):
    RECEIVING = "receiving", "Uploading"
    READY = "ready", "Ready to import"
    QUEUED = "queued", "Waiting for its turn"
    IMPORTING = "importing", "Importing"
    IMPORTED = "imported", "Imported"
    CANCELLED = "cancelled", "Import cancelled"
    FAILED = "failed", "Not imported"


class Upload(models.Model):
    """A file that somebody sent from their desk. Its bytes lie in `UPLOAD_DIR`; what became of it stands here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, help_text="As its sender calls it; never part of a path.")
    size = models.PositiveBigIntegerField(help_text="Bytes, as announced.")
    received = models.PositiveBigIntegerField(default=0, help_text="Bytes that are on disk.")
    state = models.CharField(max_length=12, choices=UploadState, default=UploadState.RECEIVING)
    format = models.CharField(max_length=40, blank=True, help_text="Recognised first, then as chosen.")
    options = models.JSONField(default=dict, help_text="What was chosen for the import besides the format.")
    lines = models.PositiveBigIntegerField(null=True, help_text="Counted, or estimated from the beginning.")
    lines_exact = models.BooleanField(default=False)
    import_id = models.UUIDField(null=True, unique=True)
    cancelling = models.BooleanField(default=False, help_text="Somebody asked the running import to stop.")
    error = models.TextField(blank=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    bytes_removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="upload_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
