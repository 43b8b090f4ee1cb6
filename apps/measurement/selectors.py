"""Reads of measurement from PostgreSQL."""

from apps.measurement.contracts import Universe
from apps.measurement.models import Universe as Row


def get_universe() -> Universe | None:
    """Of the organisation whose schema this connection is in."""
    row = Row.objects.first()
    if row is None:
        return None
    return Universe(row.name, row.persons, row.target_name, row.target_persons, tuple(row.target_cohorts))
