"""What pages share: links that keep the state of the URL, and the choice between a whole page and one fragment."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from apps.common.comparison import Dated, Extent
from apps.common.figures import format_age
from apps.common.period import DEFAULT_PRESET, PRESETS, Period, format_span, local_day

STALE_AFTER_SECONDS = 3 * 3600
Part = TypeVar("Part")


class PageRequest(HttpRequest):
    """A request after django-htmx's middleware."""

    htmx: HtmxDetails


@dataclass(frozen=True)
class Link:
    key: str
    label: str
    url: str
    current: bool


def url_with(request: HttpRequest, **changes: str | None) -> str:
    """This page's URL with some of its parameters changed; None takes one away."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}" if query else request.path


def text_parameter(request: HttpRequest, name: str, *, longest: int = 256) -> str:
    """One of the address's parameters as the database can look for it: PostgreSQL's text has no NUL."""
    return request.GET.get(name, "").replace("\x00", "\ufffd").strip()[:longest]


def range_context(request: HttpRequest, period: Period, extent: Extent | None) -> dict[str, Any]:
    """What `components/range.html` offers: the presets, and the days between which others make sense."""
    presets = [
        Link(key, f"{days} days", url_with(request, range=key, start=None, end=None), key == period.preset)
        for key, days in PRESETS.items()
    ]
    first = min(period.start, extent.first) if extent else period.start
    return {"presets": presets, "min": first, "max": max(period.end, local_day(period.now, period.time_zone))}


def nothing_here(
    request: HttpRequest, rows: Iterable[Dated], period: Period, extent: Extent | None
) -> dict[str, Any] | None:
    """For a period without data of an organisation that has some: when there is some, and the way to it."""
    if extent is None or any(row.day >= period.start for row in rows):
        return None
    today = local_day(period.now, period.time_zone)
    recent = extent.last > today - timedelta(days=PRESETS[DEFAULT_PRESET])
    first = extent.last - timedelta(days=PRESETS[DEFAULT_PRESET] - 1)
    return {
        "when": f"{'on' if period.days == 1 else 'in'} {period.label}",
        "extent": format_span(extent.first, extent.last),
        "link": f"Show the last {PRESETS[DEFAULT_PRESET]} days{'' if recent else ' with data'}",
        "url": url_with(request, range=DEFAULT_PRESET, start=None, end=None)
        if recent
        else url_with(request, range=None, start=first.isoformat(), end=extent.last.isoformat()),
    }


def freshness(extent: Extent | None, *, now: datetime, time_zone: str) -> dict[str, Any] | None:
    """How old the newest data is, in words, and whether that is old enough to say so."""
    if extent is None:
        return None
    age = (now - extent.last_received).total_seconds()
    local = extent.last_received.astimezone(ZoneInfo(time_zone))
    when = f"{local:%H:%M}" if age < 86_400 else f"{local.day} {local:%B}, {local:%H:%M}"
    return {"text": f"data received to {when}, {format_age(age)}", "stale": age > STALE_AFTER_SECONDS}


def respond(request: PageRequest, page: str, fragments: Mapping[str, str], context: Mapping[str, Any]) -> HttpResponse:
    """The whole page, or the fragment that htmx asks for by its target. An unknown target gets the page."""
    template = fragments.get(request.htmx.target or "", page) if request.htmx else page
    response = render(request, template, dict(context))
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def once(make: Callable[[], Part]) -> Callable[[], Part]:
    """A part of the context that is made when the template comes to it: a fragment without it never asks for it."""
    return cache(make)


def read_sort(request: HttpRequest, default: str) -> tuple[str, bool]:
    """From `?sort=-spend`: the column, and whether the largest comes first."""
    text = request.GET.get("sort", default)
    return text.removeprefix("-"), text.startswith("-")


def sortable(
    request: HttpRequest, key: str, label: str, sort: tuple[str, bool], *, definition: str = "", numeric: bool = True
) -> dict[str, Any]:
    """A column whose heading sorts by it: numbers first by the largest, names from A; pressed again, the other way."""
    current, descending = key == sort[0], sort[1]
    largest_first = not descending if current else numeric
    return {
        "key": key,
        "label": label,
        "definition": definition,
        "url": url_with(request, sort=f"-{key}" if largest_first else key, page=None),
        "sorted": ("descending" if descending else "ascending") if current else "",
        "numeric": numeric,
    }
