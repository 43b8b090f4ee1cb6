"""The ledger of a source's files: what a look saw, and who imports what. Each call is within the caller's transaction.

A file goes seen → ready once it has stopped growing → importing by one worker's claim → imported. Claims are
conditional updates, so that of two workers one wins. A worker that died leaves `importing` behind without a lock on
the row: after a while it is free again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from uuid import uuid4

from django.db.models import F, Q, QuerySet

from apps.events.models import Cadence, WatchedFile, WatchedSource
from apps.events.watched.names import hour_of
from apps.events.watched.places import Found

State = WatchedFile.State
# A file that grows is left alone until two looks, this far apart, saw the same version.
SETTLED_AFTER = timedelta(seconds=30)
# A claim that holds no lock after this long belongs to a worker that died.
ABANDONED_AFTER = timedelta(seconds=60)
# What a newer version of the same file leaves as it is.
KEPT = (State.IMPORTED, State.IMPORTING, State.REPLACED)
LISTED = ("path", "version", "state", "found_at", "import_id", "source")
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
MOST_TRIES = len(BACKOFF) + 1
# After a service was away, which is no fault of the file's.
PAUSE = timedelta(minutes=5)
CUT_OFF = "The import was cut off in the middle: the worker ended. Nothing of it was kept."
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")


@dataclass(frozen=True)
class Noted:
    """What a look found: new versions, and those that have not stopped growing."""

    new: int
    growing: int


def wanted(found: Iterable[Found], source: WatchedSource) -> list[Found]:
    """Files that the source is about: by its pattern, neither hidden nor half written, and none that only marks."""
    return [one for one in found if _is_wanted(one.path, source)]


def with_markers(found: Sequence[Found], marker: str) -> set[str]:
    """Paths that a marker says are complete: `.done` stands behind a file's own name, `_SUCCESS` in its folder."""
    paths = {one.path for one in found}
    if marker.startswith("."):
        return {path for path in paths if f"{path}{marker}" in paths}
    return {path for path in paths if f"{path.rpartition('/')[0]}/{marker}".lstrip("/") in paths}


def note(source: WatchedSource, found: Sequence[Found], now: datetime) -> Noted:
    """Bring the ledger up to what a listing shows."""
    known = _known(source)
    marked = with_markers(found, source.done_marker) if source.done_marker else None
    new: list[WatchedFile] = []
    back: list[WatchedFile] = []
    settled: list[int] = []
    growing = 0
    for one in wanted(found, source):
        rows = known.get(one.path, [])
        row = next((row for row in rows if row.version == one.version), None)
        whole = one.whole if marked is None else one.path in marked
        if row is None:
            grown = next((row for row in rows if row.state == State.SEEN), None)
            if grown is None or not _grow(grown, one, now, whole=whole):
                new.append(_new(source, one, rows, now, whole=whole))
            growing += not whole
        elif row.state == State.SEEN:
            rests = whole or (marked is None and now - row.found_at >= SETTLED_AFTER)
            settled.extend([row.pk] * rests)
            growing += not rests
        elif row.state == State.REPLACED and row.import_id is None:
            back.append(row)
            growing += not whole
            row.state, row.found_at = State.READY if whole else State.SEEN, now
            row.is_replay = _is_replay(rows)
    _replace([row.pk for one in new + back for row in known.get(one.path, ()) if row is not one])
    WatchedFile.objects.bulk_update(back, ["state", "found_at", "is_replay"], batch_size=1_000)
    WatchedFile.objects.filter(pk__in=settled, state=State.SEEN).update(state=State.READY)
    WatchedFile.objects.bulk_create(new, batch_size=1_000, ignore_conflicts=True)
    return Noted(len(new), growing)


def claim(source: WatchedSource, now: datetime) -> WatchedFile | None:
    """The oldest file that waits, for the caller alone, if there is one; it is its own once this is committed."""
    free_abandoned(source, now)
    for pk in _waiting(source, now).order_by("hour", "path").values_list("pk", flat=True)[:20]:
        token = uuid4()
        ours = _waiting(source, now).filter(pk=pk)
        if ours.update(state=State.IMPORTING, claim=token, claimed_at=now, next_try_at=None, tries=F("tries") + 1):
            return WatchedFile.objects.get(pk=pk)
    return None


