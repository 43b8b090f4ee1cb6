"""Which event ids an organisation has already: a filter in memory first, the warehouse for what it cannot rule out.

Only new ids come through in good times, so that nearly all are answered from memory. The filter is true for as long as
nobody else writes events: it lives and dies with the ingestor's lock.
"""

from collections import OrderedDict
from uuid import UUID

import numpy as np

from apps.events.bloom import BloomFilter
from apps.events.queries import event_keys, known_ids

# All filters together take so much memory at most. One takes four to eight bytes an event: it has room for as many
# events again, rounded up to a power of two. An organisation too large for that has none and always asks.
MOST_BYTES = 512_000_000
MOST_EVENTS = MOST_BYTES // 8
LEAST_CAPACITY = 1 << 20


class KnownIds:
    """What one ingestor knows; not for several threads at once."""

    def __init__(self) -> None:
        self._filters: OrderedDict[UUID, BloomFilter | None] = OrderedDict()

    def fetch(self, org_id: UUID, batch_id: UUID, keys: np.ndarray) -> np.ndarray:
        """For each row of `keys` (shape (n, 2)) whether another batch brought it; shape (n,)."""
        seen = self._filter_of(org_id)
        perhaps = np.ones(len(keys), dtype=bool) if seen is None else seen.may_have(keys)
        known = np.zeros(len(keys), dtype=bool)
        if perhaps.any():
            known[perhaps] = known_ids.fetch(org_id, batch_id, keys[perhaps])
        return known

    def add(self, org_id: UUID, keys: np.ndarray) -> None:
        """Say that these are about to be written. Before and not after: an id too many only costs a question."""
        if (seen := self._filters.get(org_id)) is not None:
            seen.add(keys)
            if seen.size > seen.capacity:
                del self._filters[org_id]

    def _filter_of(self, org_id: UUID) -> BloomFilter | None:
        if org_id not in self._filters:
            self._filters[org_id] = self._build(org_id)
        self._filters.move_to_end(org_id)
        return self._filters[org_id]

    def _build(self, org_id: UUID) -> BloomFilter | None:
        events = event_keys.count(org_id)
        if events > MOST_EVENTS:
            return None
        made = BloomFilter(max(2 * events, LEAST_CAPACITY))
        while sum(one.nbytes for one in self._filters.values() if one) > MOST_BYTES - made.nbytes:
            self._filters.popitem(last=False)
        for keys in event_keys.fetch(org_id, events):
            made.add(keys)
        return made
