"""What the console keeps itself: tasks that failed, so that somebody can see why and run them again."""

from django.db import models


class FailedTask(models.Model):
    """A task that ended with an error, as it was called; tasks are called with ids, never with personal data."""

    id = models.UUIDField(primary_key=True, help_text="Celery's id of the run.")
    name = models.CharField(max_length=160)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    queue = models.CharField(max_length=80, blank=True, default="")
    error = models.CharField(max_length=400)
    trace = models.TextField(blank=True, default="")
    failed_at = models.DateTimeField(auto_now_add=True)
    retried_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-failed_at"], name="failed_task_by_time")]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"
