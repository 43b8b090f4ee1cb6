"""The one error of this package: a reason to stop, in words for the person at the terminal."""

import errno
from pathlib import Path


class Refusal(Exception):
    """Why the launcher does not go on, and what to do about it."""


_CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.ENOTDIR: "a file is in the way",
    errno.EEXIST: "a file is in the way",
}
_REMEDIES = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some space",
    errno.ENOTDIR: "Move that file away",
    errno.EEXIST: "Move that file away",
}


def from_os_error(error: OSError, folder: Path) -> Refusal:
    """A file-system error under the state folder, in plain words."""
    cause = _CAUSES.get(error.errno or 0, str(error))
    remedy = _REMEDIES.get(error.errno or 0, "Give yourself the right to write there (chown, chmod)")
    place = error.filename or folder
    return Refusal(
        f"Cannot write {place}: {cause}.\n{remedy}, or keep the data elsewhere: PRECISE_VAR=/another/folder make run"
    )
