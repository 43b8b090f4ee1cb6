"""The log on Kafka: see `docs/adr` for why it is built so, and for what its tests cannot show.

Messages hold the records; PostgreSQL holds which of them make a batch and what became of it (`ledger.py`). A record
that fails moves into PostgreSQL's log, where somebody clears its error as ever. So that log is worked on too, with all
that was in it before the move to Kafka.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import cast
from uuid import UUID

import structlog
from django.db import transaction

from apps.common.errors import Unavailable
from apps.events.log.interface import Progress, Record
from apps.events.log.kafka import ledger
from apps.events.log.kafka.address import Address
from apps.events.log.kafka.messages import Incoming, read
from apps.events.log.kafka.producing import KafkaWriter, send_whole
from apps.events.log.kafka.reading import Meter, TopicReader, fetch_again
from apps.events.log.kafka.records import KafkaRecord, record_of
from apps.events.log.kafka.spool import Spool
from apps.events.log.models import KafkaBatch, KafkaPartition, LogRecord
from apps.events.log.postgres import PostgresLog
from apps.orgs.public import Organisation

log = structlog.get_logger()


class KafkaLog:
    def __init__(self, address: Address) -> None:
        self._address = address
        self._table = PostgresLog()
        self._meter = Meter(address)
        self._reader: TopicReader | None = None
        self._claimed: deque[UUID] = deque()
        self._records: dict[UUID, list[KafkaRecord]] = {}

    @contextmanager
    def whole(self) -> Iterator[Spool]:
        """One transaction of Kafka, committed just before the caller's.

        Should the caller's fail after it, the events are in all the same, and sending them again changes nothing.
        """
        with Spool() as spool:
            yield spool
            if spool.is_empty:
                return
            ledger.add_to_imports((run, org_id, lines, 0, 0, 0, 0) for (run, org_id), lines in spool.lines.items())
            send_whole(self._address, spool.messages())

    def edge_writer(self) -> KafkaWriter:
        return KafkaWriter(self._address)

    def waiting_lines(self, org_id: UUID | None = None, *, live: bool = False) -> int:
        """For one organisation without what was not claimed yet: nobody knows whose it is before it is read, nor
        whether it is of a file: what is live is what files leave of the estimate."""
        bounds = self._meter.bounds() if org_id is None else {}
        waits = ledger.waiting_lines(self._address.topic, bounds, org_id)
        waits = max(0, waits - ledger.import_lines(org_id)) if live else waits
        return self._table.waiting_lines(org_id, live=live) + waits

    def oldest_waiting(self) -> datetime | None:
        """In the table, that is."""
        return self._table.oldest_waiting()

    def unfinished(self) -> list[UUID]:
        """Begins anew: what this process had in hand and did not bring to its end is fetched again."""
        self._claimed.clear()
        self._records.clear()
        self._align()
        return self._table.unfinished() + ledger.open_batches(self._address.topic)

    def claim(self) -> UUID | None:
        if self._claimed:
            return self._claimed.popleft()
        if (left := self._table.claim()) is not None:
            return left
        while self._claim_messages():
            if self._claimed:
                return self._claimed.popleft()
        return None

    def records_of(self, batch_id: UUID) -> Sequence[Record]:
        if batch_id in self._records:
            return self._records.pop(batch_id)
        batch = ledger.find(batch_id)
        return self._table.records_of(batch_id) if batch is None else self._fetch_again(batch)

    def lock(self, records: Sequence[Record]) -> bool:
        if not _are_messages(records):
            return self._table.lock(records)
        return ledger.hold(cast(Sequence[KafkaRecord], records))

    def finish(self, records: Sequence[Record]) -> None:
        if not _are_messages(records):
            self._table.finish(records)
            return
        row = ledger.finish(cast(Sequence[KafkaRecord], records)).partition
        if self._reader is not None:
            transaction.on_commit(partial(self._reader.report, row.number, ledger.done_up_to(row)))

    def fail(self, records: Sequence[Record], why: str) -> None:
        if not _are_messages(records):
            self._table.fail(records, why)
            return
        for record in cast(Sequence[KafkaRecord], records):
            _keep_failed(record, why)
        ledger.pass_over(cast(Sequence[KafkaRecord], records))

    def release(self) -> None:
        self._table.release()
        ledger.release(self._address.topic)

    def progress(self, import_id: UUID, since: datetime | None = None) -> Progress:
        """What failed and was taken up again is counted where it is now."""
        there, here = self._table.progress(import_id, since), ledger.progress(import_id)
        if here is None:
            return there
        for name in ("done", "accepted", "duplicate", "rejected", "failed"):
            here[name] += there[name]
        return here

    def close(self) -> None:
        self._meter.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _align(self) -> tuple[TopicReader, dict[int, KafkaPartition], dict[int, int]]:
        """The reader where PostgreSQL says that it goes on, each partition's row, and how far Kafka goes."""
        bounds = self._meter.bounds()
        rows = ledger.positions(self._address.topic, bounds)
        for row in rows.values():
            _check_position(row, *bounds.get(row.number, (0, -1)))
        if self._reader is None:
            self._reader = TopicReader(self._address)
        self._reader.align({number: rows[number].next_offset for number in bounds})
        return self._reader, rows, {number: end for number, (_, end) in bounds.items()}

    def _claim_messages(self) -> bool:
        """Whether there were any; those that are nobody's are passed by."""
        reader, rows, ends = self._align()
        taken = reader.take(ends)
        if not taken:
            for number, position in reader.pass_marks().items():
                if position > rows[number].next_offset:
                    ledger.skip(rows[number], position)
            return False
        row = rows[taken[0].partition() or 0]
        messages = [one for one in map(read, taken) if one is not None]
        orgs = Organisation.objects.in_bulk({one.envelope.org_id for one in messages})
        known = [one for one in messages if one.envelope.org_id in orgs]
        if len(known) < len(taken):
            log.error("events.kafka_strange_messages", partition=row.number, count=len(taken) - len(known))
        for batch in ledger.claim(row, reader.position(row.number), known):
            mine = [one for one in known if one.envelope.org_id == batch.org_id]
            self._records[batch.batch_id] = _records(batch, orgs[batch.org_id], mine)
            self._claimed.append(batch.batch_id)
        return True

    def _fetch_again(self, batch: KafkaBatch) -> list[KafkaRecord]:
        row = batch.partition
        found = fetch_again(self._address, row.number, batch.first_offset, batch.last_offset)
        mine = [one for one in found if one.envelope.org_id == batch.org_id and one.offset >= batch.first_offset]
        if missing := batch.record_count - len(mine):
            log.error("events.kafka_records_lost", batch=str(batch.batch_id), org=str(batch.org_id), records=missing)
            ledger.note_lost(batch, missing)
        return _records(batch, batch.org, [one for one in mine if one.offset not in batch.settled_offsets])


