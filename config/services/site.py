"""The product's own processes on top of the services, and the Django commands that come before them."""

import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.services.child import Child, Command
from config.services.layout import REPOSITORY, Layout
from config.services.refusal import Refusal
from config.services.reviving import Kept
from config.services.signals import pause
from config.services.stack import advice, ended, tail_of

PATIENCE = 90.0
ALARM = re.compile(r"\b(ERROR|CRITICAL)\b|^Traceback")
ANYTHING = re.compile(r"\S")
CELERY = ("-m", "celery", "-A", "config.celery")
QUIET_WORKER = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # they have nothing to tell each other
# Each worker's queue, and how much it does at once: see CELERY_TASK_ROUTES.
WORKERS = {"worker": ("celery", 2), "importer": ("imports", 3)}


class Site:
    """Starts the processes with the settings that the services gave."""

    def __init__(self, layout: Layout, settings: Mapping[str, str]) -> None:
        self._layout = layout
        self._env = {**os.environ, **settings, "PRECISE_VAR": str(layout.root), "PYTHONUNBUFFERED": "1"}
        self._step: Child | None = None
        self._kept: list[Kept] = []

    @property
    def children(self) -> list[Child]:
        return [*([self._step] if self._step else []), *(one.child for one in self._kept)]

    def prepare(self, *, demo: bool) -> None:
        """Migrations, static files, demonstration data; one Django start for all of it."""
        accounts = ["--accounts", str(self._layout.demo_accounts)] if demo else []
        command = self._command("prepare", "-m", "config.services.preparation", *accounts, echo=ANYTHING)
        step = self._step = Child(command, log=self._log_of(command), root=self._layout.root)
        status = step.finish()
        self._step = None
        if status:
            raise Refusal(f"Preparing the databases failed (status {status}).{tail_of(step)}\n{advice(step)}")

    def serve(self, port: int) -> None:
        mount = ("--static-path-route", "/static", "--static-path-mount", str(self._layout.static))
        calm = ("--no-access-log", "--log-level", "warning", "--workers-kill-timeout", "5")
        where = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
        args = ("-m", "granian", *where, "--respawn-failed-workers", *calm, *mount, "config.asgi:application")
        name = "web" if not self._layout.ready_mark.exists() else f"web-{port}"
        self._start(self._command(name, *args))

    def work(self) -> None:
        schedule = str(self._layout.run / "celerybeat-schedule")
        beat = ("beat", "--loglevel=WARNING", "--pidfile=", "-s", schedule)
        self._start(self._command("ingestor", "manage.py", "run_ingestor"))
        for name, (queue, count) in WORKERS.items():
            which = (f"--hostname={name}@%h", f"--queues={queue}", f"--concurrency={count}")
            self._start(self._command(name, *CELERY, "worker", "--loglevel=WARNING", *which, *QUIET_WORKER))
        self._start(self._command("beat", *CELERY, *beat))

    def wait_until_healthy(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _is_healthy(f"http://127.0.0.1:{port}/healthz"):
            watch(self.children)
            if time.monotonic() > deadline:
                raise Refusal(f"The web process did not answer within {PATIENCE:.0f} s.{tail_of(self.children[0])}")
            pause(0.05)

    def look_after(self) -> None:
        """Starts again what ended by itself."""
        for one in self._kept:
            one.look()

    def _start(self, command: Command) -> None:
        self._kept.append(Kept(command, log=self._log_of(command), root=self._layout.root))

    def _log_of(self, command: Command) -> Path:
        return self._layout.log / f"{command.name}.log"

    def _command(self, name: str, *args: str, echo: re.Pattern[str] = ALARM) -> Command:
        return Command(name=name, args=[sys.executable, *args], env=self._env, folder=REPOSITORY, echo=echo)


def watch(children: Sequence[Child]) -> None:
    """Raises as soon as one of them has ended."""
    for child in children:
        if child.status() is not None:
            child.finish()
            raise ended(child)


def accounts(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip()
    except OSError:
        return ""


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - a fixed http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
