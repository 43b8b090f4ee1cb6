"""For which hour a delivered file is: read from its path by a table of patterns, or by the source's own pattern.

Times in names are UTC, as the vendors say of theirs; a pattern of one's own may read another offset with `%z`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import re2

from apps.common.errors import InvalidInput

DAY = r"(?P<Y>20\d\d)-?(?P<m>\d\d)-?(?P<d>\d\d)"
# The first that reads a possible time wins.
BY_HOUR = (
    r"(?:date|dt|day)=" + DAY + r"/(?:hour|hr|h)=(?P<H>\d\d)",  # Beeswax, and all who partition like Hive
    r"(?:^|/)" + DAY + r"/(?P<H>\d\d)(?:/|$)",  # REDS by folder
    r"(?:^|/)(?P<Y>20\d\d)/(?P<m>\d\d)/(?P<d>\d\d)/(?P<H>\d\d)(?:/|$)",
    r"_V\d+(?:_\d+)?_" + DAY + r"T(?P<H>\d\d)",  # REDS by name, the short one and the long one with two times
    r"(?:^|\D)" + DAY + r"[T_ -]?(?P<H>\d\d)(?:[:.-]?\d\d){0,2}(?:\D|$)",
)
BY_DAY = (
    r"(?:date|dt|day)=" + DAY + r"(?:/|$)",
    r"(?:^|/)(?P<Y>20\d\d)/(?P<m>\d\d)/(?P<d>\d\d)(?:/|$)",
    r"(?:^|\D)" + DAY + r"(?:\D|$)",
)
# A folder is of a day only if its name says nothing else: `since-2026-01-01/` may hold later days.
FOLDERS = (
    r"(?:^|/)(?:[A-Za-z_]+=)?" + DAY + r"/$",
    r"(?:^|/)(?P<Y>20\d\d)/(?P<m>\d\d)/(?P<d>\d\d)/$",
)
DIRECTIVES: Mapping[str, str] = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d\d)", "d": r"(?P<d>\d\d)", "H": r"(?P<H>\d\d)",
    "M": r"\d\d", "S": r"\d\d", "z": r"(?P<z>[+-]\d\d:?\d\d|Z)", "%": "%",
}  # fmt: skip


def hour_of(path: str, *, own: str = "", daily: bool = False) -> datetime | None:
    """The start of the hour, or of the day of a `daily` file, that the path names; None when it names none."""
    patterns = [pattern_of(own, daily=daily)] if own else _table(daily)
    for pattern in patterns:
        found = pattern.search(path)
        moment = _moment(found.groupdict(), daily=daily) if found else None
        if moment is not None:
            return moment
    return None


def day_of(path: str, *, own: str = "") -> date | None:
    """The day that a file's path names, or that a folder is for; a folder's path ends in a slash."""
    if not path.endswith("/"):
        named = hour_of(path, own=own, daily=True)
        return named and named.date()
    for pattern in _folders():
        if (found := pattern.search(path)) and (moment := _moment(found.groupdict(), daily=True)):
            return moment.date()
    return None


@lru_cache(256)
def pattern_of(own: str, *, daily: bool) -> Any:
    """A pattern such as `logs/%Y/%m/%d/win_%H*.csv` as a regular expression; refused with what is wrong in it."""
    parts, rest = [], own
    while rest:
        sign, rest = rest[0], rest[1:]
        if sign == "%":
            parts.append(_directive(rest[:1], own))
            rest = rest[1:]
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(sign) or re2.escape(sign))
    wanted = "Ymd" if daily else "YmdH"
    missing = [f"%{name}" for name in wanted if f"(?P<{name}>" not in "".join(parts)]
    if missing:
        raise InvalidInput(f"The pattern {own!r} lacks {', '.join(missing)}; right would be logs/%Y-%m-%d/%H/*.csv.")
    twice = [f"%{name}" for name in "YmdHz" if "".join(parts).count(f"(?P<{name}>") > 1]
    if twice:
        raise InvalidInput(f"The pattern {own!r} has {', '.join(twice)} twice; put * for the second.")
    return re2.compile("".join(parts))


def _directive(name: str, own: str) -> str:
    if name not in DIRECTIVES or not name:
        known = ", ".join(f"%{one}" for one in DIRECTIVES)
        raise InvalidInput(f"The pattern {own!r} has %{name}, which is not known; known are {known}, * and ?.")
    return DIRECTIVES[name]


@lru_cache(2)
def _table(daily: bool) -> tuple[Any, ...]:
    return tuple(re2.compile(pattern) for pattern in (BY_HOUR + BY_DAY if daily else BY_HOUR))


@lru_cache(1)
def _folders() -> tuple[Any, ...]:
    return tuple(re2.compile(pattern) for pattern in FOLDERS)


def _moment(named: Mapping[str, str | None], *, daily: bool) -> datetime | None:
    hour = 0 if daily else int(named.get("H") or 0)
    try:
        moment = datetime(int(named["Y"] or 0), int(named["m"] or 0), int(named["d"] or 0), hour, tzinfo=UTC)
    except ValueError:
        return None
    # Where hours begin at half past, UTC, the file is for the hour of UTC in which its own begins.
    return moment if daily else (moment - _offset(named.get("z"))).replace(minute=0)


def _offset(text: str | None) -> timedelta:
    if not text or text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if text[0] == "-" else size
