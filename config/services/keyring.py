"""Passwords and ports that outlive a run: made on the first start, kept in `run/`, readable by their owner only."""

import json
import secrets
import socket
from pathlib import Path
from typing import Any

from config.services.layout import Layout, write_private


class Keyring:
    """Random passwords by name."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.run / "secrets.json"
        self._values: dict[str, str] = _read_object(self._path)
        self._new: set[str] = set()

    def get(self, name: str) -> str:
        if name not in self._values:
            self._values[name] = secrets.token_urlsafe(40)
            self._new.add(name)
            write_private(self._path, json.dumps(self._values))
        return self._values[name]

    def is_new(self, name: str) -> bool:
        """Whether this run made the password, so that nobody can know it yet."""
        self.get(name)
        return name in self._new


class Ports:
    """Loopback ports by service; the last one is used again while nobody else has it."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.run / "ports.json"
        self._values: dict[str, int] = _read_object(self._path)

    def get(self, name: str) -> int:
        port = self._values.get(name, 0)
        return port if port and is_free(port) else self.renew(name)

    def renew(self, name: str) -> int:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._values[name] = int(probe.getsockname()[1])
        write_private(self._path, json.dumps(self._values))
        return self._values[name]


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now; a refusal for lack of rights raises PermissionError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except PermissionError:
        raise
    except OSError:
        return False
    return True


def _read_object(path: Path) -> dict[str, Any]:
    """A JSON object; a missing or broken file counts as empty, since everything in it can be made again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
