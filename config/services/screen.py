"""What the person at the terminal reads: one line per step, and a sign of life for whatever takes long."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

SOON = 2.0


def say(text: str = "") -> None:
    """Prints a line; a terminal that went away is no reason to fail."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = None


def note(topic: str, text: str) -> None:
    say(f"  {topic:<10} {text}")


@contextmanager
def step(topic: str, doing: str, done: str) -> Iterator[None]:
    """Says what is done with the time it took; when it takes longer than two seconds, also what is being done."""
    begin = time.monotonic()
    timer = Timer(SOON, note, (topic, f"{doing} …"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    note(topic, f"{done} ({time.monotonic() - begin:.1f} s)")
