"""The numbers of an organisation's persons: given out once, by the one ingestor, in the order of their first event.

A number is written before the events that bear it. After a crash in between the same batch is taken up first, finds
what was written and goes on from there; at worst some numbers are never used. The table in memory is true for as long
as nobody else gives out numbers: it lives and dies with the ingestor's lock.
"""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import numpy as np
import pyarrow as pa

from apps.events.numbering import NumberTable
from apps.events.queries import person_numbers
from apps.warehouse.public import insert

# All tables together take so much memory at most. An organisation with more persons than `MOST_PERSONS` is not held
# whole: those not in memory are asked for, batch by batch.
MOST_BYTES = 400_000_000
MOST_PERSONS = 4_000_000
HIGHEST = (1 << 32) - 1


@dataclass
class Known:
    """Numbers of one organisation: all of them if `whole`, and the last one given out."""

    table: NumberTable
    whole: bool
    last: int


class PersonNumbers:
    """What one ingestor knows; not for several threads at once."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Known] = OrderedDict()

    def fetch(self, org_id: UUID, keys: np.ndarray) -> np.ndarray:
        """The number of each of `keys` (shape (n, 2), as `preparing.keys_of` makes them), new ones written; shape (n,).

        A failure forgets the organisation: what was given out is then read again, and the rest given out the same way.
        """
        if not len(keys):
            return np.zeros(0, dtype=np.uint32)
        try:
            return self._numbers(org_id, keys)
        except BaseException:
            self._known.pop(org_id, None)
            raise

    def _numbers(self, org_id: UUID, keys: np.ndarray) -> np.ndarray:
        known = self._known_of(org_id)
        numbers = known.table.find(keys)
        if not known.whole and not numbers.all():
            missing = keys[numbers == 0]
            _remember(known.table, person_numbers.fetch(org_id, missing))
            numbers = known.table.find(keys)
        if not numbers.all():
            new = _once_each(keys[numbers == 0])
            _give_out(org_id, known, new)
            numbers = known.table.find(keys)
        return numbers

    def _known_of(self, org_id: UUID) -> Known:
        known = self._known.get(org_id)
        if known is None or known.table.size > MOST_PERSONS:
            known = self._known[org_id] = _read(org_id)
        self._known.move_to_end(org_id)
        while len(self._known) > 1 and sum(one.table.nbytes for one in self._known.values()) > MOST_BYTES:
            self._known.popitem(last=False)
        return known


def _read(org_id: UUID) -> Known:
    persons, last = person_numbers.extent(org_id)
    if persons > MOST_PERSONS:
        return Known(NumberTable(), whole=False, last=last)
    table = NumberTable(persons)
    for rows in person_numbers.fetch_all(org_id, persons):
        _remember(table, rows)
    return Known(table, whole=True, last=last)


def _remember(table: NumberTable, rows: np.ndarray) -> None:
    """Rows as the warehouse has them; a row may be there twice until parts are merged."""
    keys, numbers = rows["key"], rows["number"]
    _, first = np.unique(numbers, return_index=True)
    keys, numbers = keys[first], numbers[first]
    new = table.find(keys) == 0
    table.add(keys[new], numbers[new])


def _give_out(org_id: UUID, known: Known, keys: np.ndarray) -> None:
    """The next numbers to `keys`, each of them new and there once; written, then remembered."""
    first = known.last + 1
    if first + len(keys) > HIGHEST:
        raise OverflowError(f"Organisation {org_id} has more persons than there are numbers of 32 bits.")
    numbers = np.arange(first, first + len(keys), dtype=np.uint32)
    rows = pa.table(
        {
            "org_id": pa.repeat(pa.scalar(str(org_id), pa.string()), len(keys)).dictionary_encode(),
            "key_high": pa.array(keys[:, 0]),
            "key_low": pa.array(keys[:, 1]),
            "number": pa.array(numbers),
        }
    )
    # The same persons under the same numbers are the same insert, whoever tries it again.
    insert(org_id, "persons", rows, token=sha256(org_id.bytes + keys.tobytes() + numbers.tobytes()).hexdigest())
    known.table.add(keys, numbers)
    known.last += len(keys)


def _once_each(keys: np.ndarray) -> np.ndarray:
    """Each key once, in the order of first appearance."""
    _, first = np.unique(keys, axis=0, return_index=True)
    return np.ascontiguousarray(keys[np.sort(first)])
