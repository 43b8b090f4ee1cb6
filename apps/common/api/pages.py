"""Lists in pages: an opaque cursor says where the next one begins, so that new rows move nothing."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from apps.common.api.reading import Strict
from apps.common.errors import InvalidInput

Row = TypeVar("Row", bound=Model)
USUAL, MOST = 50, 200
LONGEST_CURSOR = 300


class PageParameters(Strict):
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=USUAL, help_text="So many items at most; 50 unless told."
    )
    cursor = serializers.CharField(
        required=False, max_length=LONGEST_CURSOR, help_text="`next` of the page before; without it, the first page."
    )


@dataclass(frozen=True)
class Page(Generic[Row]):
    items: Sequence[Row]
    next: str | None

    def told(self, tell: Callable[[Row], Any]) -> dict[str, Any]:
        return {"items": [tell(item) for item in self.items], "next": self.next}


def page_of(rows: QuerySet[Row], by: str, asked: dict[str, Any]) -> Page[Row]:
    """Rows newest first by the column `by`, ties by primary key, as `PageParameters` ask."""
    limit = int(asked["limit"])
    if "cursor" in asked:
        value, pk = _opened(asked["cursor"])
        try:
            rows = rows.filter(Q(**{f"{by}__lt": value}) | Q(**{by: value, "pk__lt": pk}))
        except (ValueError, TypeError, ValidationError, OverflowError) as error:
            raise _bad_cursor() from error
    found = list(rows.order_by(f"-{by}", "-pk")[: limit + 1])
    more = len(found) > limit
    return Page(found[:limit], _closed(found[limit - 1], by) if more else None)


def _closed(row: Model, by: str) -> str:
    value = getattr(row, by)
    place = [value.isoformat() if isinstance(value, datetime) else value, str(row.pk)]
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[Any, str]:
    try:
        value, pk = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        raise _bad_cursor() from error
    if not (isinstance(value, str | int) and isinstance(pk, str)) or "\0" in f"{value}{pk}":
        raise _bad_cursor()
    return value, pk


def _bad_cursor() -> InvalidInput:
    return InvalidInput("Send a cursor exactly as `next` of the page before gave it.", code="bad_cursor")
