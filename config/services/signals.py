"""How the launcher hears that it should stop: the first signal raises, later ones are ignored while it tidies up."""

import ctypes
import os
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Interrupted(BaseException):
    """A stop signal arrived. Like KeyboardInterrupt, it must pass every `except Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def listen() -> None:
    """Turns stop signals into Interrupted."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)


def be_deaf() -> None:
    """Ignores stop signals by a handler: an inherited SIG_IGN would make children deaf too."""
    for number in STOP_SIGNALS:
        signal.signal(number, _ignore)


def end_with_parent(number: int, parent: int) -> None:
    """Asks the kernel to send `number` to this process when `parent` (the thread that forked it) ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    be_deaf()
    raise Interrupted(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass
