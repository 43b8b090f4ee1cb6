"""Watched folders as the tests make them."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

from apps.events.models import WatchedSource
from apps.events.watched import actions, looking
from apps.events.watched.actions import Wish
from apps.orgs.models import Organisation
from apps.orgs.public import Actor, Role
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
