"""One look at a watched source: list the place, bring the ledger up to it, import what waits, oldest first.

Any number of workers may look at the same source at once. What a file adds to the log commits together with its row of
the ledger, so that a worker killed in the middle leaves neither, and the file is taken up again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from django.db import OperationalError
from django.utils import timezone

from apps.common.errors import AppError, Unavailable
from apps.events.formats.registry import get_format
from apps.events.importing import import_stream
from apps.events.models import WatchedFile, WatchedSource
from apps.events.watched import ledger
from apps.events.watched.names import day_of
from apps.events.watched.places import Found, Key, Place, TooMany, Window, place_of
from apps.events.watched.seal import unseal
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of

log = structlog.get_logger()
# Where a place has too many files. A delivery that is later than this is not seen there any more.
LOOK_BACK = timedelta(days=35)
Clock = Callable[[], datetime]


@dataclass
class Look:
    """What one look did; `error` says why it saw nothing."""

    source: str
    error: str = ""
    found: int = 0
    new: int = 0
    growing: int = 0
    imported: int = 0
    failed: int = 0
    events: int = 0
    errors: list[str] = field(default_factory=list)


def look(
    org: Organisation, source_id: UUID, *, clock: Clock = timezone.now, budget: timedelta = timedelta.max
) -> Look | None:
    """Look once and import until nothing waits or the budget is used up; None for a source that is paused or gone.

    While another worker imports files of this source they are left to it, so that one source never has all workers.
    """
    with entered(org):
        source = WatchedSource.objects.filter(pk=source_id, paused=False).first()
    if source is None:
        return None
    seen = Look(source.name)
    try:
        place = place_for(source, org)
        found, since = list_place(place, source, clock())
    except AppError as error:
        seen.error = error.message
        _keep_error(org, source, error.message, clock())
        return seen
    with entered(org):
        noted = ledger.note(source, found, clock())
        is_busy = ledger.is_busy(source, clock())
        WatchedSource.objects.filter(pk=source.pk).update(looked_at=clock(), error="", looked_since=since)
    seen.found, seen.new, seen.growing = len(found), noted.new, noted.growing
    began = clock()
    while not is_busy and clock() - began < budget and take_next(org, source.pk, place, seen, clock):
        pass
    log.info("events.watched_looked", org=str(org.pk), source=str(source.pk), new=seen.new, imported=seen.imported)
    return seen


def take_next(org: Organisation, source_id: UUID, place: Place, seen: Look, clock: Clock = timezone.now) -> bool:
    """Claim the oldest file that waits and import it; whether there was one."""
    with entered(org):
        source = WatchedSource.objects.filter(pk=source_id, paused=False).first()
        file = ledger.claim(source, clock()) if source else None
    if source is None or file is None:
        return False
    try:
        read = _import(org, source, file, place, clock)
    except (Unavailable, OperationalError) as error:
        _postpone(org, file, getattr(error, "message", "The database did not answer."), seen, clock())
    except AppError as error:
        _fail(org, source, file, error.message, seen, clock())
    except Exception as error:
        log.exception("events.watched_failed", org=str(org.pk), source=str(source.pk), file=file.pk)
        _fail(org, source, file, f"It could not be imported ({type(error).__name__}).", seen, clock())
    else:
        seen.imported += read is not None
        seen.events += read or 0
    return True


def place_for(source: WatchedSource, org: Organisation) -> Place:
    key = None
    if source.access_key_id:
        key = Key(source.access_key_id, unseal(org.pk, bytes(source.sealed_secret)))
    return place_of(source.url, org=org.slug, key=key)


def preview(source: WatchedSource, org: Organisation, *, key: Key | None) -> list[Found]:
    """What a look would pick up, asked with this key, without a trace in the ledger."""
    found, _ = list_place(place_of(source.url, org=org.slug, key=key), source, timezone.now())
    return ledger.wanted(found, source)


def list_place(place: Place, source: WatchedSource, now: datetime) -> tuple[list[Found], date | None]:
    """The place's files. Where there are too many for a look, those of the last weeks, by the day that they or their
    folders name, and since when; that stays so until the source is changed."""
    if source.looked_since is None:
        with suppress(TooMany):
            return place.list_files(), None
    since = (now - LOOK_BACK).date()
    return place.list_files(Window(since, lambda path: day_of(path, own=source.hour_pattern))), since


@contextmanager
def entered(org: Organisation) -> Iterator[None]:
    with acting(SERVICE), in_schema_of(org):
        yield


def _import(org: Organisation, source: WatchedSource, file: WatchedFile, place: Place, clock: Clock) -> int | None:
    """The lines read; None when another worker has taken the file meanwhile."""
    with entered(org):
        if not ledger.hold(file):
            return None
        with place.open(file.path, file.version) as raw:
            imported = import_stream(
                org=org,
                raw=raw,
                name=file.path,
                file_format=get_format(source.format),
                history=source.history,
                source=source.door,
                may_be_empty=True,
            )
        WatchedFile.objects.filter(pk=file.pk).update(
            state=WatchedFile.State.IMPORTED, import_id=imported.import_id, imported_at=clock(), error="", claim=None
        )
    return imported.read


def _fail(org: Organisation, source: WatchedSource, file: WatchedFile, error: str, seen: Look, now: datetime) -> None:
    with entered(org):
        rests = ledger.fail(file, error, now)
    seen.failed += 1
    seen.errors.append(f"{file.path}: {error}")
    log.warning("events.watched_file_failed", org=str(org.pk), source=str(source.pk), file=file.pk, rests=rests)


def _postpone(org: Organisation, file: WatchedFile, error: str, seen: Look, now: datetime) -> None:
    with entered(org):
        ledger.postpone(file, error, now)
    seen.failed += 1
    seen.errors.append(f"{file.path}: {error}")


def _keep_error(org: Organisation, source: WatchedSource, error: str, now: datetime) -> None:
    with entered(org):
        WatchedSource.objects.filter(pk=source.pk).update(looked_at=now, error=error)
    log.warning("events.watched_unreachable", org=str(org.pk), source=str(source.pk))