def is_busy(source: WatchedSource, now: datetime) -> bool:
    """Whether a worker imports a file of this source."""
    free_abandoned(source, now)
    return WatchedFile.objects.filter(source=source, state=State.IMPORTING).exists()


def hold(file: WatchedFile) -> bool:
    """Lock what was claimed until the transaction ends; whether it is still the caller's."""
    held = WatchedFile.objects.select_for_update().filter(pk=file.pk, claim=file.claim, state=State.IMPORTING)
    return held.first() is not None


def fail(file: WatchedFile, error: str, now: datetime) -> bool:
    """Note why, and when it is tried again, or that it rests until somebody says so; whether it rests."""
    rests = file.tries >= MOST_TRIES
    WatchedFile.objects.filter(pk=file.pk, claim=file.claim, state=State.IMPORTING).update(
        state=State.RESTING if rests else State.FAILED,
        error=error,
        claim=None,
        next_try_at=None if rests else now + BACKOFF[file.tries - 1],
    )
    return rests


def postpone(file: WatchedFile, error: str, now: datetime) -> None:
    """Something that the import needs was not there: this was no try."""
    WatchedFile.objects.filter(pk=file.pk, claim=file.claim, state=State.IMPORTING).update(
        state=State.FAILED, error=error, claim=None, next_try_at=now + PAUSE, tries=F("tries") - 1
    )


def free_abandoned(source: WatchedSource, now: datetime) -> None:
    dead = (
        WatchedFile.objects.select_for_update(skip_locked=True)
        .filter(source=source, state=State.IMPORTING, claimed_at__lt=now - ABANDONED_AFTER)
        .only("pk", "tries")
    )
    for row in dead:
        state = State.RESTING if row.tries >= MOST_TRIES else State.READY
        WatchedFile.objects.filter(pk=row.pk).update(state=state, claim=None, error=CUT_OFF)


def _known(source: WatchedSource) -> dict[str, list[WatchedFile]]:
    known: dict[str, list[WatchedFile]] = {}
    for row in WatchedFile.objects.filter(source=source).only(*LISTED):
        known.setdefault(row.path, []).append(row)
    return known


def _grow(row: WatchedFile, one: Found, now: datetime, *, whole: bool) -> bool:
    """The same arrival goes on: one row of the ledger, however many looks saw it grow."""
    state = State.READY if whole else State.SEEN
    return bool(
        WatchedFile.objects.filter(pk=row.pk, state=State.SEEN).update(
            version=one.version, size=one.size, state=state, arrived_at=min(one.modified_at, now), found_at=now
        )
    )


def _new(source: WatchedSource, one: Found, rows: Sequence[WatchedFile], now: datetime, *, whole: bool) -> WatchedFile:
    daily = source.cadence == Cadence.DAILY
    arrived_at = min(one.modified_at, now)
    hour = hour_of(one.path, own=source.hour_pattern, daily=daily)
    fallback = arrived_at.replace(minute=0, second=0, microsecond=0)
    return WatchedFile(
        source=source,
        path=one.path,
        version=one.version,
        size=one.size,
        hour=hour or (fallback.replace(hour=0) if daily else fallback),
        is_hour_named=hour is not None,
        state=State.READY if whole else State.SEEN,
        is_replay=_is_replay(rows),
        arrived_at=arrived_at,
        found_at=now,
    )


def _is_replay(rows: Iterable[WatchedFile]) -> bool:
    return any(row.state in {State.IMPORTED, State.IMPORTING} for row in rows)


def _replace(ids: Sequence[int]) -> None:
    """Versions that were never imported and are no more."""
    WatchedFile.objects.filter(pk__in=ids).exclude(state__in=KEPT).update(state=State.REPLACED, next_try_at=None)


def _waiting(source: WatchedSource, now: datetime) -> QuerySet[WatchedFile]:
    due = Q(state=State.READY) | Q(state=State.FAILED, next_try_at__lte=now)
    return WatchedFile.objects.filter(due, source=source)


def _is_wanted(path: str, source: WatchedSource) -> bool:
    parts = path.split("/")
    marker = source.done_marker
    if any(part.startswith((".", "_")) for part in parts) or path.endswith(UNFINISHED):
        return False
    if marker and (parts[-1] == marker or (marker.startswith(".") and path.endswith(marker))):
        return False
    return fnmatchcase(path if "/" in source.pattern else parts[-1], source.pattern)
