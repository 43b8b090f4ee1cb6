"""How long a key's holder is remembered: by a clock of the test's own, asked of the real database."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from apps.events.edge.desk import Desk
from apps.events.edge.http import Problem
from apps.events.edge.keys import REMEMBERED, Keys
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, Scope, acting, create_api_key, revoke_api_key
from tests.support import loop

pytestmark = pytest.mark.usefixtures("committed")
PROMISED = 5.0


def test_a_revoked_key_counts_as_long_as_it_is_remembered_and_no_longer(org: Organisation) -> None:
    assert REMEMBERED < PROMISED
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="test", scopes=[Scope.WRITE_EVENTS])
    now = 1_000.0
    desk = Desk("test")
    keys = Keys(desk, clock=lambda: now)

    async def ask() -> int:
        try:
            return len((await keys.holder({"headers": [(b"x-api-key", key.encode())]}, Scope.WRITE_EVENTS)).name)
        except Problem as problem:
            return int(problem.status)

    async def go_through() -> None:
        nonlocal now
        assert await ask() == len("test")
        await elsewhere(lambda: revoke_api_key(actor=SERVICE, org=org, prefix=key))
        now += REMEMBERED - 0.1
        assert await ask() == len("test")
        now += 0.2
        assert await ask() == 401
        await desk.ask(connections.close_all)

    loop.run(go_through())


async def elsewhere(work: Callable[[], Any]) -> None:
    def whole() -> None:
        with acting(SERVICE):
            work()
        connections.close_all()

    await asyncio.to_thread(whole)
