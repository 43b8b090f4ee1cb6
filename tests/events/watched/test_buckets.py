"""Watched buckets, and places with more files than a look goes through."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.events.models import WatchedFile, WatchedSource
from apps.events.watched import actions, looking, places
from apps.events.watched.actions import Wish
from apps.events.watched.looking import Look
from apps.events.watched.names import day_of
from apps.orgs.models import AuditEntry, Organisation
from tests.config.launcher import free_port
from tests.support.watched import Clock, admin_of, entered, events, ledger, lines, looked, put, twice, watch

pytestmark = pytest.mark.usefixtures("committed")


def test_objects_of_a_bucket_are_taken_at_once_and_each_once(org: Organisation, bucket: Any, clock: Clock) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="a secret of s3")
    bucket.put("wins/date=2026-11-24/hour=13/a.ndjson.gz", gzip.compress(lines(1, 2)))
    bucket.put("wins/date=2026-11-24/hour=14/b.ndjson", lines(3))
    bucket.put("wins/", b"")
    bucket.put("winsome/c.ndjson", lines(4))
    clock.now = timezone.now()
    assert looked(org, source, clock).imported == 2
    assert looked(org, source, clock).imported == 0
    bucket.put("wins/date=2026-11-24/hour=14/b.ndjson", lines(3, 5))
    assert looked(org, source, clock).imported == 1
    assert [row[1:] for row in ledger(org)] == [("imported", False), ("imported", False), ("imported", True)]
    assert events(org) == 4
    with entered(org):
        kept = WatchedSource.objects.get()
        assert b"a secret of s3" not in bytes(kept.sealed_secret)
        trail = json.dumps(list(AuditEntry.objects.filter(org=org).values_list("detail", flat=True)))
        assert "a secret" not in trail


def test_an_object_replaced_between_listing_and_reading_waits_for_the_next_look(
    org: Organisation, bucket: Any, clock: Clock
) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="s")
    bucket.put("wins/a.ndjson", lines(1))
    with entered(org):
        place = looking.place_for(source, org)
        looking.ledger.note(source, place.list_files(), clock())
    bucket.put("wins/a.ndjson", lines(1, 2))
    seen = Look("")
    assert looking.take_next(org, source.pk, place, seen, clock)
    assert (seen.failed, "was replaced meanwhile" in seen.errors[0]) == (1, True)
    assert looked(org, source, clock).imported == 1
    assert events(org) == 2


def test_a_place_that_is_away_uses_up_no_tries(org: Organisation, bucket: Any, clock: Clock, settings: Any) -> None:
    source = watch(org, bucket.url, access_key_id="key", secret="s")
    bucket.put("wins/a.ndjson", lines(1))
    clock.now = timezone.now()
    with entered(org):
        looking.ledger.note(source, looking.place_for(source, org).list_files(), clock())
    there, settings.WATCH_S3_ENDPOINT = settings.WATCH_S3_ENDPOINT, f"http://127.0.0.1:{free_port()}"
    for _ in range(6):
        seen = Look("")
        assert looking.take_next(org, source.pk, looking.place_for(source, org), seen, clock)
        assert (seen.failed, "does not answer" in seen.errors[0]) == (1, True)
        clock.on(minutes=4)
        assert not looking.take_next(org, source.pk, looking.place_for(source, org), seen, clock)
        clock.on(minutes=2)
    settings.WATCH_S3_ENDPOINT = there
    with entered(org):
        file = WatchedFile.objects.get()
        assert (file.state, file.tries) == ("failed", 0)
    assert looked(org, source, clock).imported == 1


@pytest.mark.parametrize("name", ["{feed}/{day}/13/{number}.ndjson", "{feed}_V1_{day}T130000_{number}.ndjson"])
@pytest.mark.parametrize("where", ["bucket", "folder"])
def test_among_too_many_files_those_of_the_last_weeks_are_still_taken(
    org: Organisation, bucket: Any, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    monkeypatch.setattr(places, "MOST_FILES", 6)
    monkeypatch.setattr(places, "MOST_FOLDERS", 8)
    key = {"access_key_id": "key", "secret": "s"} if where == "bucket" else {}
    source = watch(org, bucket.url if key else f"file://{folder}", **key)

    def deliver(feed: str, days_ago: int, number: int) -> None:
        day = f"{clock.now - timedelta(days=days_ago):%Y-%m-%d}"
        path = name.format(feed=feed, day=day, number=number)
        bucket.put(f"wins/{path}", lines(number)) if key else put(folder, path, lines(number))

    for number in range(4):
        deliver("wins", 100 + number, number)
    clock.now = timezone.now()
    twice(org, source, clock)
    assert sorted(ledger(org))[0][1] == "imported"
    for number in range(4, 20):
        deliver("bids", 100 + number, number)
    deliver("wins", 1, 20)
    deliver("clicks", 0, 21)
    clock.now = timezone.now() + timedelta(minutes=5)
    seen = twice(org, source, clock)
    assert (seen.error, seen.found) == ("", 2)
    assert [state for _, state, _ in ledger(org)] == ["imported"] * 6
    with entered(org):
        found = WatchedSource.objects.get()
        assert found.looked_since == (clock.now - timedelta(days=35)).date()
        wish = Wish(name="logs", url=source.url, format="ndjson", **key)
        assert actions.change_source(actor=admin_of(org), org=org, source=found, wish=wish).looked_since is None
    for number in range(8):
        deliver("clicks", 0, 30 + number)
    assert "more than 6 files that name no day before" in looked(org, source, clock).error


def test_a_folder_is_of_a_day_only_if_its_name_says_nothing_else() -> None:
    of_days = {path: day_of(path) for path in ("a/2026-11-24/", "a/date=20261124/", "2026/11/24/", "b/dt=2026-11-24/")}
    assert set(of_days.values()) == {datetime(2026, 11, 24).date()}
    others = ("since-2026-11-24/", "2026/11/", "2026-11-24/13/", "2026-13-24/", "")
    assert {day_of(path) for path in others} == {None}


def test_a_bucket_that_is_not_there_is_said(org: Organisation, bucket: Any, clock: Clock) -> None:
    source = watch(org, "s3://there-is-no-such-bucket/x", access_key_id="key", secret="s")
    assert "s3://there-is-no-such-bucket/x/ is not there" in looked(org, source, clock).error
