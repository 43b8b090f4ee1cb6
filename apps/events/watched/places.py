"""Where watched files lie: a folder of this machine, or a bucket, and what of these an organisation may reach.

A folder must be below one of the operator's `WATCH_ROOTS`; symbolic links below it are never followed, at any step, and
each step is opened relative to the one before, so that nothing can be swapped in between. A bucket is asked at the
operator's endpoint only. The worker's own credentials reach only what `WATCH_BUCKETS` lists, because a bucket's name is
no secret and these credentials are everybody's. `{org}` in either list stands for the organisation's short name.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from errno import ELOOP
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, NoCredentialsError
from django.conf import settings

from apps.common.errors import InvalidInput, Unavailable

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
MOST_FILES = 100_000
# Of a bucket that is gone through folder by folder: each is a question.
MOST_FOLDERS = 2_000
FEWER = "watch a folder with fewer, or have files or folders name their day, such as 2026-11-24."
LONGEST_PATH = 1024
BLOCK = 8 << 20
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}


@dataclass(frozen=True)
class Found:
    """A file as a listing shows it. `whole`: it cannot be growing."""

    path: str
    size: int
    version: str
    modified_at: datetime
    whole: bool


@dataclass(frozen=True)
class Window:
    """Leaves out files and folders that name a day before `since`; a folder's path ends in a slash."""

    since: date
    day_of: Callable[[str], date | None]

    def has(self, path: str) -> bool:
        day = self.day_of(path)
        return day is None or day >= self.since


class TooMany(InvalidInput):
    """More files than a look can go through."""


class Place(Protocol):
    def list_files(self, window: Window | None = None) -> list[Found]:
        """All files, or those of the window, in order of their paths."""
        ...

    def open(self, path: str, version: str) -> Any:
        """A context with the file's bytes; one that is not, or does not stay, of this version is refused."""
        ...


@dataclass(frozen=True)
class Key:
    """An access key of the source's own."""

    key_id: str
    secret: str


