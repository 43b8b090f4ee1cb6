"""Arrivals by the minute as the ingestor counts them, and the pages that show them."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.events.log import store
from apps.events.log.models import ArrivalMinute
from apps.events.log.store import Portion
from apps.events.models import SourceHour
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from tests.events.test_ingestor import drain
from tests.events.test_sources_page import admin, arrive, click, org

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["admin", "org"]


def minutes(org: Organisation) -> list[tuple[Any, ...]]:
    with acting(SERVICE):
        found = ArrivalMinute.objects.filter(org=org).order_by("source", "platform")
        return [(one.source, one.platform, one.accepted, one.duplicate, one.rejected) for one in found]


def summed(org: Organisation) -> tuple[int, int, int]:
    rows = minutes(org)
    return sum(row[2] for row in rows), sum(row[3] for row in rows), sum(row[4] for row in rows)


def test_minutes_count_by_source_and_platform(org: Organisation) -> None:
    hulu, retail = click(1), {**click(2), "source": {"platform": "retail"}}
    arrive(org, "api/shop", hulu, hulu, retail, b"nonsense")
    totals: dict[tuple[str, str], list[int]] = {}
    for source, platform, *counts in minutes(org):
        known = totals.setdefault((source, platform), [0, 0, 0])
        totals[source, platform] = [one + other for one, other in zip(known, counts, strict=True)]
    assert totals == {
        ("api/shop", ""): [0, 0, 1],
        ("api/shop", "hulu"): [1, 1, 0],
        ("api/shop", "retail"): [1, 0, 0],
    }


def test_minutes_and_hours_agree_over_many_records(org: Organisation) -> None:
    with acting(SERVICE):
        for number in range(30):
            lines = [json.dumps(click(number + extra)).encode() for extra in range(3)]
            store.append(Portion(org.pk, f"api/{number % 3}", lines))
    drain()
    with acting(SERVICE), in_schema_of(org):
        hours = list(SourceHour.objects.values_list("accepted", "duplicate", "rejected"))
    assert summed(org) == tuple(sum(column) for column in zip(*hours, strict=True)) == (32, 58, 0)


def test_each_accepted_event_has_its_wait_and_its_age(org: Organisation) -> None:
    arrive(org, "api/shop", click(1), click(2), click(2))
    arrive(org, "api/shop", click(3))
    with acting(SERVICE):
        rows = list(ArrivalMinute.objects.filter(org=org))
    assert sum(sum(row.waits) for row in rows) == sum(sum(row.ages) for row in rows) == 3


def test_the_list_leads_to_the_source_with_its_counts(org: Organisation, admin: Client) -> None:
    arrive(org, "api/web shop", click(1), click(1), b"nonsense")
    page = admin.get(f"/o/{org.slug}/sources/").content.decode()
    path = f"/o/{org.slug}/sources/from/api/web%20shop/"
    assert path in page
    page = admin.get(path).content.decode()
    assert "malformed_json" in page
    assert "95 of 100 within" in page
    assert "Events per minute" in page


def test_live_fragments_hold_only_what_changes(org: Organisation, admin: Client) -> None:
    arrive(org, "api/shop", click(1))
    for target in ("sources-rows", "arrivals", "waiting"):
        answer = admin.get(f"/o/{org.slug}/sources/", headers={"HX-Request": "true", "HX-Target": target})
        assert "<html" not in answer.content.decode()
        assert "HX-Target" in answer["Vary"]


def test_the_chart_by_hour_and_a_wrong_one(org: Organisation, admin: Client) -> None:
    arrive(org, "api/shop", click(1))
    assert "Events per hour" in admin.get(f"/o/{org.slug}/sources/?by=hour").content.decode()
    answer = admin.get(f"/o/{org.slug}/sources/?by=second")
    assert answer.status_code == 400
    assert "use minute or hour" in answer.content.decode()


def test_a_source_of_another_organisation_is_not_there(org: Organisation, admin: Client, world: Any) -> None:
    assert admin.get(f"/o/{org.slug}/sources/from/api/nobody/").status_code == 404
    assert admin.get(f"/o/{world.slug('rival')}/sources/from/file/ndjson/").status_code == 404


def test_minutes_of_others_are_invisible_to_a_member(org: Organisation, world: Any) -> None:
    from apps.orgs.public import Actor, Role

    arrive(org, "api/shop", click(1))
    stranger = Actor("stranger", frozenset({(world.orgs["rival"].pk, Role.ORG_ADMIN)}))
    with acting(stranger):
        assert not ArrivalMinute.objects.filter(org=org).exists()


def test_files_of_a_source_are_listed(org: Organisation, admin: Client) -> None:
    from tests.support.world import import_lines

    import_lines(org.slug, [click(1), click(2)])
    page = admin.get(f"/o/{org.slug}/sources/from/file/ndjson/").content.decode()
    assert "events.ndjson" in page
