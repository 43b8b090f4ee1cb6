"""One table: every named URL, and what each persona gets there. A URL that is not in it fails the completeness test."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.support.world import World

OK, TO_SIGN_IN, FORBIDDEN, MISSING = 200, 302, 403, 404
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
BUYER_PEOPLE = dict(
    zip(EVERYONE, (OK, FORBIDDEN, OK, FORBIDDEN, FORBIDDEN, FORBIDDEN, MISSING, MISSING, TO_SIGN_IN), strict=True)
)
STAFF_ONLY = dict(zip(EVERYONE, (OK, *[FORBIDDEN] * 7, TO_SIGN_IN), strict=True))
TABLE: dict[str, dict[str | None, int]] = {
    "org:home": BUYER_OVERVIEW,
    "org:overview": BUYER_OVERVIEW,
    "org:earnings": BUYER_EARNINGS,
    "org:sources": BUYER_SOURCES,
    "org:audit": BUYER_AUDIT,
    "org:people": BUYER_PEOPLE,
    "console:organisations": STAFF_ONLY,
    "console:audit": STAFF_ONLY,
}
# What is only posted to, here without the fields it needs: whoever may do it is told what is missing.
REFUSED = 400
WRITES: dict[str, dict[str | None, int]] = {
    "org:invite": {persona: REFUSED if status == OK else status for persona, status in BUYER_PEOPLE.items()},
    "org:replay_quarantined": {
        persona: REFUSED if status == OK else status for persona, status in BUYER_SOURCES.items()
    },
}
# Open to anyone, or a redirect that depends on who asks; tested where they live.
ELSEWHERE = {
    "health",
    "home",
    "sign_in_link",
    "invitation",
    "org:audit_entry",
    "org:person",
    "org:change_roles",
    "org:revoke_invitation",
}
# django-allauth's own pages need no organisation; it tests them, and tests/accounts what we set.
NOT_OURS = ("account_", "mfa_")


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
    assert ours - ELSEWHERE == set(TABLE) | set(WRITES)


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in WRITES for persona in EVERYONE])
def test_what_a_persona_may_post(name: str, persona: str | None, world: World, as_persona: Any) -> None:
    client = as_persona(persona)
    path = reverse(name, args=[world.slug("buyer")])
    assert client.post(path).status_code == WRITES[name][persona]
    assert client.get(path).status_code in {405, MISSING}


@pytest.mark.parametrize(("name", "persona"), [(name, persona) for name in TABLE for persona in EVERYONE])
def test_what_a_persona_gets(name: str, persona: str | None, world: World, as_persona: Any) -> None:
    path = reverse(name, args=[world.slug("buyer")] if name.startswith("org:") else [])
    assert as_persona(persona).get(path).status_code == TABLE[name][persona]


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("org:")])
def test_another_organisation_looks_like_none(name: str, world: World, as_persona: Any) -> None:
    client = as_persona("org_admin")
    theirs = client.get(reverse(name, args=[world.slug("rival")]))
    nobodys = client.get(reverse(name, args=["there-is-no-such-org"]))
    assert (theirs.status_code, nobodys.status_code) == (MISSING, MISSING)
    assert theirs.content.replace(b"rival", b"") == nobodys.content.replace(b"rival", b"")
