"""One table: every named URL, and what each persona gets there. A URL that is not in it fails the completeness test."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.orgs.models import Organisation
from apps.orgs.permissions import GRANTED, Scope
from apps.orgs.permissions import TABLE as ROLES
from apps.orgs.public import SERVICE, acting, create_api_key, revoke_api_key
from tests.support.world import PERSONAS, YESTERDAY_NOON, World

OK, TO_SIGN_IN, UNKNOWN, FORBIDDEN, MISSING = 200, 302, 401, 403, 404
EVERYONE = (
    "super_admin", "campaign_manager", "org_admin", "marketer", "measurement_partner", "viewer", "data_owner",
    "stranger", None,
)  # fmt: skip
# What each persona gets at a page of the organisation `buyer`, whose members the first six are.
BUYER_OVERVIEW = dict(zip(EVERYONE, (OK, OK, OK, OK, OK, OK, MISSING, MISSING, TO_SIGN_IN), strict=True))
BUYER_EARNINGS = dict(zip(EVERYONE, (OK, OK, OK, FORBIDDEN, FORBIDDEN, OK, MISSING, MISSING, TO_SIGN_IN), strict=True))
BUYER_SOURCES = dict(
    zip(EVERYONE, (OK, OK, OK, FORBIDDEN, FORBIDDEN, FORBIDDEN, MISSING, MISSING, TO_SIGN_IN), strict=True)
)
BUYER_AUDIT = BUYER_SOURCES
BUYER_PEOPLE = BUYER_SOURCES
BUYER_ADMINS = dict(
    zip(EVERYONE, (OK, FORBIDDEN, OK, FORBIDDEN, FORBIDDEN, FORBIDDEN, MISSING, MISSING, TO_SIGN_IN), strict=True)
)
# Which data the pages show is chosen by a press of a button, which leads to the first page.
BUYER_DATA = dict(
    zip(
        EVERYONE,
        (TO_SIGN_IN, FORBIDDEN, TO_SIGN_IN, FORBIDDEN, FORBIDDEN, FORBIDDEN, MISSING, MISSING, TO_SIGN_IN),
        strict=True,
    )
)
STAFF_ONLY = dict(zip(EVERYONE, (OK, *[FORBIDDEN] * 7, TO_SIGN_IN), strict=True))
TABLE: dict[str, dict[str | None, int]] = {
    "org:home": BUYER_OVERVIEW,
    "org:api_keys": BUYER_ADMINS,
    "org:overview": BUYER_OVERVIEW,
    "org:reported": BUYER_OVERVIEW,
    "org:explore": BUYER_OVERVIEW,
    "org:reach": BUYER_OVERVIEW,
    "org:universe": BUYER_ADMINS,
    "org:geography": BUYER_OVERVIEW,
    "org:campaign": BUYER_OVERVIEW,
    "org:explain": BUYER_OVERVIEW,
    "org:earnings": BUYER_EARNINGS,
    "org:sources": BUYER_SOURCES,
    "org:watched_source": BUYER_SOURCES,
    "org:watched_new": BUYER_SOURCES,
    "org:watched_edit": BUYER_SOURCES,
    "org:audit": BUYER_AUDIT,
    "org:sign_in": BUYER_ADMINS,
    "org:about": BUYER_SOURCES,
    "org:edits": BUYER_SOURCES,
    "org:people": BUYER_PEOPLE,
    "org:files": BUYER_SOURCES,
    "org:source": BUYER_SOURCES,
    "org:live_events": BUYER_SOURCES,
    "org:event": BUYER_SOURCES,
    "org:try_event": BUYER_SOURCES,
    "org:quarantine": BUYER_SOURCES,
    "console:flow": STAFF_ONLY,
    "console:new_organisation": STAFF_ONLY,
    "console:organisation": STAFF_ONLY,
    "console:users": dict(zip(EVERYONE, (OK, OK, *[FORBIDDEN] * 6, TO_SIGN_IN), strict=True)),
    "console:roles": STAFF_ONLY,
    "console:system": STAFF_ONLY,
    "profile": dict(zip(EVERYONE, (*[OK] * 8, TO_SIGN_IN), strict=True)),
    "console:organisations": STAFF_ONLY,
    "console:audit": STAFF_ONLY,
}
# What stands in a page's address after the organisation.
PATHS: dict[str, list[str]] = {
    "org:source": ["file/ndjson"],
    "org:campaign": ["autumn"],
    "org:explain": ["reach"],
    "org:event": [f"golden-click-hulu-autumn-0-{YESTERDAY_NOON:%Y%m%d}"],
    "org:quarantine": ["malformed_json"],
}
# What is only posted to, here without the fields it needs: whoever may do it is told what is missing.
REFUSED, DONE = 400, 302


def instead_of_ok(answer: int, table: dict[str | None, int]) -> dict[str | None, int]:
    return {persona: answer if status == OK else status for persona, status in table.items()}


WRITES: dict[str, dict[str | None, int]] = {
    "org:invite": instead_of_ok(REFUSED, BUYER_PEOPLE),
    "org:set_universe": instead_of_ok(REFUSED, BUYER_ADMINS),
    "org:remove_universe": instead_of_ok(DONE, BUYER_ADMINS),
    "org:replay_quarantined": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:watched_add": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:watched_test": BUYER_SOURCES,
    "org:watched_change": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:watched_pause": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:watched_delete": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:watched_look": instead_of_ok(DONE, BUYER_SOURCES),
    "org:watched_retry": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:send_try": instead_of_ok(REFUSED, BUYER_SOURCES),
    "org:admin_mode": instead_of_ok(DONE, BUYER_SOURCES),
    "org:save_sign_in": instead_of_ok(REFUSED, BUYER_ADMINS),
    "org:try_sign_in": instead_of_ok(REFUSED, BUYER_ADMINS),
    # Only staff confirm domains; without a provider there is none to confirm or remove.
    "org:confirm_sign_in": {**instead_of_ok(MISSING, BUYER_ADMINS), "org_admin": FORBIDDEN},
    "org:remove_sign_in": instead_of_ok(MISSING, BUYER_ADMINS),
    "org:require_second_step": instead_of_ok(DONE, BUYER_PEOPLE),
    "org:show_generated": BUYER_DATA,
    "org:show_real": BUYER_DATA,
}
OF_ONE_WATCHED_SOURCE = {
    "org:watched_source", "org:watched_edit", "org:watched_change", "org:watched_pause", "org:watched_delete",
    "org:watched_look", "org:watched_retry",
}  # fmt: skip
WRITES["org:send_file"] = WRITES["org:replay_quarantined"]
NO_VERSION = 412
WRITES["org:create_upload"] = {
    persona: NO_VERSION if status == OK else status for persona, status in BUYER_SOURCES.items()
}
WRITES["org:create_api_key"] = instead_of_ok(REFUSED, BUYER_ADMINS)
STAFF_WRITES = instead_of_ok(REFUSED, STAFF_ONLY)
WRITES |= {
    "console:edit_organisation": STAFF_WRITES,
    "console:change_status": STAFF_WRITES,
    "console:add_manager": STAFF_WRITES,
    "console:remove_manager": STAFF_WRITES,
    "console:brand": STAFF_WRITES,
    "console:export_organisation": instead_of_ok(DONE, STAFF_ONLY),
}
EVERYBODY = dict(zip(EVERYONE, (*[OK] * 8, TO_SIGN_IN), strict=True))
WRITES |= {
    "edit_profile": instead_of_ok(DONE, EVERYBODY),
    "end_session": instead_of_ok(MISSING, EVERYBODY),
    "personal_data": EVERYBODY,
}
OF_ONE_ORGANISATION = {"console:organisation", *(name for name in WRITES if name.startswith("console:"))}
# URLs of one thing, by the method that they take: whoever may use them is told that there is no such thing.
OBJECTS: dict[str, tuple[str, dict[str | None, int]]] = {
    "org:file": ("get", BUYER_SOURCES),
    "org:upload_bytes": ("head", BUYER_SOURCES),
    "org:import_file": ("post", BUYER_SOURCES),
    "org:cancel_import": ("post", BUYER_SOURCES),
    "org:remove_file": ("post", BUYER_SOURCES),
    "org:api_key": ("get", BUYER_ADMINS),
    "org:revoke_api_key": ("post", BUYER_ADMINS),
    "org:rotate_api_key": ("post", BUYER_ADMINS),
    "org:limit_api_key": ("post", BUYER_ADMINS),
    "org:undo_edit": ("post", BUYER_SOURCES),
    "org:set_active": ("post", BUYER_PEOPLE),
    "console:user": ("get", TABLE["console:users"]),
    "console:change_account": ("post", STAFF_ONLY),
    "console:give_role": ("post", STAFF_ONLY),
    "console:see_to_task": ("post", STAFF_ONLY),
}
# Addresses of the API: the method, what stands in the path, and the scope that a key needs. People need the
# permission that the scope stands for.
NOBODYS_ID = "00000000-0000-4000-8000-000000000000"
API: dict[str, tuple[str, dict[str, str], Scope | None]] = {
    "api:me": ("GET", {}, None),
    "api:metrics": ("POST", {}, Scope.WRITE_METRICS),
    "api:event": ("GET", {"event_id": "nobody's"}, Scope.READ_EVENTS),
    "api:sources": ("GET", {}, Scope.READ_EVENTS),
    "api:imports": ("GET", {}, Scope.READ_EVENTS),
    "api:import": ("GET", {"import_id": NOBODYS_ID}, Scope.READ_EVENTS),
    "api:quarantine": ("GET", {}, Scope.READ_EVENTS),
    "api:replay": ("POST", {}, Scope.WRITE_EVENTS),
    "api:performance": ("GET", {}, Scope.READ_METRICS),
    "api:query": ("POST", {}, Scope.READ_METRICS),
}
# Open to anyone, or a redirect that depends on who asks; tested where they live.
ELSEWHERE = {
    "api:openapi",
    "api:docs",
    "health",
    "home",
    "sign_in_link",
    "single_sign_on",
    "sign_in_problem",
    "social:staff",
    "social:begin",
    "social:complete",
    "invitation",
    "org:audit_entry",
    "console:audit_entry",
    "org:person",
    "org:change_roles",
    "org:revoke_invitation",
    "org:received_line",
    "org:edit_field",
    "org:logo",
    "org:colours",
    "console:download_export",
    "console:mail",
    "console:mail_message",
    "console:change_flag",
}
# django-allauth's own pages need no organisation; it tests them, and tests/accounts what we set.
NOT_OURS = ("account_", "mfa_", "socialaccount_", "openid_connect_", "usersessions_")


def path_of(name: str, world: World, slug: str) -> str:
    """Of the organisation `slug`; what is of one thing is of one that `buyer` has."""
    if not name.startswith("org:"):
        return reverse(name, args=[slug] if name in OF_ONE_ORGANISATION else [])
    of_one = [world.watched] if name in OF_ONE_WATCHED_SOURCE else PATHS.get(name, [])
    return reverse(name, args=[slug, *of_one])


def named_urls(patterns: Any = None, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found |= named_urls(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(f"{prefix}{pattern.name}")
    return found


def test_every_url_is_in_the_table() -> None:
    ours = {name for name in named_urls() if not name.startswith(NOT_OURS)}
    assert ours - ELSEWHERE == set(TABLE) | set(WRITES) | set(OBJECTS) | set(API)


def call(client: Client, name: str, **headers: str) -> int:
    method, args, _ = API[name]
    return client.generic(method, reverse(name, kwargs=args), b"{}", "application/json", headers=headers).status_code


def new_key(org: Organisation, *scopes: str) -> str:
    with acting(SERVICE):
        return create_api_key(actor=SERVICE, org=org, name="swept", scopes=scopes)[1]


@pytest.mark.parametrize("name", API)
def test_an_address_of_the_api_asks_for_a_key_with_its_scope(name: str, world: World, db: None) -> None:
    needed = API[name][2]
    key = new_key(world.orgs["buyer"], *(scope for scope in Scope if scope is not needed))
    assert call(Client(), name) == UNKNOWN
    assert call(Client(), name, authorization="Bearer " + "x" * 47) == UNKNOWN
    assert (call(Client(), name, x_api_key=key) == FORBIDDEN) == (needed is not None)
    if needed is not None:
        assert call(Client(), name, x_api_key=new_key(world.orgs["buyer"], needed)) not in {UNKNOWN, FORBIDDEN}
    with acting(SERVICE):
        revoke_api_key(actor=SERVICE, org=world.orgs["buyer"], prefix=key)
    assert call(Client(), name, x_api_key=key) == UNKNOWN


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in API for persona in EVERYONE])
def test_what_a_persona_may_ask_the_api(name: str, persona: str | None, world: World, as_persona: Any) -> None:
    """By the session, for the organisation `buyer`."""
    status = call(as_persona(persona), name, x_organisation=world.slug("buyer"))
    needed = API[name][2]
    if persona is None:
        assert status == UNKNOWN
    elif persona in {"data_owner", "stranger"}:
        assert status == MISSING
    else:
        role = next(role for who, _, role in PERSONAS if who == persona)
        may = needed is None or GRANTED[needed] in ROLES[role]
        assert (status == FORBIDDEN) != may


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in OBJECTS for persona in EVERYONE])
def test_what_a_persona_gets_of_a_thing_that_is_not(
    name: str, persona: str | None, world: World, as_persona: Any
) -> None:
    method, statuses = OBJECTS[name]
    path = reverse(name, args=[*([world.slug("buyer")] if name.startswith("org:") else []), uuid4()])
    answer = getattr(as_persona(persona), method)(path, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == (MISSING if statuses[persona] == OK else statuses[persona])


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in WRITES for persona in EVERYONE])
def test_what_a_persona_may_post(name: str, persona: str | None, world: World, as_persona: Any) -> None:
    client = as_persona(persona)
    path = path_of(name, world, world.slug("buyer"))
    assert client.post(path).status_code == WRITES[name][persona]
    assert client.get(path).status_code in {405, MISSING}


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in TABLE for persona in EVERYONE])
def test_what_a_persona_gets(name: str, persona: str | None, world: World, as_persona: Any) -> None:
    path = path_of(name, world, world.slug("buyer"))
    assert as_persona(persona).get(path).status_code == TABLE[name][persona]


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("org:")])
def test_another_organisation_looks_like_none(name: str, world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    theirs = client.get(path_of(name, world, world.slug("rival")))
    nobodys = client.get(path_of(name, world, "there-is-no-such-org"))
    assert (theirs.status_code, nobodys.status_code) == (MISSING, MISSING)
    assert theirs.content.replace(b"rival", b"") == nobodys.content.replace(b"rival", b"")
