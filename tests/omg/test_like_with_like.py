"""An unfinished day is compared with the same part of a day before, and counted in full."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.orgs.public import SERVICE, Kind, Organisation, create_organisation
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

# The pages' now: everything below is before it, and the quarter of an hour that has just begun is not over.
PAGE_NOW = YESTERDAY_NOON + timedelta(minutes=20)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture
def org(committed: World) -> Organisation:
    slug = f"alike-{uuid4().hex[:8]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.ADVERTISER, admin_email=f"{slug}@first.example"
    )
    return made


@pytest.fixture
def get(committed: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    clock = SimpleNamespace(now=lambda: PAGE_NOW)
    for room in ("omg", "earnings"):
        monkeypatch.setattr(f"apps.{room}.views.overview.timezone", clock)
    client = Client()
    client.force_login(committed.personas["super_admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get


def clicks(*moments: datetime, contributor: str = "") -> list[dict[str, Any]]:
    return [
        event("click", at.astimezone(UTC), platform="hulu", campaign="autumn", contributor=contributor, number=number)
        for number, at in enumerate(moments)
    ]


def test_a_buyers_changes_are_up_to_the_same_time(org: Organisation, get: Any) -> None:
    early, late = YESTERDAY_NOON + timedelta(minutes=1), YESTERDAY_NOON + timedelta(minutes=16)
    import_lines(org.slug, clicks(early, late, early - WEEK, late - WEEK, early - 2 * WEEK + DAY))
    response = get(f"/o/{org.slug}/?range=7d")
    figure = next(one for one in response.context["figures"] if one.key == "clicks")
    # Until now two clicks; up to the quarter of an hour one today, one a week ago and one on the first day before that.
    assert (figure.value, figure.change) == ("2", "−50.0 %")
    assert figure.compared_with == "the 7 days before up to the same hour"
    assert "up to the same hour" in response.content.decode()


def test_an_owners_changes_are_up_to_the_same_time(org: Organisation, committed: World, get: Any) -> None:
    slug = f"alike-owner-{uuid4().hex[:8]}"
    owner, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.DATA_OWNER, admin_email=f"{slug}@first.example"
    )
    early, late = YESTERDAY_NOON + timedelta(minutes=1), YESTERDAY_NOON + timedelta(minutes=16)
    moments = (early, early - DAY, late - DAY, early - WEEK, late - WEEK, early - 2 * WEEK + DAY)
    import_lines(org.slug, clicks(*moments, contributor=owner.contributor_id or ""))
    figure = next(one for one in get(f"/o/{slug}/?range=7d").context["figures"] if one.key == "events")
    assert (figure.value, figure.change, figure.tone) == ("3", "+50.0 %", "good")
    ten_days = f"start={YESTERDAY_NOON - 9 * DAY:%Y-%m-%d}&end={YESTERDAY_NOON:%Y-%m-%d}"
    figure = get(f"/o/{slug}/?{ten_days}").context["figures"][0]
    first = moments[-1]
    assert (figure.change, figure.note) == ("", f"data begins {first.day} {first:%B}")
