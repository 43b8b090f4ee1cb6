"""A process that dies is started again, and one that cannot live ends the site."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.services.child import Command
from config.services.refusal import Refusal
from config.services.reviving import PAUSES, QUICK, Kept
from tests.config.launcher import eventually


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keep(tmp_path: Path, clock: Clock) -> Callable[[str], Kept]:
    def made(code: str) -> Kept:
        command = Command(name="child", args=[sys.executable, "-c", code], env={}, folder=tmp_path)
        return Kept(command, log=tmp_path / "child.log", root=tmp_path, clock=clock)

    return made


def die(kept: Kept) -> None:
    eventually(lambda: kept.child.status() is not None, "the child goes on")
    kept.look()


def revive(kept: Kept, clock: Clock, pause: float) -> None:
    first = kept.child
    clock.now += pause * 0.9
    kept.look()
    assert kept.child is first
    clock.now += pause * 0.2
    kept.look()
    assert kept.child is not first


def test_three_quick_deaths_end_the_site_in_plain_words(keep: Callable[[str], Kept], clock: Clock) -> None:
    kept = keep("print('no disk'); raise SystemExit(3)")
    for pause in PAUSES:
        die(kept)
        revive(kept, clock, pause)
    with pytest.raises(Refusal, match=re.escape("child ended 3 times, each within 60 s of its start")) as refusal:
        die(kept)
    assert "ended with status 3" in str(refusal.value)
    assert "no disk" in str(refusal.value)


def test_deaths_after_a_long_life_never_end_the_site(keep: Callable[[str], Kept], clock: Clock) -> None:
    kept = keep("raise SystemExit(0)")
    for _ in range(2 * len(PAUSES) + 2):
        clock.now += QUICK + 1
        die(kept)
        revive(kept, clock, PAUSES[0])


def test_what_lives_is_left_alone(keep: Callable[[str], Kept], clock: Clock) -> None:
    kept = keep("import sys; sys.stdin.read(); import time; time.sleep(600)")
    first = kept.child
    clock.now += 1_000
    kept.look()
    assert kept.child is first
    assert first.status() is None
    first.ask_to_stop()
    first.finish()
