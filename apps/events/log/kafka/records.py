"""A message of Kafka as the ingestor sees a record."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.events.log.kafka.messages import Incoming
from apps.orgs.public import Organisation

# A record's number is below zero, so that it is never one of PostgreSQL's: the topic's partition, then the offset.
OFFSET_BITS = 40


@dataclass
class KafkaRecord:
    pk: int
    org: Organisation
    batch_id: UUID
    source: str
    import_id: UUID | None
    history: bool
    first_position: int
    line_count: int
    byte_count: int
    payload: bytes
    created_at: datetime
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0

    @property
    def offset(self) -> int:
        return -self.pk & ((1 << OFFSET_BITS) - 1)


def record_of(message: Incoming, *, topic_partition: int, org: Organisation, batch_id: UUID) -> KafkaRecord:
    """`topic_partition` is the key of its row in PostgreSQL: a topic made anew under another name has others."""
    one = message.envelope
    return KafkaRecord(
        pk=-((topic_partition << OFFSET_BITS) | message.offset),
        org=org,
        batch_id=batch_id,
        source=one.source,
        import_id=one.import_id,
        history=one.history,
        first_position=one.first_position,
        line_count=one.line_count,
        byte_count=one.byte_count,
        payload=message.payload,
        created_at=message.arrived_at,
    )
