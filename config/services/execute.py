"""`exec`: one command under services of its own, which end with it. Tests, benchmarks and linters use it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from config.services.layout import Layout
from config.services.lock import Lock, holder
from config.services.orphans import MARK, stop_orphans
from config.services.refusal import Refusal
from config.services.screen import step
from config.services.signals import Interrupted, end_with_parent, pause
from config.services.site import watch
from config.services.stack import Stack, given_settings

GRACE = 30.0
BASE_URL = "http://localhost:8000"


def execute(layout: Layout, command: Sequence[str], *, fresh: bool) -> int:
    """The command's exit status. `fresh` gives it empty databases, and never those of the environment."""
    layout.make()
    with Lock(layout) as lock:
        if not lock.held:
            raise Refusal(f"{layout.root} is in use by process {holder(layout.run / 'lock')}. Wait for it, or stop it.")
        stop_orphans(layout.root)
        stack = Stack(layout, {} if fresh else given_settings(), fresh=fresh)
        with ExitStack() as rest:
            with step("services", "starting PostgreSQL, ClickHouse and Redis", "ready"):
                rest.enter_context(stack)
            settings = stack.settings(BASE_URL)
            stack.publish(settings)
            return _foreground(layout, command, settings, stack)


def _foreground(layout: Layout, command: Sequence[str], settings: Mapping[str, str], stack: Stack) -> int:
    """Runs it on our terminal, in our process group: Ctrl-C reaches it directly, and we wait for it."""
    tools = Path(sys.executable).parent
    env = {**os.environ, **settings, "PRECISE_VAR": str(layout.root), MARK: str(layout.root)}
    env["PATH"] = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"
    launcher = os.getpid()
    try:
        process = subprocess.Popen(command, env=env, preexec_fn=lambda: end_with_parent(signal.SIGTERM, launcher))
    except OSError as error:
        raise Refusal(f"Cannot start {command[0]}: {error.strerror}") from error
    try:
        while (status := process.poll()) is None:
            watch(stack.children)
            pause(0.05)
    except Interrupted as stop:
        if stop.number != signal.SIGINT:  # Ctrl-C has reached it already
            process.terminate()
        status = _last_word(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return 128 - status if status < 0 else status


def _last_word(process: subprocess.Popen[bytes]) -> int:
    """Half a minute for the command to end in its own way: tests take their fixtures down."""
    try:
        return process.wait(GRACE)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
