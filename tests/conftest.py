"""The one database, warehouse and set of personas that all tests share. Services come from `make test`."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.support.world import World, build_world


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """The services are the tests' own, so their database is used as it is: migrated, then filled once."""
    from django.core.management import call_command

    with django_db_blocker.unblock():
        call_command("prepare", verbosity=0)


@pytest.fixture(scope="session")
def world(django_db_setup: None, django_db_blocker: Any) -> World:
    """Two buyers, two data owners, a platform, every persona, and the golden events; built once."""
    with django_db_blocker.unblock():
        return build_world()


@pytest.fixture
def committed(world: World, django_db_blocker: Any) -> Iterator[World]:
    """The world without a transaction around the test: what it writes stays, under names of its own."""
    with django_db_blocker.unblock():
        yield world


@pytest.fixture
def as_persona(world: World, db: None) -> Any:
    """A signed-in test client for a persona's name; None for whoever is signed out."""

    from apps.accounts.models import User

    def sign_in(name: str | None) -> Client:
        client = Client()
        if name is not None:
            # As the database has them: a test before may have changed the object in its memory.
            user = User.objects.get(pk=world.personas[name].pk)
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
