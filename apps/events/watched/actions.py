"""Writes to watched sources, in the organisation's schema: each is one transaction with its audit entry."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.events.formats.registry import get_format
from apps.events.models import Cadence, WatchedFile, WatchedSource
from apps.events.watched import queue
from apps.events.watched.names import pattern_of
from apps.events.watched.places import Key, place_of
from apps.events.watched.seal import seal
from apps.orgs.public import Actor, Organisation, Permission, check, record

MOST_SOURCES = 200
FIELDS = (
    "name", "url", "pattern", "format", "cadence", "lateness_minutes", "hour_pattern", "done_marker", "history",
    "access_key_id",
)  # fmt: skip
# The others are the worker's and of those who pause, who may write them at the same time.
KEPT = (*FIELDS, "sealed_secret", "looked_since")


@dataclass(frozen=True)
class Wish:
    """What a person asks of a source. An empty `secret` beside a known `access_key_id` keeps the one there is."""

    name: str
    url: str
    format: str
    pattern: str = "*"
    cadence: str = Cadence.HOURLY
    lateness_minutes: int = 60
    hour_pattern: str = ""
    done_marker: str = ""
    history: bool = False
    access_key_id: str = ""
    secret: str = ""


def add_source(*, actor: Actor, org: Organisation, wish: Wish) -> WatchedSource:
    check(actor, Permission.MANAGE_SOURCES, org)
    if WatchedSource.objects.count() >= MOST_SOURCES:
        raise Conflict(f"There are {MOST_SOURCES} watched folders already; delete one that is not needed any more.")
    source = WatchedSource(created_by=actor.audit_name)
    with transaction.atomic():
        _fill(source, org, wish)
        record(org=org, actor=actor, action="watched_source.added", target=_target(source), **_told(source))
        queue.look_soon(org, source)
    return source


def change_source(*, actor: Actor, org: Organisation, source: WatchedSource, wish: Wish) -> WatchedSource:
    """What was imported stays; files that the change leaves out are no longer picked up."""
    check(actor, Permission.MANAGE_SOURCES, org)
    with transaction.atomic():
        _fill(source, org, wish)
        record(org=org, actor=actor, action="watched_source.changed", target=_target(source), **_told(source))
        queue.look_soon(org, source)
    return source


def pause_source(*, actor: Actor, org: Organisation, source: WatchedSource, paused: bool) -> None:
    """What is being imported right now comes to its end; nothing further is begun."""
    check(actor, Permission.MANAGE_SOURCES, org)
    with transaction.atomic():
        WatchedSource.objects.filter(pk=source.pk).update(paused=paused)
        action = "watched_source.paused" if paused else "watched_source.resumed"
        record(org=org, actor=actor, action=action, target=_target(source))
        if not paused:
            queue.look_soon(org, source)


def delete_source(*, actor: Actor, org: Organisation, source: WatchedSource) -> None:
    """Forget the source, its ledger and its key. The events that it brought stay."""
    check(actor, Permission.MANAGE_SOURCES, org)
    try:
        with transaction.atomic():
            list(WatchedFile.objects.select_for_update(nowait=True).filter(source=source).values_list("pk"))
            target = _target(source)
            source.delete()
            record(org=org, actor=actor, action="watched_source.deleted", target=target, name=source.name)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        raise Conflict(
            f"A file of {source.name} is being imported right now. Pause it, and delete it when that is done."
        ) from error


def look_now(*, actor: Actor, org: Organisation, source: WatchedSource) -> None:
    """Do not wait for the next minute."""
    check(actor, Permission.MANAGE_SOURCES, org)
    if source.paused:
        raise Conflict(f"{source.name} is paused; resume it first.")
    record(org=org, actor=actor, action="watched_source.looked", target=_target(source))
    queue.look_soon(org, source)


def retry_file(*, actor: Actor, org: Organisation, source: WatchedSource, file_id: int) -> None:
    """Take a file that failed up once more, with all its tries before it."""
    check(actor, Permission.MANAGE_SOURCES, org)
    state = WatchedFile.State
    with transaction.atomic():
        failed = WatchedFile.objects.filter(pk=file_id, source=source, state__in=[state.FAILED, state.RESTING])
        if not failed.update(state=state.READY, tries=0, next_try_at=None):
            raise NotFound("No failed file of this number is here; it may have been taken up meanwhile.")
        record(org=org, actor=actor, action="watched_file.retried", target=_target(source), file=file_id)
        queue.look_soon(org, source)


def get_source(source_id: UUID) -> WatchedSource:
    """In the organisation's schema: another organisation's source does not exist here."""
    found = WatchedSource.objects.filter(pk=source_id).first()
    if found is None:
        raise NotFound("There is no watched folder of this number.")
    return found


def key_of(wish: Wish, kept: str) -> Key | None:
    """The key to ask with: the one given, or the one that is kept for the same key id."""
    if not wish.access_key_id:
        return None
    return Key(wish.access_key_id, wish.secret or kept)


def check_wish(wish: Wish) -> None:
    """What cannot be told from one field alone; the form checks the others."""
    get_format(wish.format)
    if wish.cadence not in Cadence.values:
        raise InvalidInput(f"There is no cadence {wish.cadence!r}; use one of {', '.join(Cadence.values)}.")
    if wish.hour_pattern:
        pattern_of(wish.hour_pattern, daily=wish.cadence == Cadence.DAILY)


def _fill(source: WatchedSource, org: Organisation, wish: Wish) -> None:
    check_wish(wish)
    _keep_key(source, org, wish)
    place_of(wish.url, org=org.slug, key=Key(wish.access_key_id, "") if wish.access_key_id else None)
    for name in FIELDS:
        setattr(source, name, getattr(wish, name))
    source.looked_since = None
    try:
        with transaction.atomic():
            source.save(update_fields=None if source._state.adding else KEPT)
    except IntegrityError as error:
        raise Conflict(f"There is a watched folder named {wish.name!r} already; choose another name.") from error


def _keep_key(source: WatchedSource, org: Organisation, wish: Wish) -> None:
    if not wish.access_key_id:
        source.sealed_secret = b""
    elif wish.secret:
        source.sealed_secret = seal(org.pk, wish.secret)
    elif wish.access_key_id != source.access_key_id:
        raise InvalidInput("A new access key needs its secret, too.")


def _told(source: WatchedSource) -> dict[str, Any]:
    """For the audit trail: which key, never the key."""
    return {
        "name": source.name, "url": source.url, "format": source.format, "cadence": source.cadence,
        "history": source.history, "own_key": bool(source.access_key_id),
    }  # fmt: skip


def _target(source: WatchedSource) -> str:
    return f"watched_source/{source.pk}"
