"""The API keeps what its OpenAPI document says: examples work, and whatever is sent, nothing falls over."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.generation import GenerationMode

from apps.orgs.models import Organisation
from apps.orgs.permissions import Scope
from apps.orgs.public import SERVICE, acting, create_api_key
from config.openapi import METHODS, document, examples_of
from tests.support.site import Site
from tests.support.world import NOW, World, event, import_lines

# By default a few of each, always the same; many, and others each time: `make fuzz`.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
OPERATIONS = [(method, path) for path, item in document()["paths"].items() for method in METHODS if method in item]
OLD = NOW.replace(year=NOW.year - 2, day=1)


@pytest.fixture(scope="module")
def key(world: World, django_db_blocker: Any) -> str:
    """A key that may do everything, for an organisation with nothing to lose and no limits to speak of."""
    with django_db_blocker.unblock(), acting(SERVICE):
        org = world.orgs["platform"]
        Organisation.objects.filter(pk=org.pk).update(tier="enterprise", events_per_second=1_000_000)
        return create_api_key(actor=SERVICE, org=org, name="fuzz", scopes=list(Scope))[1]


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    with Site() as running:
        yield running.address


@pytest.fixture(scope="module")
def described(site: str) -> Any:
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=site)
    return schema


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_falls_over(method: str, path: str, described: Any, key: str) -> None:
    good, bad = (described[path][method].as_strategy(generation_mode=mode) for mode in GenerationMode)
    by_url = {"url": []} in document()["paths"][path][method]["security"]

    @given(case=good | bad)
    @settings(
        max_examples=EXAMPLES or 10, derandomize=not EXAMPLES, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def send(case: Case) -> None:
        params = {"k": key} if by_url else {}
        case.call_and_validate(
            headers={"Authorization": f"Bearer {key}"}, params=params, checks=list(CHECKS), timeout=30
        )

    send()


def test_every_example_gives_the_status_that_it_should(committed: World, site: str, key: str) -> None:
    import_lines(committed.slug("platform"), [event("click", OLD, platform="hulu", campaign="c")])
    tried = []
    for path, item in document()["paths"].items():
        for operation in (item[method] for method in METHODS if method in item):
            media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for example in examples_of(media).values():
                status, answer = post(f"{path}?k={key}" if path == "/p.gif" else path, site, key, example)
                assert str(status) in operation["responses"], (path, status, answer)
                assert 200 <= status < 300, (path, status, answer)
                tried.append(path)
    assert {"/api/v1/events", "/api/v1/events/batch", "/api/v1/conversions", "/api/v1/quarantine/replay"} <= {*tried}


def post(path: str, site: str, key: str, body: Any) -> tuple[int, bytes]:
    connection = HTTPConnection(urlsplit(site).netloc, timeout=30)
    connection.request("POST", path, json.dumps(body), {"X-API-Key": key, "Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


@pytest.mark.django_db
def test_the_document_and_its_page_are_open_to_all() -> None:
    found = Client().get("/api/v1/openapi.json").json()
    assert found["openapi"] == "3.1.1"
    page = Client().get("/api/v1/docs/").content.decode()
    assert [path for path in found["paths"] if path not in page] == []


@pytest.mark.django_db
def test_every_body_and_every_answer_is_described() -> None:
    for path, item in document()["paths"].items():
        for operation in (item[method] for method in METHODS if method in item):
            assert operation["description"], path
            assert operation["responses"].keys() & {"200", "202", "204"}, path
