"""Who runs PostgreSQL, which refuses to run as root.

A plain user runs it as himself. Root lends it a user number of its own that needs no entry in /etc/passwd,
so that nothing outside the state folder is made.
"""

import os
import pwd
import stat
from pathlib import Path

from config.services.refusal import Refusal
from config.services.screen import note

PLAIN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
# Between systemd's dynamic users (61184-65519) and nobody (65534): nobody else's on any distribution we know.
LENT_USER = 65525
READABLE = stat.S_IRGRP | stat.S_IROTH
PASSABLE = stat.S_IXGRP | stat.S_IXOTH


def for_data(data: Path) -> int | None:
    """None to stay who we are; else the user number that owns the data, or will."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    return owner or LENT_USER


def named(user: int | None) -> int | None:
    """Who stands in for a user in those PostgreSQL tools that insist on an entry in /etc/passwd."""
    if user is None:
        return None
    try:
        return pwd.getpwuid(user).pw_uid
    except KeyError:
        return pwd.getpwnam("nobody").pw_uid


def give(user: int | None, place: Path) -> None:
    """Makes the user the owner of a file, or of a folder with all that is in it."""
    if user is None:
        return
    for path in (place, *place.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def open_way(user: int | None, *places: Path) -> None:
    """Lets that user pass through to the places, and read what lies in the last one (the binaries)."""
    if user is None:
        return
    for place in places:
        for folder in (*reversed(place.parents), place):
            _let_pass(folder)
    for path in places[-1].rglob("*"):
        _let_read(path)


def _let_pass(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & stat.S_IXOTH:
        return
    try:
        folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
    except OSError as error:
        raise Refusal(
            f"PostgreSQL does not run as root, and other users may not pass through {folder}.\n"
            f"Run this as a plain user, or: chmod o+x '{folder}'"
        ) from error
    note("postgres", f"chmod o+x {folder} (pass through, not read): PostgreSQL does not run as root")


def _let_read(path: Path) -> None:
    if path.is_symlink():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    wanted = mode | READABLE | (PASSABLE if path.is_dir() or mode & stat.S_IXUSR else 0)
    if wanted != mode:
        path.chmod(wanted)
