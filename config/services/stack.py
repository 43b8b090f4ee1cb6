"""The three services together: started side by side, waited for, published as URLs, stopped.

A service whose URL is given in the environment is not started: what is given is used.
"""

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from config.services import child
from config.services.child import Child
from config.services.clickhouse import ClickHouse
from config.services.keyring import Keyring, Ports
from config.services.layout import Layout, write_private
from config.services.postgres import Postgres
from config.services.redis import Redis
from config.services.refusal import Refusal
from config.services.signals import pause

PATIENCE = 180.0  # PostgreSQL may have to replay a long log after a crash
PORT_TAKEN = re.compile("address already in use|could not bind", re.IGNORECASE)
ATTEMPTS = 3


Service = ClickHouse | Redis | Postgres
# The one that prepares longest comes last, so that the others start meanwhile.
KINDS: tuple[type[Service], ...] = (ClickHouse, Redis, Postgres)


class Stack:
    """The services under one state folder. The caller holds its lock."""

    def __init__(self, layout: Layout, given: Mapping[str, str], *, fresh: bool = False) -> None:
        self._layout = layout
        self._given = given
        self._fresh = fresh
        self._keys = Keyring(layout)
        self._ports = Ports(layout)
        self._services = self._embedded()
        self._children: dict[str, Child] = {}

    @property
    def names(self) -> list[str]:
        return [service.name for service in self._services]

    @property
    def children(self) -> list[Child]:
        return list(self._children.values())

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def settings(self, base_url: str) -> dict[str, str]:
        """What the product needs to know, as `config.env` reads it."""
        found = {"SECRET_KEY": self._keys.get("django"), "BASE_URL": base_url}
        for service in self._services:
            found.update(service.settings())
        return {**found, **self._given}

    def publish(self, settings: Mapping[str, str]) -> None:
        head = "# Written by `make run`; gone when it stops. Read by config/env.py.\n"
        write_private(self._layout.service_file, head + "".join(f"{k}={v}\n" for k, v in settings.items()))

    def _embedded(self) -> list[Service]:
        """Those whose URL nobody gave."""
        kinds = (kind for kind in KINDS if not _all_given(kind, self._given))
        return [kind(self._layout, self._keys, self._ports) for kind in kinds]

    def _start(self) -> None:
        for service in self._services:
            if self._fresh:
                service.empty()
            service.prepare()
            self._spawn(service)
        for service in self._services:
            self._await(service)
            service.settle(fresh=self._fresh)

    def _spawn(self, service: Service) -> None:
        log = self._layout.log / f"{service.name}.log"
        self._children[service.name] = Child(service.command(), log=log, root=self._layout.root)

    def _await(self, service: Service) -> None:
        attempt = 1
        deadline = time.monotonic() + PATIENCE
        while not service.is_ready():
            started = self._children[service.name]
            if started.status() is not None:
                started.finish()
                if attempt == ATTEMPTS or not PORT_TAKEN.search("\n".join(started.tail)):
                    raise ended(started)
                attempt += 1
                self._move(service)
            if time.monotonic() > deadline:
                raise Refusal(f"{service.name} did not answer within {PATIENCE:.0f} s.{tail_of(started)}")
            pause(0.03)

    def _move(self, service: Service) -> None:
        """Somebody took the port between our look and the service's start."""
        self._ports.renew(service.name)
        moved = self._embedded()[self.names.index(service.name)]
        self._services[self.names.index(service.name)] = moved
        self._spawn(moved)

    def _stop(self) -> None:
        for mark in (self._layout.ready_mark, self._layout.service_file):
            with suppress(OSError):
                mark.unlink(missing_ok=True)
        child.stop_all(self.children)


def given_settings() -> dict[str, str]:
    """The settings that the caller's environment brings along."""
    names = ("DATABASE_URL", "DATABASE_ADMIN_URL", "CLICKHOUSE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def ended(stopped: Child) -> Refusal:
    """Says that a process ended that should have gone on."""
    return Refusal(f"{stopped.name} {how_it_ended(stopped)}.{tail_of(stopped)}\n{advice(stopped)}")


def how_it_ended(stopped: Child) -> str:
    status = stopped.status()
    return f"was killed by signal {-status}" if status is not None and status < 0 else f"ended with status {status}"


def advice(stopped: Child) -> str:
    if "No space left" in "\n".join(stopped.tail):
        return "The disk is full: free some space and start again. What was stored before is kept."
    return "What was stored is kept; start again with `make run`. If it happens again, the log above says why."


def tail_of(stopped: Child) -> str:
    lines = "".join(f"\n    {line}" for line in stopped.tail) or "\n    (it said nothing)"
    return f"\nThe end of {_short(stopped.log)}:{lines}"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _all_given(kind: type[Service], given: Mapping[str, str]) -> bool:
    missing = [name for name in kind.needs if name not in given]
    if missing and len(missing) < len(kind.needs):
        present = ", ".join(name for name in kind.needs if name in given)
        raise Refusal(f"{present} is set, but {', '.join(missing)} is not. Set both, or neither.")
    return not missing
