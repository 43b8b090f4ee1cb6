"""What the pages show of watched sources: cards, the grid of hours, the ledger. In the organisation's schema."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from apps.events.models import FileImport, WatchedFile, WatchedSource
from apps.events.watched.completeness import DAYS, Delivery, Grid, Outcome, Rule, grid_of

State = WatchedFile.State
FAILED = frozenset({State.FAILED, State.RESTING})
BUSY = frozenset({State.SEEN, State.READY, State.IMPORTING})
PAGE = 50
HOUR = timedelta(hours=1)
# The window of the grid in UTC, whatever the time zone.
WINDOW = timedelta(days=DAYS + 2)
FIRST = Min("hour", filter=Q(is_hour_named=True))


@dataclass(frozen=True)
class Card:
    """One watched source on the Sources page."""

    source: WatchedSource
    grid: Grid
    last_imported: datetime | None
    failed: int


@dataclass(frozen=True)
class LedgerRow:
    file: WatchedFile
    counts: FileImport | None

    @property
    def can_retry(self) -> bool:
        return self.file.state in FAILED

    @property
    def tone(self) -> str:
        tones = {State.IMPORTED: "good", State.FAILED: "warn", State.RESTING: "bad", State.IMPORTING: "accent"}
        return tones.get(State(self.file.state), "")

    @property
    def word(self) -> str:
        if self.file.state == State.IMPORTED and self.file.is_replay:
            return "Replayed"
        if self.file.state == State.SEEN and self.file.source.done_marker:
            return "Waits for its marker"
        return str(self.file.get_state_display())


@dataclass(frozen=True)
class LedgerPage:
    rows: Sequence[LedgerRow]
    total: int
    number: int
    states: Mapping[str, int]

    @property
    def newer(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def older(self) -> int | None:
        return self.number + 1 if self.number * PAGE < self.total else None


def list_cards(time_zone: str, now: datetime) -> list[Card]:
    """As many questions for two hundred sources as for one."""
    failed = Count("pk", filter=Q(state__in=FAILED))
    found = WatchedFile.objects.values("source").annotate(last=Max("imported_at"), failed=failed, first=FIRST)
    sums: dict[UUID, dict[str, Any]] = {one["source"]: dict(one) for one in found}
    files = list(_of_window(WatchedFile.objects.all(), now))
    counts = _counts_of(files)
    by_source: dict[UUID, list[WatchedFile]] = {}
    for file in files:
        by_source.setdefault(file.source_id, []).append(file)
    cards = []
    for source in WatchedSource.objects.all():
        one = sums.get(source.pk, {})
        grid = _grid(source, by_source.get(source.pk, ()), counts, one.get("first"), time_zone, now)
        cards.append(Card(source, grid, one.get("last"), one.get("failed", 0)))
    return cards


def grid_for(source: WatchedSource, time_zone: str, now: datetime) -> Grid:
    files = list(_of_window(source.files.all(), now))
    first = source.files.aggregate(first=FIRST)["first"]
    return _grid(source, files, _counts_of(files), first, time_zone, now)


def _of_window(files: QuerySet[WatchedFile], now: datetime) -> QuerySet[WatchedFile]:
    return files.filter(hour__gte=now - WINDOW).exclude(state=State.REPLACED)


def _grid(
    source: WatchedSource, files: Iterable[WatchedFile], counts: Mapping[UUID, FileImport], first: datetime | None,
    time_zone: str, now: datetime,
) -> Grid:  # fmt: skip
    deliveries = [_delivery(file, counts) for file in files]
    return grid_of(deliveries, _rule_of(source, first), now=now, time_zone=time_zone)


def ledger_page(source: WatchedSource, *, number: int, only_failed: bool) -> LedgerPage:
    """The newest hours first."""
    files: QuerySet[WatchedFile] = source.files.select_related("source").order_by("-hour", "path", "-pk")
    if only_failed:
        files = files.filter(state__in=FAILED)
    states = dict(source.files.order_by().values_list("state").annotate(Count("pk")))
    total = sum(count for state, count in states.items() if not only_failed or state in FAILED)
    number = max(1, min(number, -(-total // PAGE)))
    page = list(files[(number - 1) * PAGE : number * PAGE])
    counts = _counts_of(page)
    rows = [LedgerRow(file, counts.get(file.import_id) if file.import_id else None) for file in page]
    return LedgerPage(rows, total, number, states)


def _rule_of(source: WatchedSource, first: datetime | None) -> Rule:
    """Hours count from the `first` that a file was for, or from when the source was made, whichever is earlier."""
    made = source.created_at.replace(minute=0, second=0, microsecond=0)
    since = min(made, first) if first else made
    return Rule(source.cadence, timedelta(minutes=source.lateness_minutes), since, watched_since=made)


def _counts_of(files: Iterable[WatchedFile]) -> dict[UUID, FileImport]:
    return FileImport.objects.in_bulk([file.import_id for file in files if file.import_id])


def _delivery(file: WatchedFile, counts: Mapping[UUID, FileImport]) -> Delivery:
    came = counts.get(file.import_id) if file.import_id else None
    outcome = (
        Outcome.IMPORTED
        if file.state == State.IMPORTED
        else Outcome.FAILED
        if file.state in FAILED
        else Outcome.WAITING
    )
    return Delivery(
        hour=file.hour,
        arrived_at=file.arrived_at,
        outcome=outcome,
        replay=file.is_replay,
        accepted=came.accepted if came else 0,
        duplicate=came.duplicate if came else 0,
        rejected=came.rejected if came else 0,
    )
