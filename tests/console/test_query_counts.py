"""How many queries of PostgreSQL each page of the console needs, compared with a baseline: a page that needs more says
so here, before it is slow somewhere else. More rows must not mean more queries.

To write the baseline anew: QUERY_COUNTS=write make test ARGS=tests/console/test_query_counts.py
"""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.public import User
from apps.console.system.storage import CACHED
from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import Membership, Organisation
from tests.support.world import World

pytestmark = pytest.mark.django_db
BASELINE = Path(__file__).with_name("query_counts.json")
PAGES = (
    "/console/", "/console/organisations/new/", "/console/organisations/{buyer}/", "/console/users/",
    "/console/users/{viewer}/", "/console/roles/", "/console/system/", "/console/system/?show=storage",
    "/console/audit/", "/console/flow/", "/profile/", "/o/{buyer}/people/", "/o/{buyer}/people/{viewer}/",
    "/o/{buyer}/audit/",
)  # fmt: skip


def count(client: Any, world: World, page: str) -> int:
    path = page.format(buyer=world.slug("buyer"), viewer=world.personas["viewer"].pk)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def counts(client: Any, world: World) -> dict[str, int]:
    found = {}
    for page in PAGES:
        cache.delete(CACHED)
        found[page] = count(client, world, page)
    return found


def test_no_page_needs_more_queries_than_it_did(world: World, as_persona: Any) -> None:
    found = counts(as_persona("super_admin"), world)
    if os.environ.get("QUERY_COUNTS") == "write":
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text())
    assert baseline.keys() == found.keys()
    more = {page: (baseline[page], number) for page, number in found.items() if number > baseline[page]}
    assert not more, f"pages that need more queries (before, now): {more}"


def test_more_rows_need_no_more_queries(world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    before = counts(client, world)
    with acting(SERVICE):
        for number in range(5):
            name = f"more-{number}-{uuid4().hex[:8]}"
            # A row is enough: no page of the console reads this one's schema.
            org = Organisation.objects.create(slug=name, name=name, kind="agency", schema_name=f"org_{name}")
            user = User.objects.create_user(f"{name}@more.example")
            for one in (org, world.orgs["buyer"]):
                Membership.objects.create(user=user, org=one, role="viewer")
            Membership.objects.create(user=world.personas["viewer"], org=org, role="viewer")
    assert counts(client, world) == before
