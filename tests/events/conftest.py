"""An organisation of a test's own, its clock, brokers."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, create_organisation
from tests.support.kafka import MockCluster


@pytest.fixture
def org() -> Organisation:
    slug = f"own-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """One moment for the test and for all that it calls, at whose clock an hour may turn in between."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


@pytest.fixture(scope="session")
def cluster() -> Iterator[MockCluster]:
    made = MockCluster()
    yield made
    made.stop()
