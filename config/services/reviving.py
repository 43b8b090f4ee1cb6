"""Processes of the site that are started again when one ends by itself; one that cannot live ends the site.

Only those that lose nothing by it: the services below them must be waited for and are not among them.
"""

import time
from collections.abc import Callable
from pathlib import Path

from config.services.child import Child, Command
from config.services.refusal import Refusal
from config.services.screen import note
from config.services.stack import advice, how_it_ended, tail_of

# A process that ends sooner than this after its start died quickly; as many quick deaths in a row as there are pauses
# and one more are too many.
QUICK = 60.0
PAUSES = (1.0, 5.0)


class Kept:
    """One process over all its lives. For the main thread only, like every start of a child."""

    def __init__(self, command: Command, *, log: Path, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._start: Callable[[], Child] = lambda: Child(command, log=log, root=root)
        self._clock = clock
        self._quick_deaths = 0
        self._due: float | None = None
        self._born = clock()
        self.child = self._start()

    def look(self) -> None:
        """Notices an end, and starts anew once the pause after it is over; raises when that has no use."""
        now = self._clock()
        if self._due is None and self.child.status() is not None:
            self._due = now + self._mourn(now)
        elif self._due is not None and now >= self._due:
            self._due, self._born = None, now
            self.child = self._start()

    def _mourn(self, now: float) -> float:
        """So many seconds to wait before the next start."""
        self.child.finish()
        self.child.make_sure(0)  # whatever the dead one started
        self._quick_deaths = self._quick_deaths + 1 if now - self._born < QUICK else 1
        how = how_it_ended(self.child)
        if self._quick_deaths > len(PAUSES):
            deaths = f"{self.child.name} ended {self._quick_deaths} times, each within {QUICK:.0f} s of its start"
            raise Refusal(f"{deaths}; it {how}.{tail_of(self.child)}\n{advice(self.child)}")
        pause = PAUSES[self._quick_deaths - 1]
        note(self.child.name, f"{how}; starting it again in {pause:.0f} s")
        return pause
