"""What PostgreSQL knows of a topic: how far it was claimed, which batches are open, what became of imports.

A batch is one organisation's messages between two offsets of a partition. Its row is what makes a replay the same
batch; the messages stay in Kafka.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection
from django.db.models import F, Min, Sum
from django.utils import timezone

from apps.events.log.interface import LockLost, Progress
from apps.events.log.kafka.messages import Incoming
from apps.events.log.kafka.records import KafkaRecord
from apps.events.log.models import KafkaBatch, KafkaImport, KafkaPartition

ADD_TO_IMPORT = """
INSERT INTO ingest_log_kafkaimport AS known (id, org_id, line_count, done, accepted, duplicate, rejected, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, now())
ON CONFLICT (id) DO UPDATE SET
    line_count = known.line_count + excluded.line_count, done = known.done + excluded.done,
    accepted = known.accepted + excluded.accepted, duplicate = known.duplicate + excluded.duplicate,
    rejected = known.rejected + excluded.rejected, changed_at = now()
"""


def positions(topic: str, bounds: Mapping[int, tuple[int, int]]) -> dict[int, KafkaPartition]:
    """Where each partition goes on; one that was never read begins with the first that Kafka has."""
    known = {row.number: row for row in KafkaPartition.objects.filter(topic=topic)}
    for number, (first, _) in bounds.items():
        if number not in known:
            known[number], _ = KafkaPartition.objects.get_or_create(
                topic=topic, number=number, defaults={"next_offset": first}
            )
    return known


def claim(row: KafkaPartition, until: int, messages: Sequence[Incoming]) -> list[KafkaBatch]:
    """Make a batch for each organisation in the messages that come next in a partition, before the offset `until`."""
    lines = sum(one.envelope.line_count for one in messages)
    moved = KafkaPartition.objects.filter(pk=row.pk, next_offset=row.next_offset).update(
        next_offset=until, lines_per_message=lines / max(1, len(messages))
    )
    if not moved:
        raise LockLost("Another ingestor has claimed these messages.")
    by_org: dict[UUID, list[Incoming]] = {}
    for message in messages:
        by_org.setdefault(message.envelope.org_id, []).append(message)
    return KafkaBatch.objects.bulk_create(_batch(row, org_id, some) for org_id, some in by_org.items())


def skip(row: KafkaPartition, until: int) -> None:
    """Nothing but Kafka's own marks of transactions comes before this offset."""
    KafkaPartition.objects.filter(pk=row.pk, next_offset=row.next_offset).update(next_offset=until)


def _batch(row: KafkaPartition, org_id: UUID, messages: Sequence[Incoming]) -> KafkaBatch:
    first, last = messages[0].offset, messages[-1].offset
    return KafkaBatch(
        org_id=org_id,
        batch_id=uuid5(NAMESPACE_URL, f"kafka:{row.pk}:{row.topic}/{row.number}/{first}-{last}/{org_id}"),
        partition=row,
        first_offset=first,
        last_offset=last,
        record_count=len(messages),
        line_count=sum(one.envelope.line_count for one in messages),
    )


def open_batches(topic: str) -> list[UUID]:
    found = KafkaBatch.objects.filter(partition__topic=topic, done_at=None).order_by("pk")
    return list(found.values_list("batch_id", flat=True))


def find(batch_id: UUID) -> KafkaBatch | None:
    """An open one."""
    found = KafkaBatch.objects.filter(batch_id=batch_id, done_at=None).select_related("partition", "org")
    return found.first()


def hold(records: Sequence[KafkaRecord]) -> bool:
    batch = KafkaBatch.objects.select_for_update().filter(batch_id=records[0].batch_id, done_at=None).first()
    return batch is not None and not {one.offset for one in records} & set(batch.settled_offsets)


def finish(records: Sequence[KafkaRecord]) -> KafkaBatch:
    """In the transaction that holds them; the batch is done with the last of its records."""
    batch = KafkaBatch.objects.select_related("partition").get(batch_id=records[0].batch_id)
    for name in ("accepted", "duplicate", "rejected"):
        setattr(batch, name, getattr(batch, name) + sum(getattr(one, name) for one in records))
    _settle(batch, records)
    add_to_imports(
        (one.import_id, one.org.pk, 0, one.line_count, one.accepted, one.duplicate, one.rejected)
        for one in records
        if one.import_id
    )
    return batch


def pass_over(records: Sequence[KafkaRecord]) -> None:
    """These are no longer the batch's."""
    _settle(KafkaBatch.objects.select_for_update().get(batch_id=records[0].batch_id), records)


def _settle(batch: KafkaBatch, records: Sequence[KafkaRecord]) -> None:
    settled = {*batch.settled_offsets, *(one.offset for one in records)}
    if len(settled) >= batch.record_count:
        batch.done_at = timezone.now()
    else:
        batch.settled_offsets = sorted(settled)
    batch.save(update_fields=["settled_offsets", "done_at", "accepted", "duplicate", "rejected"])


def note_lost(batch: KafkaBatch, missing: int) -> None:
    """Kafka has some of it no more; without any of it left, it is done."""
    left = batch.record_count - missing
    KafkaBatch.objects.filter(pk=batch.pk).update(
        record_count=left, done_at=None if left > len(batch.settled_offsets) else timezone.now()
    )


def release(topic: str) -> None:
    """Open batches under other ids: see `EventLog.release`."""
    for batch in KafkaBatch.objects.filter(partition__topic=topic, done_at=None):
        KafkaBatch.objects.filter(pk=batch.pk).update(batch_id=uuid5(batch.batch_id, "released"))


def done_up_to(row: KafkaPartition) -> int:
    """The offset before which everything has met its end."""
    first = KafkaBatch.objects.filter(partition=row, done_at=None).aggregate(first=Min("first_offset"))["first"]
    row.refresh_from_db(fields=["next_offset"])
    return row.next_offset if first is None else int(first)


def waiting_lines(topic: str, bounds: Mapping[int, tuple[int, int]], org_id: UUID | None) -> int:
    """Lines of open batches, and an estimate of what is not claimed: its messages times the latest ones' lines."""
    batches = KafkaBatch.objects.filter(partition__topic=topic, done_at=None)
    batches = batches if org_id is None else batches.filter(org=org_id)
    lines = int(batches.aggregate(lines=Sum("line_count", default=0))["lines"])
    rows = {row.number: row for row in KafkaPartition.objects.filter(topic=topic)}
    for number, (first, end) in bounds.items():
        row = rows.get(number)
        waits, each = end - (row.next_offset if row else first), row.lines_per_message if row else 1.0
        lines += int(max(0, waits) * max(1.0, each))
    return lines


def import_lines(org_id: UUID | None) -> int:
    """Lines of files that are not done with."""
    under_way = KafkaImport.objects.filter(done__lt=F("line_count"))
    under_way = under_way if org_id is None else under_way.filter(org=org_id)
    return int(under_way.aggregate(lines=Sum(F("line_count") - F("done"), default=0))["lines"])


def add_to_imports(changes: Iterable[tuple[UUID, UUID, int, int, int, int, int]]) -> None:
    """Import, organisation, lines, and of these done, accepted, duplicate, rejected. An import that commits at the same
    moment is waited for."""
    with connection.cursor() as cursor:
        cursor.executemany(ADD_TO_IMPORT, list(changes))


def progress(import_id: UUID) -> Progress | None:
    row = KafkaImport.objects.filter(pk=import_id).first()
    if row is None:
        return None
    return Progress(
        line_count=row.line_count,
        done=row.done,
        accepted=row.accepted,
        duplicate=row.duplicate,
        rejected=row.rejected,
        failed=0,
    )
