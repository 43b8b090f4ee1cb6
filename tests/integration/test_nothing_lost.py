"""The promise of 202: whatever is killed meanwhile, an acknowledged event is there, and there once."""

import gzip
import http.client
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from tests.config.launcher import eventually
from tests.integration.cluster import Cluster

CLIENTS = 4
EVENTS = 200_000
PER_CLIENT = EVENTS // CLIENTS
BATCH = 100
# Each process is killed once so many events have been acknowledged;
# the first is asked to stop, in the midst of inserts.
KILLS = ("clickhouse", "ingestor", "clickhouse", "redis", "postgres", "web")


@dataclass
class Client:
    """Sends its numbered events and repeats what was not acknowledged; a batch of one now and then."""

    name: str
    port: int
    key: str
    acknowledged: int = 0
    refused: list[int] = field(default_factory=list)
    unanswered: int = 0

    def send_all(self) -> None:
        at = datetime.now(UTC).isoformat()
        number = 0
        while number < PER_CLIENT:
            count = 1 if number % 1_000 == 0 else min(BATCH, PER_CLIENT - number)
            if self._send([self._event(n, at) for n in range(number, number + count)], packed=number % 500 == 0):
                number += count
                self.acknowledged += count
            else:
                time.sleep(0.05)

    def _event(self, number: int, at: str) -> dict[str, Any]:
        """Some have no id of their own, and are told apart by what they say."""
        own = {"session_id": f"{self.name}-{number}"} if number % 10 == 0 else {"event_id": f"{self.name}-{number}"}
        return {**own, "event_type": "click", "timestamp": at}

    def _send(self, events: list[dict[str, Any]], *, packed: bool) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body, headers = json.dumps(events).encode(), {"X-API-Key": self.key}
        if packed:
            middle = len(body) // 2
            body = gzip.compress(body[:middle], 1) + gzip.compress(body[middle:], 1)
            headers["Content-Encoding"] = "gzip"
        try:
            connection.request("POST", "/api/v1/events/batch", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.unanswered += 1
            return False
        finally:
            connection.close()
        if answer.status != 202:
            self.refused.append(answer.status)
        return answer.status == 202


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "var")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def make_key(cluster: Cluster) -> str:
    cluster.run(
        "manage.py", "create_org", "sender", "--name", "S", "--kind", "agency", "--admin-email", "s@sender.example",
        "--events-per-second", "1000000",
    )  # fmt: skip
    return cluster.run("manage.py", "create_api_key", "sender", "--name", "test").strip()


def test_every_acknowledged_event_is_there_once_whatever_is_killed(cluster: Cluster) -> None:
    key = make_key(cluster)
    clients = [Client(f"c{number}", cluster.port, key) for number in range(CLIENTS)]

    def acknowledged() -> int:
        return sum(client.acknowledged for client in clients)

    with ThreadPoolExecutor(CLIENTS) as threads:
        sending = [threads.submit(client.send_all) for client in clients]
        for place, name in enumerate(KILLS, start=1):
            at_least = place * EVENTS // (len(KILLS) + 1)
            eventually(lambda least=at_least: acknowledged() >= least, f"too few events at {name}", 120)
            if place == 1:
                cluster.stop_politely(name)
            else:
                cluster.kill(name)

        def all_sent() -> bool:
            cluster.revive()
            return all(one.done() for one in sending)

        eventually(all_sent, "not all events were taken", 120)
        for one in sending:
            one.result()

    def all_done() -> bool:
        cluster.revive()
        return cluster.waiting() == 0

    eventually(all_done, "the log is not empty", 120)
    assert cluster.failed() == 0
    assert acknowledged() == EVENTS
    assert {status for client in clients for status in client.refused} <= {503}
    assert sum(client.unanswered + len(client.refused) for client in clients) > 0  # the kills were felt
    assert in_warehouse(cluster, "count(), uniqExact(event_id)", "events") == (EVENTS, EVENTS)
    assert in_warehouse(cluster, "sum(events), sum(clicks)", "performance") == (EVENTS, EVENTS)


def in_warehouse(cluster: Cluster, what: str, table: str) -> tuple[int, ...]:
    url = re.fullmatch(r"http://(\w+):(.+)@([\d.]+):(\d+)/(\w+)", cluster.clickhouse_url)
    assert url is not None
    user, password, host, port, database = url.groups()
    client = clickhouse_connect.get_client(
        host=host, port=int(port), username=user, password=password, database=database
    )
    return tuple(client.query(f"SELECT {what} FROM {table}").result_rows[0])
