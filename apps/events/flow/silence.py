"""Whether a source is silent that usually sends. Pure: no Django, no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

# So many pauses make a habit; shorter silences are nobody's concern.
LEAST_GAPS = 5
USUAL_SHARE = 0.9
TIMES_USUAL = 3
LEAST_SILENCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Silence:
    """Nothing for `length` from a source nine of ten of whose pauses are not longer than `usual`."""

    length: timedelta
    usual: timedelta


def usual_gap(moments: Iterable[datetime]) -> timedelta | None:
    """What nine of ten pauses between these do not exceed; None when there are too few to tell."""
    ordered = sorted(set(moments))
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    return gaps[ceil(USUAL_SHARE * len(gaps)) - 1] if len(gaps) >= LEAST_GAPS else None


def find_silence(
    last: datetime, now: datetime, minutes: Sequence[datetime], hours: Sequence[datetime]
) -> Silence | None:
    """Judged by the minutes in which it sent where these are enough, else by the hours."""
    usual = usual_gap(minutes) or usual_gap(hours)
    length = now - last
    if usual is None or length <= max(TIMES_USUAL * usual, LEAST_SILENCE):
        return None
    return Silence(length, usual)
