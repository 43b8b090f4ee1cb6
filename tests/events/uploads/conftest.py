"""An organisation with its first admin, and no worker but the test itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from apps.events.uploads import queue
from apps.orgs.models import Organisation
from tests.support.uploads import made_org, signed_in


@pytest.fixture
def no_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    """Tests run the task themselves, where they want it."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(queue, "send_import", lambda *ids, **options: None)


@pytest.fixture(scope="module")
def org(django_db_setup: None, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        return made_org()


@pytest.fixture
def admin(org: Organisation) -> Client:
    return signed_in(org)


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    yield
    assert not transaction.get_connection().in_atomic_block
