"""Writes to watched folders, who may do them, and what they leave in the trail."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.events.models import WatchedFile, WatchedSource
from apps.events.tasks import look_at_watched_source, look_at_watched_sources
from apps.events.watched import actions, queue
from apps.events.watched.actions import Wish
from apps.events.watched.looking import look
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import Actor, Role
from tests.support.watched import Clock, admin_of, entered, lines, put, twice
from tests.support.world import YESTERDAY_NOON

pytestmark = pytest.mark.usefixtures("committed")


def test_what_is_paused_or_deleted_is_not_looked_at(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock
) -> None:
    assert (org.pk, source.pk) in queue.active_sources()
    with entered(org):
        actions.pause_source(actor=admin_of(org), org=org, source=source, paused=True)
    assert look(org, source.pk, clock=clock) is None
    assert (org.pk, source.pk) not in queue.active_sources()
    with entered(org), pytest.raises(Conflict, match="is paused"):
        actions.look_now(actor=admin_of(org), org=org, source=WatchedSource.objects.get())
    gone = str(source.pk)
    with entered(org):
        actions.delete_source(actor=admin_of(org), org=org, source=source)
    look_at_watched_source(str(org.pk), gone)


def test_a_change_leaves_alone_what_others_wrote_meanwhile(org: Organisation, source: WatchedSource) -> None:
    with entered(org):
        read_before = actions.get_source(source.pk)
        actions.pause_source(actor=admin_of(org), org=org, source=source, paused=True)
        WatchedSource.objects.update(error="is not there", looked_at=YESTERDAY_NOON)
        wish = Wish(name="renamed", url=source.url, format="ndjson")
        actions.change_source(actor=admin_of(org), org=org, source=read_before, wish=wish)
        found = WatchedSource.objects.get()
    assert (found.name, found.paused, found.error, found.looked_at) == (
        "renamed", True, "is not there", YESTERDAY_NOON,
    )  # fmt: skip


def test_the_beat_asks_for_every_active_source(
    org: Organisation, source: WatchedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[UUID, UUID]] = []
    monkeypatch.setattr(queue, "send_look", lambda *pair: asked.append(pair))
    assert look_at_watched_sources() == len(asked)
    assert (org.pk, source.pk) in asked


def test_by_hand_with_a_summary(
    org: Organisation, source: WatchedSource, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, "a.ndjson", lines(1))
    call_command("watch_files", "--org", org.slug, "--once")
    with entered(org):
        WatchedFile.objects.update(found_at=timezone.now() - timedelta(minutes=1))
    call_command("watch_files", "--org", org.slug, "--once")
    first, second = [line for line in capsys.readouterr().out.splitlines() if line.startswith(org.slug)]
    assert first == (f"{org.slug}, logs: 1 files there, 1 new, 1 still arriving, 0 imported with 0 events, 0 failed.")
    assert second.endswith("1 files there, 0 new, 0 still arriving, 1 imported with 1 events, 0 failed.")


def test_writes_leave_a_trail_and_need_the_permission(org: Organisation, source: WatchedSource) -> None:
    viewer = Actor("viewer", frozenset({(org.pk, Role.VIEWER)}), user_id=uuid4())
    wish = Wish(name="other", url=source.url, format="ndjson")
    acts: list[Callable[[], object]] = [
        lambda: actions.add_source(actor=viewer, org=org, wish=wish),
        lambda: actions.change_source(actor=viewer, org=org, source=source, wish=wish),
        lambda: actions.pause_source(actor=viewer, org=org, source=source, paused=True),
        lambda: actions.delete_source(actor=viewer, org=org, source=source),
        lambda: actions.look_now(actor=viewer, org=org, source=source),
        lambda: actions.retry_file(actor=viewer, org=org, source=source, file_id=1),
    ]
    for act in acts:
        with pytest.raises(Forbidden), entered(org):
            act()
    with entered(org):
        actions.change_source(actor=admin_of(org), org=org, source=source, wish=wish)
        entries = AuditEntry.objects.filter(org=org, action__startswith="watched").order_by("pk")
        trail = list(entries.values_list("action", flat=True))
        with pytest.raises(NotFound):
            actions.retry_file(actor=admin_of(org), org=org, source=source, file_id=1)
    assert trail == ["watched_source.added", "watched_source.changed"]


def test_two_organisations_share_no_source_and_no_ledger(
    org: Organisation, source: WatchedSource, folder: Path, clock: Clock, world: Any
) -> None:
    rival = world.orgs["rival"]
    put(folder, "a.ndjson", lines(1))
    twice(org, source, clock)
    assert look(rival, source.pk, clock=clock) is None
    with entered(rival):
        assert not WatchedSource.objects.filter(pk=source.pk).exists()
        assert not WatchedFile.objects.filter(source=source.pk).exists()
        with pytest.raises(NotFound):
            actions.get_source(source.pk)
    with pytest.raises(Forbidden), entered(org):
        actions.pause_source(actor=admin_of(rival), org=org, source=source, paused=True)


def test_a_key_that_was_sealed_elsewhere_opens_nothing(org: Organisation, bucket: Any, world: Any) -> None:
    from apps.events.watched.seal import seal, unseal

    sealed = seal(org.pk, "s3cret")
    assert unseal(org.pk, sealed) == "s3cret"
    with pytest.raises(InvalidInput, match="cannot be read"):
        unseal(world.orgs["rival"].pk, sealed)
