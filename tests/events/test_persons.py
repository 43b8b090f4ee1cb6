"""Persons' numbers: one for each person, never one for two, whatever is interrupted; none for who denied consent."""

import json
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from apps.common.errors import Unavailable
from apps.events import persons, writing
from apps.events.ingestor import only_ingestor
from apps.events.log import store
from apps.events.log.store import Portion
from apps.events.persons import PersonNumbers
from apps.events.preparing import keys_of
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation
from apps.warehouse.public import execute, insert
from tests.support.world import YESTERDAY_NOON, event

pytestmark = pytest.mark.usefixtures("committed")
PAIRS = "SELECT DISTINCT person_id, person_number FROM events WHERE org_id = {org_id:UUID}"
GIVEN = "SELECT number FROM persons WHERE org_id = {org_id:UUID} ORDER BY number"


@pytest.fixture
def org() -> Organisation:
    return make_org()


def make_org() -> Organisation:
    slug = f"persons-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def shown(*people: str, consent: str = "granted") -> list[bytes]:
    made = []
    for person in people:
        one = event("impression", YESTERDAY_NOON, platform="hulu", campaign="c")
        made.append(json.dumps(
            {**one, "event_id": uuid4().hex, "user_id": person, "consent": {"status": consent}}
        ).encode())  # fmt: skip
    return made


def ingest(org: Organisation, *parts: list[bytes]) -> None:
    with acting(SERVICE):
        for lines in parts:
            store.append(Portion(org.pk, "test", lines))
    drain()


def drain() -> None:
    with only_ingestor() as alone:
        assert alone
        alone.drain()


def pairs(org: Organisation) -> dict[str, int]:
    rows = execute(org.pk, "test.pairs", PAIRS)
    found = {row["person_id"]: row["person_number"] for row in rows}
    assert len(found) == len(rows), "a person has two numbers"
    return found


def given(org: Organisation) -> list[int]:
    return [row["number"] for row in execute(org.pk, "test.given", GIVEN)]


def test_numbers_go_on_from_one_ingestor_to_the_next(org: Organisation) -> None:
    ingest(org, shown("ann", "bob", "ann"))
    ingest(org, shown("bob", "eve"), shown("dan", "ann"))
    assert pairs(org) == {"ann": 1, "bob": 2, "eve": 3, "dan": 4}
    assert given(org) == [1, 2, 3, 4]


def test_two_organisations_count_for_themselves(org: Organisation) -> None:
    other = make_org()
    ingest(org, shown("ann", "bob"))
    ingest(other, shown("bob"))
    assert (pairs(org), pairs(other)) == ({"ann": 1, "bob": 2}, {"bob": 1})


def test_who_denied_consent_or_has_no_id_is_nobody(org: Organisation) -> None:
    nameless = [json.dumps({**json.loads(line), "user_id": None}).encode() for line in shown("x")]
    ingest(org, shown("ann", consent="denied"), nameless, shown("bob"))
    assert pairs(org) == {"": 0, "bob": 1}


def test_a_duplicate_makes_no_person(org: Organisation) -> None:
    line = shown("ann")
    renamed = [json.dumps({**json.loads(line[0]), "user_id": "someone else"}).encode()]
    ingest(org, line, renamed)
    assert (pairs(org), given(org)) == ({"ann": 1}, [1])


def test_killed_after_the_numbers_and_before_the_events(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(org, shown("ann"))

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(writing, "insert", crash)
        with pytest.raises(KeyboardInterrupt):
            ingest(org, shown("bob", "eve"))
    assert (pairs(org), given(org)) == ({"ann": 1}, [1, 2, 3])
    ingest(org, shown("dan"))
    assert pairs(org) == {"ann": 1, "bob": 2, "eve": 3, "dan": 4}


def test_an_answer_that_was_lost_gives_nobody_a_second_number(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine wrote the numbers, and the ingestor heard of a time-out."""
    known, keys = PersonNumbers(), keys_of(["ann", "bob"])

    def lose(*args: Any, **more: Any) -> None:
        insert(*args, **more)
        raise Unavailable("time-out")

    with monkeypatch.context() as broken:
        broken.setattr(persons, "insert", lose)
        with pytest.raises(Unavailable):
            known.fetch(org.pk, keys)
    assert known.fetch(org.pk, keys).tolist() == [1, 2]
    assert known.fetch(org.pk, keys_of(["bob", "eve", "eve"])).tolist() == [2, 3, 3]
    assert given(org) == [1, 2, 3]


def test_an_insert_that_arrives_after_all_is_the_same_insert(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[tuple[Any, Any]] = []

    def hold(*args: Any, **more: Any) -> None:
        late.append((args, more))
        raise Unavailable("away")

    keys = keys_of(["ann", "bob"])
    with monkeypatch.context() as broken:
        broken.setattr(persons, "insert", hold)
        with pytest.raises(Unavailable):
            PersonNumbers().fetch(org.pk, keys)
    assert PersonNumbers().fetch(org.pk, keys).tolist() == [1, 2]
    for args, more in late:
        insert(*args, **more)
    assert given(org) == [1, 2]


def test_more_persons_than_memory_holds_are_asked_for(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "MOST_PERSONS", 3)
    monkeypatch.setattr(persons, "MOST_BYTES", 0)
    known, names, dealt = PersonNumbers(), np.random.default_rng(5), dict[str, int]()
    for _ in range(12):
        asked = [f"p{number}" for number in names.integers(0, 25, 8)]
        for name, number in zip(asked, known.fetch(org.pk, keys_of(asked)).tolist(), strict=True):
            assert dealt.setdefault(name, number) == number
    assert sorted(dealt.values()) == list(range(1, len(dealt) + 1)) == given(org)
