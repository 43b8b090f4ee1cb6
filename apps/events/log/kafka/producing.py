"""Into Kafka: the edge's commits by an idempotent producer, and what belongs together by a transaction."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Producer

from apps.common.errors import Unavailable
from apps.events.log.interface import NotKept, Portion
from apps.events.log.kafka.address import Address
from apps.events.log.kafka.messages import LARGEST, Outgoing, messages_of

# Seconds for a commit of the edge, and for each step of a transaction.
PATIENCE = 15.0
TRANSACTION_PATIENCE = 60.0
TRIES = 3
REFUSALS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
DURABLE: dict[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # Java's, so that other clients find an organisation's partition
    "delivery.timeout.ms": int(PATIENCE * 1000),
    "compression.type": "none",  # the lines are compressed already
    "message.max.bytes": LARGEST,  # the client's own default is less than what brokers take
    "queue.buffering.max.kbytes": 131_072,
}


class KafkaWriter:
    """The edge's. Kafka's client blocks, so it works in a thread; one commit after the other."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._producer: Producer | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edge-kafka")

    async def append(self, portions: Sequence[Portion]) -> None:
        """Return when all of it is on the brokers; raise `NotKept` when it is not, or nobody knows."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._send, portions)

    async def close(self) -> None:
        self._thread.shutdown(wait=False)
        self._producer = None

    def _send(self, portions: Sequence[Portion]) -> None:
        if self._producer is None:
            self._producer = Producer({**self._address.settings, **DURABLE, "linger.ms": 0})
        errors: list[KafkaError] = []
        try:
            for portion in portions:
                produce(self._producer, self._address.topic, messages_of(portion), errors)
            left = self._producer.flush(PATIENCE)
        except (KafkaException, BufferError) as error:
            self._producer = None
            raise NotKept(_say(error), is_refused=_is_refusal(error)) from error
        if left or errors:
            # Gives up what is still under way: its senders are told, and will send it again.
            self._producer.purge()
            self._producer.flush(0)
            self._producer = None
            refused = bool(errors) and all(one.code() in REFUSALS for one in errors)
            raise NotKept(errors[0].str() if errors else "no answer in time", is_refused=refused)


def produce(producer: Producer, topic: str, messages: Iterable[Outgoing], errors: list[KafkaError]) -> None:
    """Hand messages to the client; `errors` grows by those that were not delivered."""

    def delivered(error: KafkaError | None, _: object) -> None:
        if error is not None:
            errors.append(error)

    for message in messages:
        for _ in range(int(PATIENCE * 10)):
            try:
                producer.produce(topic, on_delivery=delivered, **message.arguments)
            except BufferError:  # full: the brokers are behind
                producer.poll(0.1)
            else:
                break
        else:
            raise BufferError("the brokers do not take what is sent")
    producer.poll(0)


def send_whole(address: Address, messages: Iterable[Outgoing]) -> None:
    """All of them in one transaction; raise `Unavailable` when they are not, or nobody knows.

    Each transaction has an id of its own: nobody else writes under it, so there is nothing to fence off.
    """
    producer = Producer({
        **address.settings, **DURABLE, "transactional.id": f"precise-{uuid4()}",
        "transaction.timeout.ms": int(TRANSACTION_PATIENCE * 1000),
        "delivery.timeout.ms": int(TRANSACTION_PATIENCE * 500),
    })  # fmt: skip
    errors: list[KafkaError] = []
    try:
        producer.init_transactions(TRANSACTION_PATIENCE)
        producer.begin_transaction()
        produce(producer, address.topic, messages, errors)
        _commit(producer)
    except (KafkaException, BufferError) as error:
        _abort(producer)
        raise Unavailable(f"Kafka did not take it, and nothing of it was kept: {_say(error)}. Repeat it.") from error


def _commit(producer: Producer) -> None:
    """Waits for all deliveries first, and fails when one did."""
    for attempt in range(1, TRIES + 1):
        try:
            producer.commit_transaction(TRANSACTION_PATIENCE)
        except KafkaException as error:
            if attempt == TRIES or not error.args[0].retriable():
                raise
        else:
            return


def _abort(producer: Producer) -> None:
    """Where it fails, the brokers do it after the transaction's timeout."""
    try:
        producer.purge()
        producer.abort_transaction(5)
    except KafkaException:
        return


def _is_refusal(error: Exception) -> bool:
    """Whether the client itself would not take a message, before any broker saw it."""
    return isinstance(error, KafkaException) and error.args[0].code() in REFUSALS


def _say(error: Exception) -> str:
    return str(error.args[0].str() if isinstance(error, KafkaException) else error)
