"""Generated data: an organisation switches its pages to it and back, and no figure ever mixes it with real events."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError
from django.test import Client

from apps.accounts.public import User
from apps.events import generated
from apps.events.generated import SOURCE, make_sample
from apps.events.log import store
from apps.events.log.models import ArrivalMinute
from apps.events.log.store import Portion
from apps.events.models import FileImport
from apps.events.tasks import make_generated_sample
from apps.orgs.models import AuditEntry, Flag, FlaggedOrganisation, Kind, Organisation
from apps.orgs.public import (
    SERVICE,
    Actor,
    Role,
    acting,
    add_member,
    create_organisation,
    data_org_id,
    generated_org_id,
    in_schema_of,
    show_generated,
    show_real,
)  # fmt: skip
from apps.warehouse.public import execute
from tests.events.test_ingestor import drain
from tests.events.test_sources_page import admin, arrive, click, org
from tests.support.world import YESTERDAY_NOON, World, event

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["admin", "org"]
COUNT = (
    "SELECT count() AS events, sum(revenue) AS revenue, sum(spend) AS spend FROM events WHERE org_id = {org_id:UUID}"
)
ROLLED_UP = "SELECT sum(p.events) AS events FROM performance AS p WHERE org_id = {org_id:UUID}"


@pytest.fixture(autouse=True)
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "EVENTS", 300)


def switch(org: Organisation, *, on: bool) -> Organisation:
    with acting(SERVICE):
        (show_generated if on else show_real)(actor=SERVICE, org=org)
        return Organisation.objects.get(pk=org.pk)


def events_of(org_id: Any) -> int:
    return int(execute(org_id, "test.generated", COUNT)[0]["events"])


def test_the_sample_lies_apart_from_real_events(org: Organisation) -> None:
    arrive(org, "api/shop", click(1), click(2))
    make_sample(org)
    drain()
    assert events_of(org.pk) == 2
    assert events_of(generated_org_id(org.pk)) == 300
    assert execute(org.pk, "test.rolled", ROLLED_UP)[0]["events"] == 2
    assert execute(generated_org_id(org.pk), "test.rolled", ROLLED_UP)[0]["events"] == 300


def test_one_batch_with_both_is_written_as_two(org: Organisation) -> None:
    """The very same event, real and generated: each is new on its own side."""
    line = json.dumps(click(1)).encode()
    with acting(SERVICE):
        for source in ("api/shop", SOURCE, "api/shop", SOURCE):
            store.append(Portion(org.pk, source, [line]))
    drain()
    assert events_of(org.pk) == events_of(generated_org_id(org.pk)) == 1


def test_making_it_twice_changes_nothing(org: Organisation) -> None:
    for _ in range(2):
        make_generated_sample(str(org.pk))
        drain()
    make_sample(org)
    drain()
    assert events_of(generated_org_id(org.pk)) == 300
    with acting(SERVICE), in_schema_of(org):
        assert FileImport.objects.filter(door=SOURCE).count() == 2


def test_pages_show_one_or_the_other(org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "EVENTS", 3_000)  # among 300 there may be no sale
    sale = event("purchase", YESTERDAY_NOON, platform="hulu", campaign="c", revenue="123.45")
    arrive(org, "api/shop", sale)
    make_sample(org)
    drain()
    real = admin.get(f"/o/{org.slug}/").content.decode()
    assert "$123.45" in real
    assert "Generated data" not in real
    switch(org, on=True)
    shown = admin.get(f"/o/{org.slug}/").content.decode()
    assert "$123.45" not in shown
    assert "Generated data" in shown
    sums = execute(generated_org_id(org.pk), "test.sums", COUNT)[0]
    csv = admin.get(f"/o/{org.slug}/?range=90d&format=csv&table=breakdown")
    assert "-generated.csv" in csv["Content-Disposition"]
    names, *lines = [line.split(",") for line in csv.content.decode().splitlines()]
    revenue = next(place for place, name in enumerate(names) if name.lower().startswith("revenue"))
    total = sum(Decimal(line[revenue] or 0) for line in lines if line[0] not in {"All", "Total"})
    assert Decimal("0.98") < total / sums["revenue"] <= 1  # the first hours may lie before the range
    switch(org, on=False)
    assert "$123.45" in admin.get(f"/o/{org.slug}/").content.decode()


def test_the_banner_is_on_every_page_and_leads_back(org: Organisation, admin: Client) -> None:
    make_sample(org)
    drain()
    switch(org, on=True)
    for path in ("", "sources/", "sources/events/", "audit/"):
        page = admin.get(f"/o/{org.slug}/{path}").content.decode()
        assert "Generated data." in page
        assert f"/o/{org.slug}/generated/hide/" in page
    files = admin.get(f"/o/{org.slug}/files/").content.decode()
    assert "Generated data elsewhere." in files
    assert "What stands on this page is real" in files
    assert 'Watched folders <span class="badge">real</span>' in admin.get(f"/o/{org.slug}/sources/").content.decode()
    admin.post(f"/o/{org.slug}/generated/hide/")
    assert "Generated data." not in admin.get(f"/o/{org.slug}/").content.decode()


def test_who_may_not_switch_sees_the_banner_without_a_button(org: Organisation) -> None:
    with acting(SERVICE):
        member = add_member(actor=SERVICE, org=org, email=f"viewer@{org.slug}.example", role=Role.VIEWER)
    switch(org, on=True)
    client = Client()
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(f"/o/{org.slug}/").content.decode()
    assert "An administrator can switch back" in page
    assert client.post(f"/o/{org.slug}/generated/hide/").status_code == 403
    assert client.post(f"/o/{org.slug}/generated/show/").status_code == 403


def test_an_empty_organisation_is_offered_a_look_around(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(make_generated_sample, "delay", asked.append)
    assert "Look around with generated data" in admin.get(f"/o/{org.slug}/").content.decode()
    page = admin.post(f"/o/{org.slug}/generated/show/", follow=True).content.decode()
    assert asked == [str(org.pk)]
    assert "Generated events are being made" in page
    make_generated_sample(asked[0])
    drain()
    page = admin.get(f"/o/{org.slug}/?range=90d").content.decode()
    assert "Generated events are being made" not in page
    assert "Spend" in page
    with acting(SERVICE):
        assert AuditEntry.objects.filter(org=org, action="data.generated_shown").count() == 1


def test_switching_back_is_noted_and_twice_is_once(org: Organisation, admin: Client) -> None:
    switch(org, on=True)
    for _ in range(2):
        admin.post(f"/o/{org.slug}/generated/hide/")
    with acting(SERVICE):
        assert AuditEntry.objects.filter(org=org, action="data.real_shown").count() == 1


def test_sources_show_one_or_the_other(org: Organisation, admin: Client) -> None:
    arrive(org, "api/web shop", click(1))
    make_sample(org)
    drain()
    real = admin.get(f"/o/{org.slug}/sources/").content.decode()
    assert "web shop" in real
    assert "from/generated/sample" not in real
    switch(org, on=True)
    shown = admin.get(f"/o/{org.slug}/sources/").content.decode()
    assert "web shop" not in shown
    assert "from/generated/sample" in shown
    assert admin.get(f"/o/{org.slug}/sources/from/api/web%20shop/").status_code == 404
    listed = admin.get(f"/o/{org.slug}/sources/events/").content.decode()
    detail = admin.get(listed.split('id="line-')[1].split('href="')[1].split('"')[0]).content.decode()
    assert "matches" in detail
    identifier = execute(
        generated_org_id(org.pk), "test.one", "SELECT event_id FROM events WHERE org_id = {org_id:UUID} LIMIT 1"
    )
    found = admin.get(f"/o/{org.slug}/sources/events/{identifier[0]['event_id']}/")
    assert "matches" in found.content.decode()


def test_one_organisations_switch_is_not_anothers(org: Organisation, world: World) -> None:
    switch(org, on=True)
    with acting(SERVICE):
        other = Organisation.objects.get(pk=world.orgs["rival"].pk)
        assert data_org_id(other) == other.pk
        assert data_org_id(Organisation.objects.get(pk=org.pk)) == generated_org_id(org.pk)
    assert generated_org_id(org.pk) != generated_org_id(world.orgs["rival"].pk)


def test_members_see_and_set_flags_of_their_own_only(org: Organisation, world: World) -> None:
    switch(org, on=True)
    stranger = Actor("stranger", frozenset({(world.orgs["rival"].pk, Role.ORG_ADMIN)}))
    with acting(stranger):
        assert not FlaggedOrganisation.objects.exists()
    with pytest.raises(ProgrammingError), acting(stranger):
        FlaggedOrganisation.objects.create(flag=Flag.objects.get(name="generated_data"), organisation_id=org.pk)


def test_generated_events_earn_nobody_anything(org: Organisation) -> None:
    """Their signals bear names that no data owner can have."""
    make_sample(org)
    drain()
    names = execute(
        generated_org_id(org.pk), "test.signals",
        "SELECT DISTINCT arrayJoin(contributor_ids) AS name FROM events WHERE org_id = {org_id:UUID}",
    )  # fmt: skip
    assert names
    assert all(row["name"].startswith("generated:") for row in names)


def test_a_data_owner_looks_around_too(world: World) -> None:
    slug = f"owner-{generated_org_id(world.orgs['owner'].pk).hex[:8]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.DATA_OWNER, admin_email=f"{slug}@first.example"
    )
    make_sample(org)
    drain()
    client = Client()
    client.force_login(
        User.objects.get(email=f"{slug}@first.example"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert "No campaign has used your signals yet" in client.get(f"/o/{slug}/").content.decode()
    switch(org, on=True)
    page = client.get(f"/o/{slug}/").content.decode()
    assert "always-on" in page
    assert "Generated data." in page


def test_the_flow_of_all_leaves_generated_events_out(org: Organisation) -> None:
    make_sample(org)
    drain()
    from apps.events.flow.minutes import REAL

    with acting(SERVICE):
        assert ArrivalMinute.objects.filter(org=org).exists()
        assert not ArrivalMinute.objects.filter(REAL, org=org).exists()
