"""Schema files that move rows lose none and count none twice: cut off after any statement and begun again, too."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from clickhouse_connect.driver.client import Client

from apps.warehouse import migrate
from apps.warehouse.gateway import client, open_client

BEFORE, ORGS = "0007", (uuid4(), uuid4())
OLD_EVENTS = """
INSERT INTO events (org_id, event_id, event_type, timestamp, received_at, person_id, platform, channel, campaign_id,
                    device, currency, revenue, spend, batch_id)
SELECT '{org}', toString(number), if(number % 10 = 0, 'purchase', 'impression'),
       toDateTime64('2026-03-31 20:00:00', 6, 'UTC') + toIntervalMinute(number * 7), now64(3),
       if(number % 3 = 0, '', 'p' || toString(cityHash64(number) % 40)), ['hulu', 'linear'][1 + number % 2], 'video',
       'c' || toString(number % 3), 'ctv', 'USD', if(number % 10 = 0, 5, 0), 0.02, '{batch}'
FROM numbers(500)
"""
STATE = {
    "events": "SELECT org_id, count(), sum(revenue), sum(kept_days) FROM events GROUP BY org_id ORDER BY org_id",
    "pairs": "SELECT DISTINCT org_id, person_id, person_number FROM events ORDER BY ALL",
    "keys": "SELECT org_id, count(), uniqExact(key_high, key_low) FROM event_keys GROUP BY org_id ORDER BY org_id",
    "sums": "SELECT org_id, sum(events), sum(revenue), sum(spend) FROM performance GROUP BY org_id ORDER BY org_id",
    "detail": "SELECT org_id, device, sum(events), sum(spend) FROM performance_detail GROUP BY ALL ORDER BY ALL",
    "quarters": "SELECT org_id, groupBitmapMerge(persons) FROM performance GROUP BY org_id ORDER BY org_id",
    "days": "SELECT org_id, groupBitmapMerge(persons) FROM reach_days GROUP BY org_id ORDER BY org_id",
}
EXACT = """
SELECT org_id, uniqExact(person_id) FROM events
WHERE event_type = 'impression' AND person_id != '' GROUP BY org_id ORDER BY org_id
"""


@pytest.fixture
def make_old(world: object, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Client]]:
    """Makes databases as they were before, with events of two organisations; the newest is the settings' one."""
    server, names = settings.CLICKHOUSE_URL.rpartition("/")[0], []

    def make() -> Client:
        names.append(f"moving_{uuid4().hex[:8]}")
        client().command(f"CREATE DATABASE {names[-1]}")
        settings.CLICKHOUSE_URL = f"{server}/{names[-1]}"
        connection = open_client()
        monkeypatch.setattr(migrate, "client", lambda: connection)
        for name in (path.name for path in sorted(migrate.FOLDER.glob("*.sql")) if path.name < BEFORE):
            run(connection, name)
        for org in ORGS:
            connection.command(OLD_EVENTS.format(org=org, batch=uuid4()))
        return connection

    yield make
    for name in names:
        client().command(f"DROP DATABASE {name}")


@pytest.fixture
def old(make_old: Callable[[], Client]) -> Client:
    return make_old()


def run(connection: Client, name: str, statements: int | None = None) -> int:
    """Apply a file, or its first statements; answers how many it has."""
    found = list(migrate.statements((migrate.FOLDER / name).read_text(encoding="utf-8")))
    for statement in found[:statements]:
        connection.command(migrate._repeatable(statement))
    return len(found)


def state(connection: Client) -> dict[str, Any]:
    return {name: connection.query(sql).result_rows for name, sql in STATE.items()}


def test_cut_off_anywhere_and_begun_again_it_comes_out_the_same(make_old: Callable[[], Client]) -> None:
    names = [path.name for path in sorted(migrate.FOLDER.glob("*.sql")) if path.name >= BEFORE]
    smooth, bumpy = make_old(), make_old()
    for name in names:
        run(smooth, name)
        for cut in range(1, run(bumpy, name, 0)):
            run(bumpy, name, cut)
        run(bumpy, name)
    first = state(smooth)
    assert first["quarters"] == first["days"] == smooth.query(EXACT).result_rows
    assert [count for _, count, *_ in first["events"]] == [count for _, count, *_ in first["sums"]] == [500, 500]
    assert state(bumpy) == first


def test_numbers_are_of_one_person_each_and_dense(old: Client) -> None:
    migrate.apply_schema()
    for org in ORGS:
        numbers = numbers_of(old, org)
        assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
        assert "" not in numbers


def numbers_of(connection: Client, org: UUID) -> dict[str, int]:
    rows = connection.query(
        "SELECT DISTINCT person_id, person_number FROM events WHERE org_id = {org:UUID} AND person_number != 0",
        parameters={"org": str(org)},
    ).result_rows
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def test_views_count_what_comes_after_once(old: Client) -> None:
    migrate.apply_schema()
    before = state(old)
    old.command(
        f"INSERT INTO events (org_id, event_id, event_type, timestamp, received_at, person_id, person_number, currency)"
        f" VALUES ('{ORGS[0]}', 'new', 'impression', now64(6), now64(3), 'new', 4000000000, 'USD')"
    )
    after = state(old)
    for name in ("sums", "keys", "quarters", "days"):
        old_count, new_count = ({row[0]: row[1] for row in rows[name]}[ORGS[0]] for rows in (before, after))
        assert (name, new_count - old_count) == (name, 1)