def place_of(url: str, *, org: str, key: Key | None) -> Place:
    """The place that a source names, if the organisation (by its short name) may reach it."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _no_place(url) from error
    if parts.query or parts.fragment or "\x00" in url:
        raise InvalidInput("The address must be a folder or bucket alone, without ? or #.")
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Folder(*_below_root(unquote(parts.path), org))
    if parts.scheme == "s3" and BUCKET.fullmatch(parts.netloc):
        prefix = _prefix(parts.path)
        if key is None:
            _check_own_reach(parts.netloc, prefix, org)
        return Bucket(parts.netloc, prefix, key)
    raise _no_place(url)


def _no_place(url: str) -> InvalidInput:
    return InvalidInput(f"{url[:120]!r} is no place to watch; right are s3://bucket/prefix and file:///folder.")


def _below_root(text: str, org: str) -> tuple[str, tuple[str, ...]]:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts:
        raise InvalidInput("A folder's address must be complete, such as file:///srv/deliveries/ttd, and without `..`.")
    for root in settings.WATCH_ROOTS:
        allowed = PurePosixPath(root.replace("{org}", org))
        if path.is_relative_to(allowed):
            return str(allowed), path.relative_to(allowed).parts
    raise InvalidInput(
        f"This installation does not allow to watch {path}. Its operator allows folders by WATCH_ROOTS; "
        "buckets need no such permission: s3://bucket/prefix."
    )


def _prefix(path: str) -> str:
    """Without a slash before and with one behind, so that `a` never reaches `ab`."""
    parts = [part for part in path.split("/") if part]
    if any(part in {".", ".."} for part in parts):
        raise InvalidInput("A prefix must have no . or .. in it.")
    return "".join(f"{part}/" for part in parts)


def _check_own_reach(bucket: str, prefix: str, org: str) -> None:
    wanted = f"{bucket}/{prefix}"
    for one in settings.WATCH_BUCKETS:
        allowed = one.removeprefix("s3://").replace("{org}", org).strip("/")
        if allowed == "*" or wanted.startswith(f"{allowed}/"):
            return
    raise InvalidInput(
        f"This installation's own credentials are not for s3://{wanted.rstrip('/')}: give an access key that may list "
        "and read it. (Its operator lists what they are for in WATCH_BUCKETS.)"
    )


class Folder:
    def __init__(self, root: str, below: tuple[str, ...]) -> None:
        self._root, self._below = root, below

    def list_files(self, window: Window | None = None) -> list[Found]:
        found: list[Found] = []
        with self._opened(self._below) as folder:
            for at, folders, names, inside in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
                base = f"{at}/".removeprefix("./")
                if window is not None:
                    folders[:] = [name for name in folders if window.has(f"{base}{name}/")]
                for name in names:
                    path = f"{base}{name}"
                    if window is not None and not window.has(path):
                        continue
                    _check_count(len(found), window)
                    with suppress(FileNotFoundError):
                        status = os.stat(name, dir_fd=inside, follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode) and _is_storable(path):
                            found.append(_found(path, status))
        return sorted(found, key=lambda one: one.path)

    @contextmanager
    def open(self, path: str, version: str) -> Iterator[BinaryIO]:
        *folders, name = path.split("/")
        with self._opened((*self._below, *folders)) as folder, _explained(path):
            number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(number, "rb") as raw:
                _check_version(path, os.fstat(number), version)
                yield raw
                _check_version(path, os.fstat(number), version)

    @contextmanager
    def _opened(self, folders: tuple[str, ...]) -> Iterator[int]:
        """The folder at the end of these steps below the root, none of them a link."""
        shown = "/".join((self._root, *folders))
        with _explained(shown):
            number = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in folders:
                if step in {"", ".", ".."}:
                    raise InvalidInput(f"{shown} is not the name of a folder.")
                with _explained(shown):
                    below = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=number)
                os.close(number)
                number = below
            yield number
        finally:
            os.close(number)


class Bucket:
    def __init__(self, bucket: str, prefix: str, key: Key | None) -> None:
        self._bucket, self._prefix, self._key = bucket, prefix, key

    def list_files(self, window: Window | None = None) -> list[Found]:
        found: list[Found] = []
        with _explained(f"s3://{self._bucket}/{self._prefix}"):
            for page in self._pages(self._prefix) if window is None else self._walk(window):
                found.extend(self._found(one) for one in page if self._is_file(one))
                _check_count(len(found), window)
        return sorted(found, key=lambda one: one.path)

    @contextmanager
    def open(self, path: str, version: str) -> Iterator[BinaryIO]:
        """What is replaced while it is read is refused by S3 itself: each request names the version it is about."""
        name = f"{self._bucket}/{self._prefix}{path}"
        with _explained(f"s3://{name}"), self._files().open(name, "rb", block_size=BLOCK) as raw:
            if raw.details.get("ETag", "").strip('"') != version:
                raise Unavailable(f"{path} was replaced meanwhile; its new version is taken up by the next look.")
            yield cast(BinaryIO, raw)

    def _walk(self, window: Window) -> Iterator[list[dict[str, Any]]]:
        """Folder by folder, so that past days cost no more than their names; a day's folder is listed at once."""
        waiting, asked = [self._prefix], 0
        while waiting:
            asked += 1
            if asked > MOST_FOLDERS:
                raise TooMany(f"There are more than {MOST_FOLDERS:,} folders; {FEWER}")
            folder = waiting.pop()
            whole_day = window.day_of(folder.removeprefix(self._prefix)) is not None
            for page in self._answers(folder, "" if whole_day else "/"):
                below = [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                waiting.extend(one for one in below if window.has(one.removeprefix(self._prefix)))
                files = page.get("Contents", [])
                yield [one for one in files if window.has(one["Key"].removeprefix(self._prefix))]

    def _pages(self, prefix: str) -> Iterator[list[dict[str, Any]]]:
        for page in self._answers(prefix, ""):
            yield page.get("Contents", [])

    def _answers(self, prefix: str, delimiter: str) -> Iterator[dict[str, Any]]:
        files = self._files()
        more: dict[str, str] = {"Delimiter": delimiter} if delimiter else {}
        while True:
            page = files.call_s3("list_objects_v2", Bucket=self._bucket, Prefix=prefix, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def _files(self) -> Any:
        from s3fs import S3FileSystem  # 60 MB that most processes never need

        own = {"key": self._key.key_id, "secret": self._key.secret} if self._key else {}
        client = {"endpoint_url": settings.WATCH_S3_ENDPOINT, "region_name": settings.WATCH_S3_REGION}
        return S3FileSystem(
            **own,
            client_kwargs={name: value for name, value in client.items() if value},
            config_kwargs=TIMEOUTS,
            use_listings_cache=False,
        )

    def _is_file(self, one: dict[str, Any]) -> bool:
        path = one["Key"].removeprefix(self._prefix)
        return bool(path) and not path.endswith("/") and _is_storable(path)

    def _found(self, one: dict[str, Any]) -> Found:
        """An object is there whole or not at all."""
        path = one["Key"].removeprefix(self._prefix)
        return Found(path, one["Size"], one["ETag"].strip('"'), one["LastModified"].astimezone(UTC), whole=True)


def _found(path: str, status: os.stat_result) -> Found:
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return Found(path, status.st_size, _version(status), modified, whole=False)


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _check_version(path: str, status: os.stat_result, version: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"{path} is not a regular file.")
    if _version(status) != version:
        raise Unavailable(f"{path} changed meanwhile; its new version is taken up once it rests.")


def _is_storable(path: str) -> bool:
    """A path that the ledger can keep; nobody delivers the others."""
    return len(path.encode("utf-8", "surrogateescape")) <= LONGEST_PATH and path.isprintable()


def _check_count(count: int, window: Window | None) -> None:
    if count > MOST_FILES:
        which = f" that name no day before {window.since:%Y-%m-%d}" if window else ""
        raise TooMany(f"There are more than {MOST_FILES:,} files{which}; {FEWER}")


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """What the system or S3 says, in words for people; never with a key or a secret in it."""
    try:
        yield
    except NoCredentialsError as error:
        raise InvalidInput("This installation has no credentials of its own for S3: give an access key.") from error
    except PermissionError as error:
        raise InvalidInput(
            f"{what} cannot be read: access is denied. It takes the right to list and to read."
        ) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(f"{what} is not there.") from error
    except OSError as error:
        if error.errno == ELOOP:
            raise InvalidInput(f"{what} is a link, and links are not followed.") from error
        raise Unavailable(f"{what} does not answer ({type(error).__name__}); it is asked again.") from error
    except BotoCoreError as error:
        raise Unavailable(f"{what} does not answer ({type(error).__name__}); it is asked again.") from error
