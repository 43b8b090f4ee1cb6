"""The flow of events of all organisations, for those who may see all: by the minute, platform and organisation.

Row-level security decides what a reader sees here; only staff see everything. Generated events are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db.models import Max, QuerySet, Sum

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


# Of the minutes shown, the last five that are over.
WHOLE_MINUTES = slice(-6, -1)


@dataclass(frozen=True)
class Flow:
    """As of `now`. Each part is asked for when it is wanted first: a page that shows one asks for no other."""

    now: datetime

    @cached_property
    def minutes(self) -> Sequence[datetime]:
        return last_minutes(self.now)

    @cached_property
    def by_minute(self) -> Sequence[Counts]:
        return counts_by_minute(self._arrived, self.minutes)

    @cached_property
    def by_platform(self) -> dict[str, list[int]]:
        return _by_platform(self.minutes)

    @cached_property
    def organisations(self) -> Sequence[OfOrganisation]:
        return _by_organisation(self.minutes)

    @cached_property
    def waiting(self) -> int:
        return store.waiting_lines()

    @cached_property
    def oldest_waiting(self) -> datetime | None:
        return store.oldest_waiting()

    @cached_property
    def is_ingesting(self) -> bool:
        return is_held()

    @cached_property
    def lag(self) -> Lag:
        return measure_lag(self._arrived, self.now)

    @cached_property
    def answers(self) -> Answers:
        return _answers()

    @property
    def _arrived(self) -> QuerySet[ArrivalMinute]:
        return ArrivalMinute.objects.filter(REAL, minute__gte=self.minutes[0])


def read_flow(now: datetime) -> Flow:
    return Flow(now)


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
