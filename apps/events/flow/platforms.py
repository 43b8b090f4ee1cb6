"""The flow of events of all organisations, for those who may see all: by the minute, platform and organisation.

Row-level security decides what a reader sees here; only staff see everything. Generated events are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Sum

from apps.events.edge import gauges
from apps.events.flow.minutes import REAL, SUMS, Counts, Lag, counts_by_minute, last_minutes, measure_lag
from apps.events.lock import is_held
from apps.events.log import partitions, store
from apps.events.log.models import ArrivalMinute


@dataclass(frozen=True)
class OfOrganisation:
    org_id: UUID
    counts: Counts
    last_minutes: Counts
    last_received: datetime


@dataclass(frozen=True)
class Answers:
    """What this web process's edge has answered since it started."""

    taken: int
    refused: int
    busy: int
    failed: int


@dataclass(frozen=True)
class Flow:
    minutes: Sequence[datetime]
    by_minute: Sequence[Counts]
    by_platform: dict[str, list[int]]
    organisations: Sequence[OfOrganisation]
    waiting: int
    oldest_waiting: datetime | None
    is_ingesting: bool
    lag: Lag
    answers: Answers


# Of the minutes shown, the last five that are over.
WHOLE_MINUTES = slice(-6, -1)


def read_flow(now: datetime) -> Flow:
    minutes = last_minutes(now)
    found = ArrivalMinute.objects.filter(REAL, minute__gte=minutes[0])
    return Flow(
        minutes=minutes,
        by_minute=counts_by_minute(found, minutes),
        by_platform=_by_platform(minutes),
        organisations=_by_organisation(minutes),
        waiting=store.waiting_lines(),
        oldest_waiting=store.oldest_waiting(),
        is_ingesting=is_held(),
        lag=measure_lag(found, now),
        answers=_answers(),
    )


def _by_platform(minutes: Sequence[datetime]) -> dict[str, list[int]]:
    """Accepted events, the largest platform first."""
    places = {minute: place for place, minute in enumerate(minutes)}
    found = ArrivalMinute.objects.filter(REAL, minute__gte=minutes[0], accepted__gt=0)
    platforms: dict[str, list[int]] = {}
    for platform, minute, accepted in found.values_list("platform", "minute").annotate(Sum("accepted")):
        if minute in places:
            platforms.setdefault(platform, [0] * len(minutes))[places[minute]] += accepted
    return dict(sorted(platforms.items(), key=lambda pair: (-sum(pair[1]), pair[0])))


def _by_organisation(minutes: Sequence[datetime]) -> list[OfOrganisation]:
    found = ArrivalMinute.objects.filter(REAL, minute__gte=minutes[0])
    recent = {
        one["org"]: Counts.of(one)
        for one in found.filter(minute__in=minutes[WHOLE_MINUTES]).values("org").annotate(**SUMS)
    }
    hour = found.values("org").annotate(**SUMS, last=Max("last_received")).order_by("-last")
    return [OfOrganisation(one["org"], Counts.of(one), recent.get(one["org"], Counts()), one["last"]) for one in hour]


def _answers() -> Answers:
    counts = gauges.answers()
    return Answers(
        taken=sum(count for status, count in counts.items() if status < 300),
        refused=sum(count for status, count in counts.items() if 400 <= status < 500),
        busy=counts.get(503, 0),
        failed=sum(count for status, count in counts.items() if status >= 500 and status != 503),
    )


@dataclass(frozen=True)
class Ingest:
    """How ingest is: what waits, since when, whether anybody works on it, and how long it took of late."""

    waiting: int
    oldest_waiting: datetime | None
    is_ingesting: bool
    lag: Lag
    failed_records: int


def read_ingest(now: datetime) -> Ingest:
    recent = ArrivalMinute.objects.filter(REAL, minute__gte=last_minutes(now)[0])
    return Ingest(
        waiting=store.waiting_lines(),
        oldest_waiting=store.oldest_waiting(),
        is_ingesting=is_held(),
        lag=measure_lag(recent, now),
        failed_records=partitions.condition().failed_records,
    )
