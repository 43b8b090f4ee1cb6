"""A long list in pages, with links to the next ones that keep the state of the URL."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.common.errors import InvalidInput
from apps.common.pages import url_with

AT_ONCE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`rows` from `first` (counted from 1) to `last`, of `count` in all; a link is empty where no page follows."""

    rows: list[Row]
    count: int
    first: int
    last: int
    previous: str
    following: str


def read_page(request: HttpRequest, found: "QuerySet[Row, Any]", *, at_once: int = AT_ONCE) -> Page[Row]:
    """The page that `?page=` asks for; one past the end is the last."""
    number, count = _number(request.GET.get("page", "")), found.count()
    number = min(number, max(1, -(-count // at_once)))
    start = (number - 1) * at_once
    rows = list(found[start : start + at_once])
    return Page(
        rows=rows,
        count=count,
        first=start + 1 if rows else 0,
        last=start + len(rows),
        previous=url_with(request, page=str(number - 1) if number > 2 else None) if number > 1 else "",
        following=url_with(request, page=str(number + 1)) if start + len(rows) < count else "",
    )


def _number(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidInput(f"{text[:20]!r} is no page; pages are counted from 1.")
    return int(text)
