"""The ingest log: what was received and not yet everything that was done with it. Public schema, row-level security.

A record is what arrived together: lines with personal data already taken out. The ingestor claims records in batches;
what it claimed once stays one batch for ever, so that a replay after a crash is recognised as the same.

PostgreSQL keeps it in partitions of an hour by `created_at` (see `migrations/0006_hourly_partitions.py`): whoever asks
names a time, or all of them are looked through.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

UNCLAIMED = models.Q(done_at=None, error="", batch_id=None)


class LogRecord(models.Model):
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    batch_id = models.UUIDField(null=True, editable=False)
    source = models.CharField(max_length=80, blank=True, help_text="Through which door: api/…, pixel/…, file/….")
    import_id = models.UUIDField(null=True)
    history = models.BooleanField(default=False)
    first_position = models.PositiveBigIntegerField(default=1)
    line_count = models.PositiveIntegerField()
    byte_count = models.PositiveBigIntegerField(default=0, help_text="Of the lines, not of the payload.")
    payload = models.BinaryField(help_text="Lines joined by \\n, zstd.")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    accepted = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="log_waiting", condition=models.Q(done_at=None, error="")),
            models.Index(fields=["org", "id"], name="log_unclaimed", condition=UNCLAIMED),
            models.Index(fields=["batch_id"], name="log_by_batch", condition=models.Q(batch_id__isnull=False)),
            models.Index(fields=["id"], name="log_failed", condition=~models.Q(error="")),
            models.Index(fields=["import_id"], name="log_by_import", condition=models.Q(import_id__isnull=False)),
            models.Index(fields=["org", "-id"], name="log_newest"),
        ]

    def __str__(self) -> str:
        return f"record {self.pk} of {self.line_count} lines"


class ArrivalMinute(models.Model):
    """What one organisation was sent in one minute through one door for one platform, counted with its batch.

    Kept for a day: what is older is in the sources' hours. Lines that were rejected have no platform.
    """

    org = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=80, help_text="As in the ingest log.")
    platform = models.CharField(max_length=40, blank=True)
    minute = models.DateTimeField(help_text="Of arrival, its start, UTC.")
    accepted = models.PositiveBigIntegerField()
    duplicate = models.PositiveBigIntegerField()
    rejected = models.PositiveBigIntegerField()
    last_received = models.DateTimeField()
    waits = ArrayField(models.BigIntegerField(), help_text="Accepted events by the time from arrival to being stored.")
    ages = ArrayField(models.BigIntegerField(), help_text="The same by the time from happening to arrival.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["org", "minute", "source", "platform"], name="arrival_minute_once")
        ]
        indexes = [models.Index(fields=["minute"], name="arrival_by_minute")]

    def __str__(self) -> str:
        return f"{self.source} at {self.minute:%Y-%m-%d %H:%M}"


class KafkaPartition(models.Model):
    """How far a partition of a topic was claimed. It is no organisation's."""

    topic = models.CharField(max_length=249)
    number = models.PositiveIntegerField()
    next_offset = models.BigIntegerField()
    lines_per_message = models.FloatField(default=1, help_text="Of the latest claim, to tell how much waits.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["topic", "number"], name="kafka_partition_once")]

    def __str__(self) -> str:
        return f"{self.topic}/{self.number} from {self.next_offset}"


class KafkaBatch(models.Model):
    """One organisation's messages of a partition between two offsets, both included: what is one insert."""

    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    batch_id = models.UUIDField(unique=True, editable=False)
    partition = models.ForeignKey(KafkaPartition, on_delete=models.PROTECT, related_name="batches")
    first_offset = models.BigIntegerField()
    last_offset = models.BigIntegerField()
    record_count = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    settled_offsets = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="Of a batch that is partly done with; what failed is in the table of records.",
    )
    claimed_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    accepted = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="kafka_batch_open", condition=models.Q(done_at=None)),
            models.Index(fields=["done_at"], name="kafka_batch_done"),
        ]

    def __str__(self) -> str:
        return f"batch {self.batch_id} of {self.record_count} messages"


class KafkaImport(models.Model):
    """How far a file's lines are, since messages bear no counts."""

    id = models.UUIDField(primary_key=True, editable=False)
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    line_count = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    duplicate = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"import {self.pk}: {self.done} of {self.line_count}"
