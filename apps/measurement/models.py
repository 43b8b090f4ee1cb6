"""What an organisation's reach is measured against. In its own schema."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Universe(models.Model):
    """The persons that 100 rating points are: one row, or none. The target is a part of them, or nobody."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=80, help_text="Such as US persons 2+.")
    persons = models.BigIntegerField()
    target_name = models.CharField(max_length=80, blank=True, help_text="Such as Adults 25–54.")
    target_persons = models.BigIntegerField(null=True)
    target_cohorts = ArrayField(models.CharField(max_length=256), default=list, help_text="Whose events are on target.")
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="universe_once"),
            models.CheckConstraint(condition=models.Q(persons__gt=0), name="universe_of_somebody"),
            models.CheckConstraint(
                condition=models.Q(target_persons=None)
                | models.Q(target_persons__gt=0, target_persons__lte=models.F("persons")),
                name="universe_target_within",
            ),
        ]

    def __str__(self) -> str:
        return self.name
