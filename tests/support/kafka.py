"""Brokers for the tests: librdkafka's own mock cluster, which answers over TCP for as long as this process lives."""

import logging
from uuid import uuid4

from confluent_kafka import Producer

SILENT = logging.getLogger("tests.kafka")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


class MockCluster:
    """Four partitions a topic, made when it is first asked for; each keeps 5 MB."""

    def __init__(self) -> None:
        self._owner: Producer | None = Producer(
            {"bootstrap.servers": "mock", "test.mock.num.brokers": 1}, logger=SILENT
        )
        brokers = self._owner.list_topics(timeout=10).brokers.values()
        self.brokers = ",".join(f"{one.host}:{one.port}" for one in brokers)

    def new_address(self) -> str:
        """A topic of its own, as EVENT_LOG_URL has it."""
        return f"kafka://{self.brokers}/events-{uuid4().hex[:12]}"

    def stop(self) -> None:
        """All brokers are gone, with all they had."""
        self._owner = None
