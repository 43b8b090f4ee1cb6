"""The ingest log on Kafka: what only that one has to show."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from django.conf import settings

from apps.common.errors import Unavailable
from apps.events.log import chosen
from apps.events.log.interface import EventLog, NotKept, Portion
from apps.events.log.kafka import producing
from apps.events.log.kafka.log import KafkaLog
from apps.events.log.models import KafkaBatch, KafkaPartition
from apps.events.models import FileImport
from apps.orgs.public import SERVICE, Organisation, Scope, acting, create_api_key, in_schema_of
from tests.config.launcher import eventually
from tests.support.kafka import MockCluster
from tests.support.logs import (
    Counts,
    append,
    choose,
    clicks,
    counted,
    drain,
    import_lines,
    keep,
    stored,
    waiting,
)  # fmt: skip
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("committed")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def kafka(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    yield from choose("kafka", request, monkeypatch)


def test_what_the_log_says_is_too_large_is_refused_and_not_to_be_repeated(kafka: EventLog, org: Organisation) -> None:
    with pytest.raises(NotKept) as refused:
        keep(Portion(org.pk, "api/a", [os.urandom(2_000_000)]))
    assert refused.value.is_refused


def start_ingestor() -> "subprocess.Popen[bytes]":
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "EVENT_LOG_URL": settings.EVENT_LOG_URL}
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_ingestor"], cwd=REPOSITORY, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_kill_9_of_the_ingestor_on_kafka_loses_and_doubles_nothing(kafka: EventLog, org: Organisation) -> None:
    """Killed once it has claimed something, and once rows begin to arrive; the third one ends the work."""
    total = 6_000
    for first in range(0, total, 500):
        keep(*(Portion(org.pk, f"api/{n}", clicks(*range(n, n + 60))) for n in range(first, first + 500, 50)))

    def claimed() -> bool:
        with acting(SERVICE):
            return KafkaBatch.objects.filter(org=org).exists()

    for moment in (claimed, lambda: stored(org)):
        process = start_ingestor()
        try:
            eventually(moment, "the ingestor does nothing")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    process = start_ingestor()
    try:
        eventually(lambda: waiting() == 0, "the log is not empty")
    finally:
        process.terminate()
        process.wait()
    assert stored(org) == total + 10
    assert counted(org) == Counts(accepted=total + 10, duplicate=total // 50 * 60 - total - 10, rejected=0)


def test_what_the_edge_acknowledged_on_kafka_outlives_it(kafka: EventLog, org: Organisation) -> None:
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="test", scopes=[Scope.WRITE_EVENTS])
    with Site(EVENT_LOG_URL=settings.EVENT_LOG_URL) as site:
        body = b"[" + b",".join(clicks(*range(50))) + b"]"
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        connection.request("POST", "/api/v1/events/batch", body, {"X-API-Key": key})
        assert connection.getresponse().status == 202
        site.kill()
    drain()
    assert stored(org) == 50
    assert counted(org) == Counts(accepted=50, duplicate=0, rejected=0)


def test_kafka_is_told_how_far_it_was_read(kafka: KafkaLog, org: Organisation) -> None:
    append(org, clicks(1, 2))
    drain()
    with acting(SERVICE):
        rows = KafkaPartition.objects.filter(topic=settings.EVENT_LOG_URL.rsplit("/", 1)[1])
        assert sum(row.next_offset > 0 for row in rows) == 1


def test_brokers_that_are_away_keep_nothing_and_say_so(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EVENT_LOG_URL", "kafka://127.0.0.1:1/away")
    monkeypatch.setattr(producing, "PATIENCE", 1.0)
    monkeypatch.setattr(producing, "TRANSACTION_PATIENCE", 1.0)
    chosen.event_log.cache_clear()
    try:
        with pytest.raises(NotKept):
            keep(Portion(org.pk, "api/a", clicks(1)))
        with pytest.raises(Unavailable, match="nothing of it was kept"):
            import_lines(org, clicks(1))
    finally:
        chosen.event_log.cache_clear()
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.exists()


def test_strange_messages_hold_nobody_up(kafka: EventLog, org: Organisation, cluster: MockCluster) -> None:
    keep(Portion(uuid4(), "api/gone", clicks(1)), Portion(org.pk, "api/a", clicks(1)))
    foreign = Producer({"bootstrap.servers": cluster.brokers})
    foreign.produce(settings.EVENT_LOG_URL.rsplit("/", 1)[1], b"hello", key=org.pk.bytes)
    foreign.flush(10)
    drain()
    assert stored(org) == 1
    assert waiting() == 0


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("mysql://x", "must be postgres: or start with"),
        ("kafka://host:9092", "must be like"),
        ("kafka://user:secret@host/topic", "sasl.username"),
        ("kafka://host/topic?acks=0&sasl.password=secret", "acks"),
    ],
)
def test_a_wrong_address_is_explained_without_its_secrets(url: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint) as refused:
        chosen.open_log(url)
    assert "secret" not in str(refused.value)
