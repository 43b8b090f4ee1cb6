"""The universe of an organisation: who may set it, what is refused, what the audit trail keeps, of one tenant."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.common.errors import Forbidden, InvalidInput
from apps.measurement.actions import Wish, set_universe
from apps.measurement.public import Universe, get_universe
from apps.orgs.models import AuditEntry
from apps.orgs.public import SERVICE, Actor, Role, acting, in_schema_of
from tests.support.world import World

SignIn = Callable[[str | None], Client]
GOOD = {
    "name": "US persons 2+", "persons": "331,900,000", "target_name": "Adults 25–54", "target_persons": "124 000 000",
    "target_cohorts": "adults-25-54\r\n\r\nadults-25-54\n=other",
}  # fmt: skip


def of(world: World, org: str) -> Universe | None:
    with acting(SERVICE), in_schema_of(world.orgs[org]):
        return get_universe()


@pytest.fixture
def post(world: World, as_persona: SignIn) -> Callable[..., Any]:
    client = as_persona("org_admin")

    def send(path: str = "set/", **fields: str) -> Any:
        return client.post(f"/o/{world.slug('buyer')}/reach/universe/{path}", fields)

    return send


def test_it_is_set_changed_and_removed_with_a_trail(world: World, post: Callable[..., Any]) -> None:
    assert post(**GOOD).status_code == 302
    assert of(world, "buyer") == Universe(
        "US persons 2+", 331_900_000, "Adults 25–54", 124_000_000, ("adults-25-54", "=other")
    )
    assert of(world, "rival") is None
    assert post(name="Fewer", persons="1000").status_code == 302
    assert of(world, "buyer") == Universe("Fewer", 1000)
    assert post("remove/").status_code == 302
    assert of(world, "buyer") is None
    assert post("remove/").status_code == 302
    with acting(SERVICE):
        entries = AuditEntry.objects.filter(org=world.orgs["buyer"], action__startswith="universe.").order_by("id")
        told = [(one.action, one.target) for one in entries]
        changed = entries[1].detail
    assert told == [
        ("universe.set", "US persons 2+"), ("universe.set", "Fewer"), ("universe.removed", "Fewer"),
    ]  # fmt: skip
    assert (changed["before"]["persons"], changed["after"]["persons"]) == (331_900_000, 1000)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("persons", "0", "1 to 10,000,000,000"),
        ("persons", "-5", "is not a number of persons"),
        ("persons", "1e9", "is not a number of persons"),
        ("persons", "٣٣١", "is not a number of persons"),
        ("persons", "9" * 5000, "is not a number of persons"),
        ("persons", "99999999999", "1 to 10,000,000,000"),
        ("persons", "", "1 to 10,000,000,000"),
        ("name", "", "must have a name"),
        ("name", "x" * 81, "at most 80 characters"),
        ("target_name", "x" * 81, "at most 80 characters"),
        ("target_persons", "331900001", "a part of the universe"),
        ("target_persons", "", "or none of them"),
        ("target_cohorts", "", "or none of them"),
        ("target_cohorts", "\n".join(str(n) for n in range(51)), "at most 50 cohorts"),
        ("target_cohorts", "x" * 257, "256 characters"),
    ],
)
def test_what_is_wrong_is_said_and_kept_in_the_form(
    field: str, value: str, said: str, world: World, post: Callable[..., Any]
) -> None:
    answer = post(**{**GOOD, field: value})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert (
        answer.context["written"]["name" if field != "name" else "persons"]
        == GOOD["name" if field != "name" else "persons"]
    )
    assert of(world, "buyer") is None


def test_odd_characters_are_stored_as_text(world: World, post: Callable[..., Any]) -> None:
    assert post(name="<b>All\x00</b>", persons="10").status_code == 302
    found = of(world, "buyer")
    assert found is not None
    assert found.name == "<b>All\ufffd</b>"


def test_only_those_who_may_set_it(world: World, as_persona: SignIn) -> None:
    viewer = as_persona("viewer").get(f"/o/{world.slug('buyer')}/reach/?range=7d")
    assert b"An administrator of" in viewer.content
    admin = as_persona("org_admin").get(f"/o/{world.slug('buyer')}/reach/?range=7d")
    assert b"Set the universe" in admin.content
    marketer = Actor("m", frozenset({(world.orgs["buyer"].pk, Role.MARKETER)}))
    with acting(SERVICE), in_schema_of(world.orgs["buyer"]):
        with pytest.raises(Forbidden):
            set_universe(actor=marketer, org=world.orgs["buyer"], wish=Wish("All", 5))
        with pytest.raises(InvalidInput):
            set_universe(actor=Actor("a", frozenset({(world.orgs["buyer"].pk, Role.ORG_ADMIN)})),
                         org=world.orgs["buyer"], wish=Wish("All", 0))  # fmt: skip
