"""How the launcher hears that it should stop.

A signal only leaves a note; `pause`, which every waiting loop calls, turns it into Interrupted. An exception raised
from the handler itself could strike in the middle of subprocess' or threading's own locks and leave them taken.
"""

import ctypes
import os
import signal
import time
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_noted: list[int] = []
_raised: list[int] = []


class Interrupted(BaseException):
    """A stop signal arrived. Like KeyboardInterrupt, it must pass every `except Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def listen() -> None:
    """Takes note of stop signals from now on."""
    for number in STOP_SIGNALS:
        signal.signal(number, _note)


def pause(seconds: float) -> None:
    """Sleeps; raises Interrupted for the first stop signal, once. Later ones do not disturb the tidying up."""
    time.sleep(seconds)
    if _noted and not _raised:
        _raised.append(_noted[0])
        raise Interrupted(_noted[0])


def end_with_parent(number: int, parent: int) -> None:
    """Asks the kernel to send `number` to this process when `parent` (the thread that forked it) ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _note(number: int, frame: FrameType | None) -> None:
    _noted.append(number)