def _records(batch: KafkaBatch, org: Organisation, messages: Sequence[Incoming]) -> list[KafkaRecord]:
    return [record_of(one, topic_partition=batch.partition_id, org=org, batch_id=batch.batch_id) for one in messages]


def _are_messages(records: Sequence[Record]) -> bool:
    return isinstance(records[0], KafkaRecord)


def _keep_failed(record: KafkaRecord, why: str) -> None:
    """In PostgreSQL's log, as of its own arrival."""
    kept = LogRecord.objects.create(
        org=record.org,
        source=record.source,
        import_id=record.import_id,
        history=record.history,
        first_position=record.first_position,
        line_count=record.line_count,
        byte_count=record.byte_count,
        payload=record.payload,
        error=why,
    )
    LogRecord.objects.filter(pk=kept.pk, created_at=kept.created_at).update(created_at=record.created_at)


def _check_position(row: KafkaPartition, first: int, end: int) -> None:
    if row.next_offset > end:
        raise Unavailable(
            f"Kafka's topic {row.topic} ends before what was read of it already: it is gone, or was made anew. Give a "
            "new one another name in EVENT_LOG_URL."
        )
    if row.next_offset < first:
        log.error("events.kafka_messages_lost", partition=row.number, count=first - row.next_offset)
        KafkaPartition.objects.filter(pk=row.pk, next_offset=row.next_offset).update(next_offset=first)
        row.next_offset = first
