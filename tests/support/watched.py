"""Watched folders as the tests make them."""

import json
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.utils import timezone

from apps.events.models import WatchedFile, WatchedSource
from apps.events.watched import actions, looking
from apps.events.watched.actions import Wish
from apps.events.watched.looking import Look, look
from apps.orgs.models import Organisation
from apps.orgs.public import Actor, Role
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.support.world import YESTERDAY_NOON, event


def admin_of(org: Organisation) -> Actor:
    return Actor("admin", frozenset({(org.pk, Role.ORG_ADMIN)}), user_id=uuid4())


def entered(org: Organisation) -> AbstractContextManager[None]:
    return looking.entered(org)


def watch(org: Organisation, url: str, **wish: Any) -> WatchedSource:
    with entered(org):
        return actions.add_source(
            actor=admin_of(org), org=org, wish=Wish(**{"name": "logs", "url": url, "format": "ndjson", **wish})
        )


def lines(*numbers: int) -> bytes:
    made = [event("click", YESTERDAY_NOON, platform="hulu", campaign="c", number=number) for number in numbers]
    return b"".join(json.dumps(one).encode() + b"\n" for one in made)


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


class Clock:
    """A time that goes on when the test says so."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


def looked(org: Organisation, source: WatchedSource, clock: Clock) -> Look:
    seen = look(org, source.pk, clock=clock)
    assert seen is not None
    return seen


def twice(org: Organisation, source: WatchedSource, clock: Clock) -> Look:
    """Two looks a minute apart: a file at rest is seen by the first and taken by the second."""
    looked(org, source, clock)
    clock.on(seconds=60)
    return looked(org, source, clock)


def ledger(org: Organisation) -> list[tuple[str, str, bool]]:
    with entered(org):
        return list(WatchedFile.objects.order_by("pk").values_list("path", "state", "is_replay"))


def events(org: Organisation) -> int:
    drain()
    sql = "SELECT count() AS n FROM events WHERE org_id = {org_id:UUID}"
    return int(execute(org.pk, "test.watched", sql)[0]["n"])
