"""Whatever an address asks, no page fails: it refuses, or finds nothing."""

from typing import Any

import pytest

from tests.orgs.test_permissions import TABLE, WRITES, path_of
from tests.support.world import World

pytestmark = pytest.mark.django_db
# Percent-encoded, as they come: NUL, half a character, bytes that are no UTF-8, days beyond what databases count.
VALUES = ("%00", "a%40%00", "%ED%A0%80", "%FF%FE", "9999-12-31", "0001-01-01", "9" * 40, "-1", "%C2%B2", "x" * 5000)
# All that any page reads from its address.
NAMES = (
    "q", "who", "action", "from", "to", "before", "source", "type", "state", "platform", "campaign", "device", "by",
    "metric", "sort", "start", "end", "range", "table", "page", "files", "format", "choose", "status", "kind",
)  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_no_page_fails_by_its_address(name: str, world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    client.raise_request_exception = False
    path = path_of(name, world, world.slug("buyer"))
    # One at a time would be a thousand pages: names that pages know apart are asked together, then one by one.
    failing = [value for value in VALUES if client.get(f"{path}?{asked(value)}").status_code >= 500]
    failing += [
        f"{one}={value}"
        for one in NAMES
        for value in VALUES[:1]
        if client.get(f"{path}?{one}={value}").status_code >= 500
    ]
    assert failing == []


def asked(value: str) -> str:
    return "&".join(f"{one}={value}" for one in NAMES)


@pytest.mark.parametrize(
    "path", ["/sign-in/%00/", "/invitations/%00/", "/invitations/%ED%A0%80/", "/account/login/?next=%00"]
)
def test_nor_does_one_that_is_open_to_anyone(path: str, world: World, as_persona: Any) -> None:
    client = as_persona(None)
    client.raise_request_exception = False
    assert client.get(path).status_code < 500


FIELDS = (
    "email", "role", "name", "scope", "expires", "code", "source", "line", "url", "format", "event", "pattern", "file",
    "access_key_id", "secret", "every", "paused", "sure", "slug", "kind", "currency", "time_zone", "admin_email",
)  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("value", ["\x00", "x" * 5000])
def test_no_form_fails_by_its_fields(name: str, value: str, world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    client.raise_request_exception = False
    path = path_of(name, world, world.slug("buyer"))
    assert client.post(path, dict.fromkeys(FIELDS, value)).status_code < 500
