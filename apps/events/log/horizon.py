"""From when on the log has to be looked at: no question should go through all of its hundreds of partitions.

Once a minute all of it is asked when its oldest open record arrived. In between, questions begin there or an hour ago,
whichever is earlier. So work that turns up further back (a failed record that was cleared, an import that committed
after an hour) is found within the minute, and everything else at once. They end an hour from now: what is made ahead is
empty.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

LOOK_EVERY = 60.0
RECENT = timedelta(hours=1)
# By how much another host's clock may be ahead.
AHEAD = timedelta(hours=1)


class Horizon:
    """`oldest` asks the whole log; None when nothing is open."""

    def __init__(self, oldest: Callable[[], datetime | None]) -> None:
        self._oldest = oldest
        self._seen: datetime | None = None
        self._asked_at = float("-inf")

    def window(self) -> tuple[datetime, datetime]:
        """Half-open: from when, until when."""
        if time.monotonic() - self._asked_at > LOOK_EVERY:
            self._seen = self._oldest()
            self._asked_at = time.monotonic()
        now = timezone.now()
        recent = now - RECENT
        return recent if self._seen is None else min(self._seen, recent), now + AHEAD
