"""The last step of ingest: a decoded batch into ClickHouse, quarantine and the log's counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate
from uuid import UUID

import numpy as np
import pyarrow as pa
import structlog
from django.db import connection
from django.utils import timezone

from apps.common.texts import storable
from apps.events.canonical import LONGEST_LINE
from apps.events.flow.counting import count_minutes
from apps.events.generated import data_id_of
from apps.events.known import KnownIds
from apps.events.lock import WriteLock
from apps.events.log.interface import EventLog, LockLost, Record
from apps.events.models import FileImport, QuarantinedLine
from apps.events.persons import PersonNumbers
from apps.events.preparing import Outcome, Prepared, Rejected
from apps.orgs.public import SERVICE, acting, in_schema_of
from apps.warehouse.public import insert

log = structlog.get_logger()
# Whole lines, so that they can be replayed; what is longer was turned away for that.
QUARANTINED_CHARACTERS = LONGEST_LINE
ADD_TO_HOUR = """
INSERT INTO events_sourcehour AS known (source, hour, accepted, duplicate, rejected, last_received)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (source, hour) DO UPDATE SET
    accepted = known.accepted + excluded.accepted,
    duplicate = known.duplicate + excluded.duplicate,
    rejected = known.rejected + excluded.rejected,
    last_received = greatest(known.last_received, excluded.last_received)
"""


def write(
    events: EventLog, batch_id: UUID, records: Sequence[Record], prepared: Sequence[Prepared], known: KnownIds,
    persons: PersonNumbers, ours: WriteLock,
) -> None:  # fmt: skip
    """Bring a batch of one organisation's records, real or generated ones, to its end, in one transaction.

    `prepared` has their rows and outcomes in the records' order, over one job or several.
    """
    org, data_id = records[0].org, data_id_of(records[0])
    outcomes = [outcome for one in prepared for outcome in one.outcomes]
    keys = np.concatenate([one.keys for one in prepared])
    new = ~(known.fetch(data_id, batch_id, keys) | repeated(keys))
    known.add(data_id, keys[new])
    with acting(SERVICE), in_schema_of(org):
        ours.check()
        if not events.lock(records):
            raise LockLost("Another ingestor has finished this batch.")
        table = rows_of(data_id, prepared, new, persons)
        if table.num_rows:
            insert(data_id, "events", table, token=str(batch_id))
        count(records, outcomes, new)
        quarantine(records, outcomes)
        tally(records)
        count_minutes(records, outcomes, prepared, new, timezone.now())
        events.finish(records)
        settle(events, {record.import_id for record in records if record.import_id})
    log.info("events.batch_done", org=str(org.pk), batch=str(batch_id), records=len(records), accepted=table.num_rows)


def rows_of(org_id: UUID, prepared: Sequence[Prepared], new: np.ndarray, persons: PersonNumbers) -> pa.Table:
    """The rows of those events that are `new`, with their persons' numbers."""
    table = pa.concat_tables([one.table for one in prepared]).unify_dictionaries()
    # From place 1 on, since place 0 is nobody's.
    starts = list(accumulate((len(one.persons) for one in prepared), initial=1))[:-1]
    places = np.concatenate(
        [np.where(one.person_places < 0, 0, one.person_places + start)
         for one, start in zip(prepared, starts, strict=True)]
    )  # fmt: skip
    if not new.all():
        table, places = table.filter(pa.array(new)), places[new]
    keys = np.concatenate([one.persons for one in prepared])
    is_met = np.zeros(len(keys) + 1, dtype=bool)
    is_met[places] = True
    met = np.flatnonzero(is_met[1:]) + 1
    numbers = np.zeros(len(keys) + 1, dtype=np.uint32)
    numbers[met] = persons.fetch(org_id, keys[met - 1])
    return table.append_column("person_number", pa.array(numbers[places]))


def repeated(keys: np.ndarray) -> np.ndarray:
    """For each row of `keys` (shape (n, 2)) whether an earlier row is the same; shape (n,)."""
    highs = np.sort(keys[:, 0])
    if (highs[1:] != highs[:-1]).all():
        return np.zeros(len(keys), dtype=bool)
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: of equal rows the earliest comes first
    ordered = keys[order]
    found = np.zeros(len(keys), dtype=bool)
    found[order[1:]] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return found


def count(records: Sequence[Record], outcomes: Sequence[Outcome], new: np.ndarray) -> None:
    """Each record's accepted, duplicate and rejected lines; `new` has a row for each prepared event."""
    ends = accumulate(outcome.rows for outcome in outcomes)
    for record, outcome, end in zip(records, outcomes, ends, strict=True):
        record.accepted = int(new[end - outcome.rows : end].sum())
        record.duplicate = outcome.rows - record.accepted
        record.rejected = len(outcome.rejected)


def quarantine(records: Sequence[Record], outcomes: Sequence[Outcome]) -> None:
    QuarantinedLine.objects.bulk_create(
        (
            _quarantined(record, line)
            for record, outcome in zip(records, outcomes, strict=True)
            for line in outcome.rejected
        ),
        batch_size=5_000,
        ignore_conflicts=True,  # a record that is taken up again finds its lines there
    )


def tally(records: Sequence[Record]) -> None:
    """Add the records' counts to their sources' hours."""
    hours: dict[tuple[str, datetime], list[Record]] = {}
    for record in records:
        hour = record.created_at.replace(minute=0, second=0, microsecond=0)
        hours.setdefault((record.source, hour), []).append(record)
    rows = [
        (source, hour, sum(one.accepted for one in some), sum(one.duplicate for one in some),
         sum(one.rejected for one in some), max(one.created_at for one in some))
        for (source, hour), some in hours.items()
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(ADD_TO_HOUR, rows)


def settle(events: EventLog, import_ids: Iterable[UUID]) -> None:
    """Bring the imports that these records belong to up to date; one whose last record is done is finished."""
    for run in FileImport.objects.filter(pk__in=import_ids):
        counts = events.progress(run.pk, run.started_at)
        whole = counts["done"] == counts["line_count"]
        FileImport.objects.filter(pk=run.pk).update(
            accepted=counts["accepted"],
            duplicate=counts["duplicate"],
            rejected=counts["rejected"],
            finished_at=timezone.now() if whole else None,
        )


def _quarantined(record: Record, rejected: Rejected) -> QuarantinedLine:
    return QuarantinedLine(
        import_id=record.import_id,
        source=record.source,
        record_id=record.pk,
        position=record.first_position + rejected.place,
        code=rejected.why.code,
        field=rejected.why.field[:120],
        message=storable(rejected.why.message[:2000]),
        line=storable(rejected.line[:QUARANTINED_CHARACTERS].decode("utf-8", "replace")),
    )
