"""Totals that an export has of its own: recognised, never summed, and compared with the rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from apps.events.reported.roles import FIGURES, Role

WORD = (
    r"(?:grand\s+|sub-?\s*|overall\s+)?totals?|gesamt(?:summe|ergebnis)?|summe|total\s+(?:général|generale|general)"
    r"|totale|ergebnis"
)
BEGINS = re.compile(rf"\s*(?:{WORD})(?!\w)", re.I)
WHOLE = re.compile(rf"\s*(?:{WORD})\s*:?\s*", re.I)


def begins_like_total(cell: str) -> bool:
    """`Total`, `Total: Campaigns`, `Gesamt`."""
    return BEGINS.match(cell) is not None


@lru_cache(10_000)
def is_total_word(cell: str) -> bool:
    """Nothing else but such a word."""
    return WHOLE.fullmatch(cell) is not None


@dataclass(frozen=True)
class Comparison:
    """What the file says a figure sums to, and what its rows do."""

    role: Role
    stated: Decimal
    summed: Decimal

    @property
    def agrees(self) -> bool:
        return self.stated == self.summed

    @property
    def words(self) -> str:
        places = 2 if self.role in {Role.SPEND, Role.REVENUE} else 0
        stated, summed = (_written(value, places) for value in (self.stated, self.summed))
        return f"{self.role}: the file's own total is {stated}, the rows sum to {summed}"


def compare(totals: Sequence[Mapping[Role, Decimal]], sums: Mapping[Role, Decimal]) -> list[Comparison]:
    """Of several totals of a figure (of parts, of the whole) the one nearest to the sum of the rows is meant."""
    found = []
    for role in FIGURES:
        stated = [total[role] for total in totals if role in total]
        if stated and role in sums:
            nearest = min(stated, key=lambda value: abs(value - sums[role]))
            found.append(Comparison(role, nearest, sums[role]))
    return found


def _written(value: Decimal, least_places: int) -> str:
    exponent = value.normalize().as_tuple().exponent
    places = max(least_places, -exponent if isinstance(exponent, int) else 0)
    return f"{value:,.{places}f}"
