"""Counts what arrives by the minute: through which door, for which platform, how late. One step of a batch's writing.

Whole columns at a time: this is in the ingestor's way.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
import pyarrow as pa
from django.db import connection

from apps.events.flow.histogram import BUCKETS, buckets_of
from apps.events.log.interface import Record
from apps.events.preparing import Outcome, Prepared

ADD = """
INSERT INTO public.ingest_log_arrivalminute AS known
    (org_id, source, platform, minute, accepted, duplicate, rejected, last_received, waits, ages)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (org_id, minute, source, platform) DO UPDATE SET
    accepted = known.accepted + excluded.accepted,
    duplicate = known.duplicate + excluded.duplicate,
    rejected = known.rejected + excluded.rejected,
    last_received = greatest(known.last_received, excluded.last_received),
    waits = ARRAY(SELECT a + b FROM unnest(known.waits, excluded.waits) WITH ORDINALITY AS t (a, b, n) ORDER BY n),
    ages = ARRAY(SELECT a + b FROM unnest(known.ages, excluded.ages) WITH ORDINALITY AS t (a, b, n) ORDER BY n)
"""
COLUMNS = ["platform", "timestamp", "received_at"]
Row = tuple[UUID, str, str, datetime, int, int, int, datetime, list[int], list[int]]


def count_minutes(
    records: Sequence[Record], outcomes: Sequence[Outcome], prepared: Sequence[Prepared], new: np.ndarray,
    now: datetime,
) -> None:  # fmt: skip
    """Add a batch of one organisation's records, whose rows can be queried since `now`, to their minutes.

    `new` has a row for each prepared event: whether it was stored.
    """
    with connection.cursor() as cursor:
        cursor.executemany(ADD, list(_rows(records, outcomes, prepared, new, now)))


def _rows(
    records: Sequence[Record], outcomes: Sequence[Outcome], prepared: Sequence[Prepared], new: np.ndarray,
    now: datetime,
) -> Iterator[Row]:  # fmt: skip
    org_id = records[0].org.pk
    minutes = [(one.source, one.created_at.replace(second=0, microsecond=0)) for one in records]
    groups = list(dict.fromkeys(minutes))
    last = {
        group: max(r.created_at for r, own in zip(records, minutes, strict=True) if own == group) for group in groups
    }
    for group, rejected in _rejected(groups, minutes, outcomes).items():
        if rejected:
            yield (org_id, group[0], "", group[1], 0, 0, rejected, last[group], [0] * BUCKETS, [0] * BUCKETS)
    table = pa.concat_tables([one.table.select(COLUMNS) for one in prepared]).unify_dictionaries()
    if not table.num_rows:
        return
    platforms, codes = _platforms(table)
    keys = np.repeat([groups.index(own) for own in minutes], [one.rows for one in outcomes]) * len(platforms) + codes
    waits = np.repeat([(now - one.created_at).total_seconds() for one in records], [one.rows for one in outcomes])
    size = len(groups) * len(platforms)
    accepted, duplicate = np.bincount(keys[new], minlength=size), np.bincount(keys[~new], minlength=size)
    waited, aged = (_histograms(keys[new], times[new], size) for times in (waits, _ages(table)))
    for key in np.flatnonzero(accepted + duplicate).tolist():
        source, minute = groups[key // len(platforms)]
        yield (
            org_id, source, platforms[key % len(platforms)], minute, int(accepted[key]), int(duplicate[key]), 0,
            last[source, minute], waited[key].tolist(), aged[key].tolist(),
        )  # fmt: skip


def _rejected(
    groups: Sequence[tuple[str, datetime]], minutes: Sequence[tuple[str, datetime]], outcomes: Sequence[Outcome]
) -> dict[tuple[str, datetime], int]:
    counts = dict.fromkeys(groups, 0)
    for own, outcome in zip(minutes, outcomes, strict=True):
        counts[own] += len(outcome.rejected)
    return counts


def _platforms(table: pa.Table) -> tuple[list[str], np.ndarray]:
    """Names, and for each row the place of its own among them."""
    encoded = table["platform"].combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _ages(table: pa.Table) -> np.ndarray:
    """For each row the seconds from when it happened to when it arrived."""
    received = table["received_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    happened = table["timestamp"].cast(pa.int64()).to_numpy()
    ages: np.ndarray = (received - happened) / 1_000_000
    return ages


def _histograms(keys: np.ndarray, seconds: np.ndarray, size: int) -> np.ndarray:
    """For each key the counts of its times; shape (size, BUCKETS)."""
    return np.bincount(keys * BUCKETS + buckets_of(seconds), minlength=size * BUCKETS).reshape(size, BUCKETS)
