"""Mail that was written to files instead of being sent: how a page of the console shows it in development."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from django.conf import settings

from apps.common.errors import NotFound

MOST = 100
NAME = re.compile(r"\d{8}-\d{6}-\d+\.log")
# What Django's file backend writes between messages of one connection.
BETWEEN = b"-" * 79


@dataclass(frozen=True)
class Caught:
    """One message; `key` names file and place."""

    key: str
    at: datetime
    subject: str
    to: str
    text: str


def list_caught() -> list[Caught]:
    """The newest first."""
    _check_on()
    folder = Path(settings.EMAIL_FILE_PATH)
    files = [path for path in folder.glob("*.log") if NAME.fullmatch(path.name)] if folder.is_dir() else []
    files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [one for path in files[:MOST] for one in reversed(_read(path))]


def get_caught(key: str) -> Caught:
    _check_on()
    name, _, place = key.rpartition(".")
    path = Path(settings.EMAIL_FILE_PATH) / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise NotFound("There is no such message.")
    for one in _read(path):
        if one.key == f"{name}.{place}":
            return one
    raise NotFound("There is no such message.")


def _read(path: Path) -> list[Caught]:
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    parts = [part.strip() for part in path.read_bytes().split(BETWEEN)]
    return [_message(f"{path.name}.{place}", at, part) for place, part in enumerate(parts) if part]


def _message(key: str, at: datetime, content: bytes) -> Caught:
    message = message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain",))
    return Caught(key, at, str(message["Subject"] or ""), str(message["To"] or ""), body.get_content() if body else "")


def _check_on() -> None:
    if not settings.MAIL_CATCHER:
        raise NotFound("Mail is sent here, not caught.")
