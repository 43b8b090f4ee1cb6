"""The embedded ClickHouse: one process of ours that owns the data folder and speaks ClickHouse's HTTP interface.

The server itself is `apps.warehouse.embedded`; tables come from the warehouse's schema files.
"""

import re
import shutil
import sys
import urllib.error
import urllib.request
from urllib.parse import quote

from config.services import system_user
from config.services.child import Command
from config.services.keyring import Keyring, Ports
from config.services.layout import REPOSITORY, Layout

USER = DATABASE = "precise"


class ClickHouse:
    name = "clickhouse"
    needs = ("CLICKHOUSE_URL",)

    def __init__(self, layout: Layout, keys: Keyring, ports: Ports) -> None:
        self._home = layout.root / "clickhouse"
        self._password = keys.get("clickhouse")
        self._port = ports.get(self.name)

    def empty(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def prepare(self) -> None:
        self._home.mkdir(mode=0o700, exist_ok=True)

    def command(self) -> Command:
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--database", DATABASE]
        return Command(
            name=self.name,
            args=[sys.executable, "-m", "apps.warehouse.embedded", "--data", str(self._home), *where],
            env={
                **system_user.PLAIN_ENVIRONMENT,
                "CLICKHOUSE_USER": USER,
                "CLICKHOUSE_PASSWORD": self._password,
                "PYTHONUNBUFFERED": "1",
            },
            folder=REPOSITORY,
            patience=30,
            echo=re.compile("No space left|NOT_ENOUGH_SPACE"),
        )

    def is_ready(self) -> bool:
        address = f"http://127.0.0.1:{self._port}/ping"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def settle(self, *, fresh: bool) -> None:
        """Nothing: the server makes its database."""

    def settings(self) -> dict[str, str]:
        return {"CLICKHOUSE_URL": f"http://{USER}:{quote(self._password)}@127.0.0.1:{self._port}/{DATABASE}"}
