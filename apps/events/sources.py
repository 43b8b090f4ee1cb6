"""Where an organisation's events come from and how good they are, as its pages show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet

from apps.common.errors import NotFound
from apps.events.flow.minutes import (
    SUMS,
    Counts,
    active_minutes,
    counts_by_minute,
    counts_by_source,
    last_minutes,
    minutes_of,
    shown_sources,
)
from apps.events.flow.silence import Silence, find_silence
from apps.events.log import store
from apps.events.models import FileImport, QuarantinedLine, SourceHour, WatchedSource
from apps.events.quality import CODES
from apps.orgs.public import Organisation

SHOWN_DAYS = 7
SAMPLE_CHARACTERS = 400
MOST_FILES = 20
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Source:
    """One door of the organisation's, over the last days."""

    name: str
    counts: Counts
    last_received: datetime
    last_hour: int = 0
    silence: Silence | None = None

    @property
    def rejected_share(self) -> float:
        return self.counts.rejected / self.counts.total if self.counts.total else 0.0

    @property
    def accepted(self) -> int:
        return self.counts.accepted

    @property
    def duplicate(self) -> int:
        return self.counts.duplicate

    @property
    def rejected(self) -> int:
        return self.counts.rejected


@dataclass(frozen=True)
class Reason:
    """Lines or rows that were turned away for one reason, with one of them to look at; personal data was taken out on
    arrival."""

    code: str
    meaning: str
    count: int
    message: str
    sample: str
    sources: int = 1
    since: datetime | None = None

    @property
    def is_age(self) -> bool:
        """Nothing is wrong with such lines but their age: replayed as history they are taken."""
        return self.code == "timestamp_too_old"


def list_sources(org: Organisation, now: datetime, *, data: Q | None = None) -> list[Source]:
    """In the organisation's schema, the one that sent last first: of the data that its pages show, or of `data`."""
    hours = _hours(org, now, data)
    sums = hours.values("source").annotate(**SUMS, last=Max("last_received"))
    minutes = minutes_of(org, data=data)
    by_source = counts_by_source(minutes, now - timedelta(hours=1))
    active, active_hours = active_minutes(minutes), _active_hours(hours)
    return [
        Source(
            one["source"] or UNKNOWN,
            counts=Counts.of(one),
            last_received=one["last"],
            last_hour=by_source.get(one["source"], Counts()).total,
            silence=find_silence(one["last"], now, active.get(one["source"], []), active_hours[one["source"]]),
        )
        for one in sums.order_by("-last")
    ]


def get_source(org: Organisation, name: str, now: datetime) -> Source:
    found = next((one for one in list_sources(org, now) if one.name == name), None)
    if found is None:
        raise NotFound(f"Nothing came from a source {name!r} in the last {SHOWN_DAYS} days.")
    return found


def is_known_source(org: Organisation, name: str, now: datetime) -> bool:
    """Whether `get_source` finds it."""
    return _hours(org, now).filter(source=name).exists()


def find_watched(name: str) -> WatchedSource | None:
    """The watched folder whose events bear this source. In the organisation's schema."""
    if not name.startswith(WatchedSource.DOOR):
        return None
    return WatchedSource.objects.filter(name=name.removeprefix(WatchedSource.DOOR)).first()


def stored_name(shown: str) -> str:
    """A source as the log names it; old records have none."""
    return "" if shown == UNKNOWN else shown


def minute_counts(org: Organisation, now: datetime, source: str | None = None) -> tuple[list[datetime], list[Counts]]:
    """The last 60 minutes, of one source or of all."""
    minutes = last_minutes(now)
    return minutes, counts_by_minute(minutes_of(org, source), minutes)


def hour_counts(org: Organisation, now: datetime, source: str | None = None) -> tuple[list[datetime], list[Counts]]:
    """The last seven days by the hour."""
    latest = now.replace(minute=0, second=0, microsecond=0)
    hours = [latest - timedelta(hours=back) for back in range(SHOWN_DAYS * 24 - 1, -1, -1)]
    found = _hours(org, now) if source is None else _hours(org, now).filter(source=source)
    sums = found.values("hour").annotate(**SUMS)
    known = {one["hour"]: Counts.of(one) for one in sums}
    return hours, [known.get(hour, Counts()) for hour in hours]


def list_files(source: str) -> list[FileImport]:
    """The newest files of a source, in the organisation's schema."""
    return list(FileImport.objects.filter(door=source).order_by("-started_at")[:MOST_FILES])


def quarantined(org: Organisation) -> QuerySet[QuarantinedLine]:
    return QuarantinedLine.objects.filter(shown_sources(org))


def list_reasons(org: Organisation, source: str | None = None) -> list[Reason]:
    """Why lines are in quarantine: of the organisation, or of one source."""
    return reasons_of(quarantined(org) if source is None else quarantined(org).filter(source=source))


def reasons_of(lines: QuerySet[QuarantinedLine]) -> list[Reason]:
    """In the organisation's schema, the most frequent first, each with its newest line."""
    found = lines.values("code").annotate(
        lines=Count("pk"), sources=Count("source", distinct=True), since=Min("created_at"), newest=Max("pk")
    )
    newest = QuarantinedLine.objects.in_bulk([one["newest"] for one in found])
    return [
        Reason(
            code=one["code"],
            meaning=CODES.get(one["code"], one["code"]),
            count=one["lines"],
            message=newest[one["newest"]].message,
            sample=newest[one["newest"]].line[:SAMPLE_CHARACTERS],
            sources=one["sources"],
            since=one["since"],
        )
        for one in sorted(found, key=lambda one: -one["lines"])
    ]


def waiting_lines(org: Organisation) -> int:
    return store.waiting_lines(org.pk)


def _hours(org: Organisation, now: datetime, data: Q | None = None) -> QuerySet[SourceHour]:
    return SourceHour.objects.filter(data or shown_sources(org), hour__gte=now - timedelta(days=SHOWN_DAYS))


def _active_hours(hours: QuerySet[SourceHour]) -> dict[str, list[datetime]]:
    active: dict[str, list[datetime]] = {}
    for source, hour in hours.values_list("source", "hour"):
        active.setdefault(source, []).append(hour)
    return active
