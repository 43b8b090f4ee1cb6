"""All of Precise's processes on services of their own, each of which can be killed and comes back.

Stands for the supervisor that a deployment has (`restart: unless-stopped`, systemd).
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

import psycopg

from config.services.child import Child
from config.services.keyring import Keyring, Ports
from config.services.layout import REPOSITORY, Layout
from config.services.stack import KINDS, Service
from tests.config.launcher import SETTINGS, eventually, free_port


class Cluster:
    """Processes are started by the thread that made the cluster: they end with it."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self.layout.make()
        keys, ports = Keyring(self.layout), Ports(self.layout)
        self._services: dict[str, Service] = {kind.name: kind(self.layout, keys, ports) for kind in KINDS}
        self._running: dict[str, Child | subprocess.Popen[bytes]] = {}
        self.port = free_port()
        settings = {"SECRET_KEY": keys.get("django"), "BASE_URL": f"http://127.0.0.1:{self.port}"}
        for service in self._services.values():
            settings.update(service.settings())
        inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        self._env = {
            **inherited, **settings, "PRECISE_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings.test",
        }  # fmt: skip
        self._commands = {
            "ingestor": ["manage.py", "run_ingestor"],
            "web": [
                "-m", "granian", "--interface", "asginl", "config.asgi:application", "--host", "127.0.0.1",
                "--port", str(self.port), "--log-level", "error",
            ],
        }  # fmt: skip
        self.clickhouse_url = settings["CLICKHOUSE_URL"]
        self._admin_url = settings["DATABASE_ADMIN_URL"]

    @property
    def names(self) -> list[str]:
        return [*self._services, *self._commands]

    def start(self) -> None:
        for name, service in self._services.items():
            self._start(name)
            eventually(service.is_ready, f"{name} does not answer")
            service.settle(fresh=True)
        self.run("manage.py", "prepare")
        for name in self._commands:
            self._start(name)

    def run(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, *args], cwd=REPOSITORY, env=self._env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self, name: str) -> None:
        """-9, and then what a supervisor does."""
        self._kill_family(name)
        eventually(lambda: not self._is_running(name), f"{name} lives on")
        self.revive()

    def stop_politely(self, name: str) -> None:
        """As a deployment does it, with whatever is under way; then what a supervisor does."""
        os.kill(self._pid(name), signal.SIGTERM)
        eventually(lambda: not self._is_running(name), f"{name} does not stop")
        self.revive()

    def revive(self) -> None:
        """Start again whatever has ended."""
        for name in self.names:
            if not self._is_running(name):
                self._start(name)

    def waiting(self) -> int:
        """Records of the log that are not done with."""
        return self._count("done_at IS NULL")

    def failed(self) -> int:
        """Those that were passed over."""
        return self._count("error <> ''")

    def _count(self, condition: LiteralString) -> int:
        with psycopg.connect(self._admin_url, options="-c app.user_role=service") as connection:
            row = connection.execute("SELECT count(*) FROM ingest_log_logrecord WHERE " + condition).fetchone()
        return int(row[0]) if row else 0

    def stop(self) -> None:
        for name in reversed(self._running):
            self._kill_family(name)

    def _start(self, name: str) -> None:
        if name in self._services:
            self._services[name].prepare()
            log = self.layout.log / f"{name}.log"
            self._running[name] = Child(self._services[name].command(), log=log, root=self.layout.root)
            return
        with (self.layout.log / f"{name}.log").open("ab") as log_file:
            self._running[name] = subprocess.Popen(
                [sys.executable, *self._commands[name]],
                cwd=REPOSITORY,
                env=self._env,
                stdout=log_file,
                stderr=log_file,
                start_new_session=True,
            )

    def _kill_family(self, name: str) -> None:
        """Every process of it: granian's worker, a postmaster's backends."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid(name), signal.SIGKILL)

    def _pid(self, name: str) -> int:
        process = self._running[name]
        return process.pid

    def _is_running(self, name: str) -> bool:
        process = self._running[name]
        return (process.status() if isinstance(process, Child) else process.poll()) is None
