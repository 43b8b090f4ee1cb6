"""Sources and quality: what arrives through which door, minute by minute, and how good it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import InvalidInput
from apps.common.figures import format_age
from apps.common.pages import Link, once, respond, url_with
from apps.events.flow.chart import Series, label, stacked
from apps.events.flow.minutes import Counts, Lag, measure_lag, minutes_of
from apps.events.flow.times import format_length
from apps.events.generated import find_sample
from apps.events.sources import (
    SHOWN_DAYS,
    Source,
    find_watched,
    get_source,
    hour_counts,
    list_files,
    list_reasons,
    list_sources,
    minute_counts,
    stored_name,
    waiting_lines,
)
from apps.events.watched.selectors import list_cards
from apps.orgs.public import OrgRequest, Permission, data_mark, requires

PAGE = "events/sources.html"
FRAGMENTS = {
    "arrivals": "events/partials/_arrivals.html",
    "sources-rows": "events/partials/_source_rows.html",
    "waiting": "events/partials/_waiting.html",
}
SOURCE_PAGE = "events/source.html"
SOURCE_FRAGMENTS = {"arrivals": "events/partials/_arrivals.html", "source-now": "events/partials/_source_now.html"}
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


@require_GET
@requires(Permission.IMPORT_EVENTS)
def sources(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    _check_step(request)
    context = {
        "days": SHOWN_DAYS,
        "sources": once(lambda: [row_of(source, now) for source in list_sources(request.org, now)]),
        "reasons": once(lambda: list_reasons(request.org)),
        "waiting": once(lambda: waiting_lines(request.org)),
        "arrivals": once(lambda: _arrivals(request, now, None)),
        "may_choose_data": request.actor.may(Permission.CHOOSE_DATA, request.org.pk),
        "sample": once(find_sample),
        "watched": once(lambda: list_cards(request.org.time_zone, now)),
        "may_manage_sources": request.actor.may(Permission.MANAGE_SOURCES, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


@require_GET
@requires(Permission.IMPORT_EVENTS)
def source(request: OrgRequest, name: str) -> HttpResponse:
    now = timezone.now()
    _check_step(request)
    found = get_source(request.org, name, now)
    stored = stored_name(name)
    context = {
        "days": SHOWN_DAYS,
        "source": row_of(found, now),
        "lag": once(lambda: _lag_words(measure_lag(minutes_of(request.org, stored), now))),
        "arrivals": once(lambda: _arrivals(request, now, stored)),
        "reasons": once(lambda: list_reasons(request.org, stored)),
        "files": once(lambda: list_files(stored)),
        "watched": find_watched(stored),
        "time_zone": request.org.time_zone,
    }
    return respond(request, SOURCE_PAGE, SOURCE_FRAGMENTS, context)


def row_of(source: Source, now: datetime) -> dict[str, Any]:
    door, _, name = source.name.partition("/")
    return {
        "source": source.name,
        "name": name or door,
        "door": door if name else "",
        "accepted": source.accepted,
        "duplicate": source.duplicate,
        "rejected": source.rejected,
        "rejected_share": source.rejected_share,
        "last_hour": source.last_hour,
        "last_received": format_age((now - source.last_received).total_seconds()),
        "silence": _silence_words(source),
    }


def _silence_words(source: Source) -> str:
    if source.silence is None:
        return ""
    length, usual = source.silence.length.total_seconds(), source.silence.usual.total_seconds()
    return f"Silent for {format_length(length)}; it usually sends at least every {format_length(usual)}"


def _lag_words(lag: Lag) -> dict[str, str]:
    return {
        "wait": format_length(lag.wait_half),
        "wait_most": format_length(lag.wait_most),
        "age": format_length(lag.age_half),
        "age_most": format_length(lag.age_most),
    }


def _check_step(request: OrgRequest) -> None:
    if (by := request.GET.get("by", "minute")) not in STEPS:
        raise InvalidInput(f"There is no chart by {by!r}; use minute or hour.")


def _arrivals(request: OrgRequest, now: datetime, source: str | None) -> dict[str, Any]:
    """The chart of what arrived: the last 60 minutes, or seven days by the hour."""
    by = request.GET.get("by", "minute")
    steps, counts = (minute_counts if by == "minute" else hour_counts)(request.org, now, source)
    series = series_of(counts)
    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    when = "in the last 60 minutes" if by == "minute" else f"in the last {SHOWN_DAYS} days"
    return {
        "title": f"Events per {by}",
        "subtitle": f"what arrived {when}, times in {request.org.time_zone}",
        "picture": f"{name}: events per {by}",
        "file": f"{request.org.slug}-events-per-{by}{data_mark(request.org)}",
        "json": stacked(steps, STEPS[by], series, request.org.time_zone),
        "links": [
            Link(key, words, url_with(request, by=key), key == by)
            for key, words in (("minute", "60 minutes"), ("hour", f"{SHOWN_DAYS} days"))
        ],
        "url": url_with(request, by=by),
        "rows": table_rows(steps, counts, STEPS[by], request.org.time_zone),
        "total": sum(one.total for one in counts),
    }


def series_of(counts: Sequence[Counts]) -> list[Series]:
    return [
        Series("Accepted", "--accent", [one.accepted for one in counts]),
        Series("Duplicates", "--line-strong", [one.duplicate for one in counts]),
        Series("Rejected", "--bad", [one.rejected for one in counts]),
    ]


def table_rows(
    steps: Sequence[datetime], counts: Sequence[Counts], step: timedelta, time_zone: str
) -> list[tuple[str, Counts]]:
    """Newest first; steps in which nothing arrived are left out."""
    zone = ZoneInfo(time_zone)
    rows = [(label(moment.astimezone(zone), step), one) for moment, one in zip(steps, counts, strict=True) if one.total]
    return rows[::-1]
