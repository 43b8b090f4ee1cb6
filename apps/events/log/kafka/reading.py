"""Out of Kafka: messages of one topic in the partitions' order, from where Postgres says, up to their ends."""

import time
from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Any

import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from apps.common.errors import Unavailable
from apps.events.log.interface import BYTES_PER_BATCH, LINES_PER_BATCH, RECORDS_PER_BATCH
from apps.events.log.kafka.address import Address
from apps.events.log.kafka.messages import Incoming, read

log = structlog.get_logger()
GROUP = "precise-ingestor"
PATIENCE = 15.0
# What comes in so many seconds after the first message is taken with it.
GATHER = 0.3
AT_A_TIME = 200
CONSUMER: dict[str, Any] = {
    "group.id": GROUP,
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 32_768,
    "fetch.wait.max.ms": 100,
}


class TopicReader:
    """Of one ingestor; not for several threads at once, but for `report`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._consumer = Consumer({**address.settings, **CONSUMER})
        self._at: dict[int, int] = {}
        self._reached: dict[int, int] = {}
        self._buffers: dict[int, deque[Message]] = {}

    def align(self, positions: Mapping[int, int]) -> None:
        """Read on from these offsets, by partition. What was read ahead is kept where it fits."""
        if positions == self._at:
            return
        self._at = dict(positions)
        self._reached = dict(positions)
        self._buffers = {number: deque() for number in positions}
        self._consumer.assign([TopicPartition(self._address.topic, one, at) for one, at in positions.items()])

    def take(self, ends: Mapping[int, int]) -> list[Message]:
        """The next messages of one partition, as many as make a batch; none when all before `ends` was taken."""
        if not any(self._buffers.values()):
            self._fill(ends)
        waiting = [buffer for buffer in self._buffers.values() if buffer]
        if not waiting:
            return []
        oldest = min(waiting, key=lambda buffer: buffer[0].timestamp()[1])
        taken = _first_that_fit(oldest)
        self._at[_partition(taken[-1])] = _offset(taken[-1]) + 1
        return taken

    def position(self, partition: int) -> int:
        """Of what was taken."""
        return self._at[partition]

    def pass_marks(self) -> dict[int, int]:
        """Go on after the marks of transactions that follow what was taken; answers all positions."""
        self._at.update({one: at for one, at in self._reached.items() if not self._buffers[one]})
        return dict(self._at)

    def report(self, partition: int, offset: int) -> None:
        """Say to Kafka how far the ingestor is, for whoever watches there. Where it goes on stands in PostgreSQL."""
        offsets = [TopicPartition(self._address.topic, partition, offset)]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.warning("events.kafka_report_failed", error=error.args[0].str())

    def close(self) -> None:
        self._consumer.close()

    def _fill(self, ends: Mapping[int, int]) -> None:
        deadline, found_at, size = time.monotonic() + PATIENCE, None, 0
        while any(self._reached[one] < ends.get(one, 0) for one in self._reached):
            now = time.monotonic()
            if size >= BYTES_PER_BATCH // 4 or (found_at and now - found_at > GATHER):
                return
            if now > deadline:
                raise Unavailable("Kafka does not hand out what it has.")
            for message in consume(self._consumer):
                size += self._sort_in(message)
                found_at = found_at or (now if size else None)

    def _sort_in(self, message: Message) -> int:
        """Answers the message's size; nothing for a word on a partition's end."""
        partition, offset, error = _partition(message), _offset(message), message.error()
        if partition not in self._reached:
            return 0
        if error is None:
            self._buffers[partition].append(message)
            self._reached[partition] = offset + 1
            return len(message)
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached[partition] = max(self._reached[partition], offset)
            return 0
        raise Unavailable(f"Kafka does not hand out partition {partition}: {error.str()}.")


def consume(consumer: Consumer) -> list[Message]:
    try:
        return list(consumer.consume(AT_A_TIME, 0.1))
    except KafkaException as error:
        raise Unavailable(f"Kafka does not answer: {error.args[0].str()}.") from error


def fetch_again(address: Address, partition: int, first: int, last: int) -> list[Incoming]:
    """What Kafka has from `first` to `last`, both included: the same whenever it is asked, as long as it keeps it."""
    consumer = Consumer({**address.settings, **CONSUMER, "auto.offset.reset": "earliest"})
    found: list[Incoming] = []
    deadline = time.monotonic() + 4 * PATIENCE
    try:
        consumer.assign([TopicPartition(address.topic, partition, first)])
        while time.monotonic() < deadline:
            for message in consume(consumer):
                error, offset = message.error(), _offset(message)
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise Unavailable(f"Kafka does not hand out partition {partition}: {error.str()}.")
                if error is None and offset <= last and (one := read(message)):
                    found.append(one)
                if offset >= last:
                    return found
    finally:
        consumer.close()
    raise Unavailable(f"Kafka does not hand out partition {partition} again.")


class Meter:
    """How far the topic's partitions go; for any thread, and for those that never read."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = Lock()
        self._consumer: Consumer | None = None

    def bounds(self) -> dict[int, tuple[int, int]]:
        """For each partition its first offset and the one after its last committed message; none without the topic,
        which comes with the first message."""
        with self._lock:
            consumer = self._consumer = self._consumer or Consumer({**self._address.settings, **CONSUMER})
        topic = self._address.topic
        try:
            found = consumer.list_topics(topic, timeout=PATIENCE).topics[topic]
            if found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return {}
            if found.error is not None:
                raise Unavailable(f"Kafka has no topic {topic} to read: {found.error.str()}.")
            return {one: self._bounds(consumer, one) for one in sorted(found.partitions)}
        except KafkaException as error:
            raise Unavailable(f"Kafka does not answer: {error.args[0].str()}.") from error

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _bounds(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        where = TopicPartition(self._address.topic, partition)
        bounds = consumer.get_watermark_offsets(where, timeout=PATIENCE)
        if bounds is None:
            raise Unavailable("Kafka does not say how far it is.")
        return bounds


def _first_that_fit(buffer: deque[Message]) -> list[Message]:
    """The first messages that make one batch, the very first whatever its size."""
    taken: list[Message] = []
    lines = size = 0
    while buffer and len(taken) < RECORDS_PER_BATCH:
        one = read(buffer[0])
        lines += one.envelope.line_count if one else 0
        size += one.envelope.byte_count if one else 0
        if taken and (lines > LINES_PER_BATCH or size > BYTES_PER_BATCH):
            break
        taken.append(buffer.popleft())
    return taken


def _partition(message: Message) -> int:
    partition = message.partition()
    return -1 if partition is None else partition


def _offset(message: Message) -> int:
    offset = message.offset()
    return OFFSET_INVALID if offset is None else offset
