"""Ways to ask the API: by a key with scopes of its own, or as a person."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.orgs.actor import SERVICE, acting
from apps.orgs.api_keys import create_api_key
from tests.support.world import World


class Asker:
    """A client that bears a key of one organisation, and reads JSON answers."""

    def __init__(self, key: str | None) -> None:
        self.key = key
        self.headers = {"X-API-Key": key} if key else {}

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        answer = Client(headers=self.headers).get(path, query)
        return answer.status_code, json.loads(answer.content)

    def post(self, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = Client(headers=self.headers)
        answer = client.post(path, data, content_type="application/json", query_params=query)
        return answer.status_code, json.loads(answer.content)


@pytest.fixture
def ask(world: World, db: None) -> Callable[..., Asker]:
    """`ask("buyer", Scope.READ_EVENTS)`: whoever holds a new key of that organisation with these scopes."""

    def with_key(org: str, *scopes: str) -> Asker:
        with acting(SERVICE):
            _, key = create_api_key(actor=SERVICE, org=world.orgs[org], name="asker", scopes=scopes)
        return Asker(key)

    return with_key


@pytest.fixture
def ask_committed(committed: World) -> Callable[..., Asker]:
    """The same without a transaction around the test."""

    def with_key(org: str, *scopes: str) -> Asker:
        with acting(SERVICE):
            _, key = create_api_key(actor=SERVICE, org=committed.orgs[org], name="asker", scopes=scopes)
        return Asker(key)

    return with_key
