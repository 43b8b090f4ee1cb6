"""Reads of what arrived by the minute. Row-level security keeps each reader to the organisations they may see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum

from apps.events.flow.histogram import added, quantile
from apps.events.generated import DOOR
from apps.events.log.models import ArrivalMinute
from apps.orgs.public import Organisation

SUMS = {name: Sum(name) for name in ("accepted", "duplicate", "rejected")}
LAG_HOURS = 24
REAL = ~Q(source__startswith=DOOR)
GENERATED = Q(source__startswith=DOOR)


@dataclass(frozen=True)
class Counts:
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0

    @classmethod
    def of(cls, sums: Mapping[str, Any]) -> "Counts":
        """From a row that has them under their own names."""
        return cls(sums["accepted"], sums["duplicate"], sums["rejected"])

    @property
    def total(self) -> int:
        return self.accepted + self.duplicate + self.rejected


@dataclass(frozen=True)
class Lag:
    """Seconds at the median and at the 95th percentile; None where nothing was measured.

    `wait`: from arrival to being stored. `age`: from happening to arrival.
    """

    wait_half: float | None
    wait_most: float | None
    age_half: float | None
    age_most: float | None


def shown_sources(org: Organisation) -> Q:
    """The sources of the data that the organisation's pages show now: real or generated."""
    return GENERATED if org.shows_generated else REAL


def minutes_of(org: Organisation, source: str | None = None, *, data: Q | None = None) -> QuerySet[ArrivalMinute]:
    """Of the data that the organisation's pages show, unless `data` says which."""
    found = ArrivalMinute.objects.filter(data or shown_sources(org), org=org)
    return found if source is None else found.filter(source=source)


def last_minutes(now: datetime, count: int = 60) -> list[datetime]:
    """The minute of `now` and those before it, oldest first."""
    latest = now.replace(second=0, microsecond=0)
    return [latest - timedelta(minutes=back) for back in range(count - 1, -1, -1)]


def counts_by_minute(found: QuerySet[ArrivalMinute], minutes: Sequence[datetime]) -> list[Counts]:
    sums = found.filter(minute__gte=minutes[0]).values("minute").annotate(**SUMS)
    known = {one["minute"]: Counts.of(one) for one in sums}
    return [known.get(minute, Counts()) for minute in minutes]


def counts_by_source(found: QuerySet[ArrivalMinute], since: datetime) -> dict[str, Counts]:
    sums = found.filter(minute__gte=since).values("source").annotate(**SUMS)
    return {one["source"]: Counts.of(one) for one in sums}


def active_minutes(found: QuerySet[ArrivalMinute]) -> dict[str, list[datetime]]:
    """By source, the minutes in which something arrived."""
    minutes: dict[str, list[datetime]] = {}
    for source, minute in found.values_list("source", "minute").distinct():
        minutes.setdefault(source, []).append(minute)
    return minutes


def measure_lag(found: QuerySet[ArrivalMinute], now: datetime) -> Lag:
    """Over the last day."""
    rows = found.filter(minute__gte=now - timedelta(hours=LAG_HOURS), accepted__gt=0).values_list("waits", "ages")
    return lag_of(list(rows))


def lag_of(rows: Iterable[tuple[Sequence[int], Sequence[int]]]) -> Lag:
    rows = list(rows)
    waits, ages = added(waits for waits, _ in rows), added(ages for _, ages in rows)
    return Lag(quantile(waits, 0.5), quantile(waits, 0.95), quantile(ages, 0.5), quantile(ages, 0.95))
