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
    tries = models.PositiveSmallIntegerField(default=0, help_text="Imports that a service's absence ended.")
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    bytes_removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="upload_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class Cadence(models.TextChoices):
    HOURLY = "hourly", "Every hour"
    DAILY = "daily", "Every day"
    NONE = "none", "At no set time"


class WatchedSource(models.Model):
    """A folder or bucket into which a vendor delivers files, and what is expected of it."""

    DOOR = "watched/"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60, unique=True)
    url = models.CharField(max_length=500, help_text="file:///folder or s3://bucket/prefix.")
    pattern = models.CharField(max_length=200, default="*", help_text="Which files: a shell pattern.")
    format = models.CharField(max_length=40)
    cadence = models.CharField(max_length=8, choices=Cadence.choices, default=Cadence.HOURLY)
    lateness_minutes = models.PositiveIntegerField(default=60, help_text="How long after its hour a file may come.")
    hour_pattern = models.CharField(
        max_length=200, blank=True, help_text="Where a path says its hour; empty: known ways."
    )
    done_marker = models.CharField(max_length=80, blank=True, help_text="What says that files are complete.")
    history = models.BooleanField(default=False, help_text="Whether events older than 90 days are taken.")
    paused = models.BooleanField(default=False)
    access_key_id = models.CharField(max_length=128, blank=True)
    sealed_secret = models.BinaryField(default=bytes, editable=False, help_text="Encrypted; see watched/seal.py.")
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    looked_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="Why the last look saw nothing.")
    looked_since = models.DateField(
        null=True, help_text="There are too many files: those that name an earlier day are left out."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def door(self) -> str:
        """The source that its events bear."""
        return f"{self.DOOR}{self.name}"


# Files of which nothing more is to be done are most of a ledger.
OPEN = ~models.Q(state__in=["imported", "replaced"])


class WatchedFile(models.Model):
    """One version of one file of a watched source: the ledger that lets each be imported once."""

    class State(models.TextChoices):
        SEEN = "seen", "Still arriving"
        READY = "ready", "Waits"
        IMPORTING = "importing", "Being imported"
        IMPORTED = "imported", "Imported"
        FAILED = "failed", "Will be tried again"
        RESTING = "resting", "Failed"
        REPLACED = "replaced", "Replaced by a newer version"

    source = models.ForeignKey(WatchedSource, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1024, help_text="Below the source's address.")
    version = models.CharField(max_length=120, help_text="S3's etag, or size and time of change.")
    size = models.PositiveBigIntegerField()
    hour = models.DateTimeField(help_text="For which hour it is, UTC; of a daily file, midnight of its date.")
    is_hour_named = models.BooleanField(help_text="Whether the path says so; else it is the hour of arrival.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.SEEN)
    is_replay = models.BooleanField(default=False, help_text="Another version of it was imported before.")
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    claim = models.UUIDField(null=True, help_text="Of the worker that imports it.")
    import_id = models.UUIDField(null=True)
    arrived_at = models.DateTimeField(help_text="When the place says that it was written.")
    found_at = models.DateTimeField(help_text="When this version was seen first.")
    claimed_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "path", "version"], name="watched_file_once")]
        indexes = [
            models.Index(fields=["source", "-hour", "path"], name="watched_by_hour"),
            models.Index(fields=["source", "hour", "path"], name="watched_open", condition=OPEN),
        ]

    def __str__(self) -> str:
        return f"{self.path} ({self.version})"
