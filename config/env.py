"""Typed readers of the environment: the one place that looks at `os.environ`.

A value comes from the environment first, then from the file that running local services wrote
(`<var>/run/services.env`), so that commands in another shell reach the same services.
A missing value without a default stops the start with a sentence that says what to set.
"""

import os
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


class MissingSetting(SystemExit):
    """A required setting is absent; the process must not start."""


def var_dir() -> Path:
    """The folder that holds all state of this installation."""
    return Path(os.environ.get("PRECISE_VAR", BASE_DIR / "var")).resolve()


@cache
def _service_file() -> dict[str, str]:
    path = var_dir() / "run" / "services.env"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name) or _service_file().get(name) or default
    if value is None:
        raise MissingSetting(
            f"{name} is not set. Start the local services with `make run` (they publish it), "
            f"or export {name} yourself; `.env.example` lists every setting."
        )
    return value


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no"}:
        raise MissingSetting(f"{name} must be one of 1, 0, true, false, yes, no; it is {value!r}.")
    return value in {"1", "true", "yes"}


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def postgres(name: str) -> dict[str, object]:
    """A Django DATABASES entry from `postgresql://user:password@host:port/name?option=value`."""
    url = urlsplit(text(name))
    if url.scheme not in {"postgres", "postgresql"}:
        raise MissingSetting(f"{name} must start with postgresql://, not {url.scheme or 'nothing'}://.")
    return {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or 5432),
        "OPTIONS": dict(parse_qsl(url.query)),
    }
