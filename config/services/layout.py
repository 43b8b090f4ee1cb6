"""Where things lie in the state folder, and whether it can be used at all.

What stands inside the files is known to the modules that write them.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.services.refusal import Refusal, from_os_error

REPOSITORY = Path(__file__).resolve().parents[2]
LEAST_FREE_MB = 300


@dataclass(frozen=True)
class Layout:
    """The folders under one state folder (`var/`, `var/test/`, …)."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def service_file(self) -> Path:
        """What `config.env` reads: the URLs of the running services."""
        return self.run / "services.env"

    @property
    def ready_mark(self) -> Path:
        """Exists while a launcher has brought everything up."""
        return self.run / "ready"

    @property
    def demo_accounts(self) -> Path:
        return self.run / "demo-accounts.txt"

    def make(self) -> None:
        """Makes the folders, or refuses in plain words."""
        try:
            for folder in (self.run, self.log, self.static):
                folder.mkdir(parents=True, exist_ok=True)
            self.run.chmod(0o700)  # passwords
            self.log.chmod(0o700)  # addresses, names
            write_private(self.run / "probe", "x" * 4096)
            (self.run / "probe").unlink()
        except OSError as error:
            raise from_os_error(error, self.root) from error
        self._demand_space()

    def _demand_space(self) -> None:
        free = shutil.disk_usage(self.root).free // 2**20
        if free < LEAST_FREE_MB:
            raise Refusal(
                f"The disk is full: {self.root} has {free} MB left, the databases need at least {LEAST_FREE_MB} MB.\n"
                "Free some space, or keep the data elsewhere: PRECISE_VAR=/another/folder make run"
            )


def write_private(path: Path, content: str) -> None:
    """Replaces a file in one step; only its owner may read it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
