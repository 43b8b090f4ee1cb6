"""The ingest log: what was received and not yet everything that was done with it. Public schema, row-level security.

A record is a batch of lines as they go to the ingestor, personal data already taken out. Its `batch_id` is made when
it is written and never again, so that a replay after a crash is recognised as the same batch.
"""

import uuid

from django.db import models


class LogRecord(models.Model):
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    batch_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    import_id = models.UUIDField(null=True)
    history = models.BooleanField(default=False)
    first_position = models.PositiveBigIntegerField(default=1)
    line_count = models.PositiveIntegerField()
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
            models.Index(fields=["import_id"], name="log_by_import", condition=models.Q(import_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"batch {self.batch_id} of {self.line_count}"
