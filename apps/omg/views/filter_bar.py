"""The filters of a page as links and choices: everything is in the URL, so that every state can be sent to somebody."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from apps.common.pages import Link
from apps.common.period import Period
from apps.omg.dimensions import Dimension, display_name
from apps.omg.filters import Filters
from apps.omg.queries import choices
from apps.orgs.public import OrgRequest, data_org_id

# What is no part of a page's state: how an answer is written, and what other filters make meaningless.
PASSING = ("choose", "format", "table", "page")


@dataclass(frozen=True)
class Choice:
    value: str
    name: str
    chosen: bool


def filter_bar(request: OrgRequest, filters: Filters, period: Period) -> dict[str, Any]:
    """Chips of what is chosen, the ways to choose and to clear; the choices themselves if they are asked for."""
    is_open = request.GET.get("choose") == "filters"
    return {
        "chips": [
            Link(dimension, f"{dimension.label}: {display_name(value, dimension)}",
                 url_of(request, filters.without(dimension, value)), current=False)
            for dimension, values in filters.chosen.items() for value in values
        ],
        "clear_url": url_of(request, Filters()),
        "choose_url": url_of(request, filters, choose="filters"),
        "close_url": url_of(request, filters),
        "is_open": is_open,
        "groups": _groups(request, filters, period) if is_open else [],
        "state": [
            (key, value) for key, values in sorted(request.GET.lists())
            if key not in (*Dimension, *PASSING) for value in values
        ],
        "owns": " ".join([*Dimension, "choose", "page"]),
    }  # fmt: skip


def url_of(request: HttpRequest, filters: Filters, *, choose: str | None = None) -> str:
    """This page's URL under other filters."""
    query = request.GET.copy()
    if choose:
        query["choose"] = choose
    return url_under(query, request.path, filters, keep=("choose",) if choose else ())


def url_under(query: QueryDict, path: str, filters: Filters, *, keep: tuple[str, ...] = ()) -> str:
    """The URL of a state that is otherwise `query`, which is changed."""
    for name in (*Dimension, *PASSING):
        if name not in keep:
            query.pop(name, None)
    for dimension, values in filters.chosen.items():
        query.setlist(dimension.value, list(values))
    return f"?{query.urlencode()}" if query else path


def _groups(request: OrgRequest, filters: Filters, period: Period) -> list[dict[str, Any]]:
    """What occurs in the period, by dimension; what is chosen already always among it."""
    found = choices.fetch(data_org_id(request.org), period)
    groups = []
    for dimension in Dimension:
        chosen = filters.chosen.get(dimension, ())
        values = list(dict.fromkeys([*chosen, *found[dimension][: choices.MOST]]))
        groups.append({
            "key": dimension.value,
            "name": dimension.label,
            "choices": [Choice(value, display_name(value, dimension), value in chosen) for value in values],
            "has_more": len(found[dimension]) > choices.MOST,
            "most": choices.MOST,
        })  # fmt: skip
    return groups
