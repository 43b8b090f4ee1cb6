"""Explain this number: where a figure comes from, and whether the single events say the same."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.errors import NotFound
from apps.common.figures import format_exact, format_value
from apps.common.pages import freshness, range_context, respond
from apps.common.period import Period, read_period
from apps.events.public import platform_name
from apps.omg.answers import Asker
from apps.omg.dimensions import display_name
from apps.omg.explanation import PERSONS, TAG, Explained, explain, formula, model_of, source_of
from apps.omg.filters import COMMON_PARAMETERS, Filters, read_filters
from apps.omg.metrics import EVERY
from apps.omg.queries import extent as extents
from apps.omg.question import Question
from apps.omg.views.filter_bar import filter_bar
from apps.orgs.public import OrgRequest, Permission, data_org_id, requires

PAGE = "omg/explain.html"
FRAGMENTS = {"overview": "omg/partials/_explain.html", "filters": "omg/partials/_filters.html"}


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def explain_page(request: OrgRequest, metric: str) -> HttpResponse:
    if metric not in EVERY:
        raise NotFound(f"There is no figure {metric[:80]!r}; there are {', '.join(EVERY)}.")
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    filters = read_filters(request.GET, COMMON_PARAMETERS)
    asker = Asker(data_org_id(request.org))
    question = Question((EVERY[metric],), period, filters=filters, limit=1)
    found = explain(EVERY[metric], question, request.org.currency, asker)
    extent = extents.fetch(asker.org_id, time_zone=period.time_zone)
    context = {
        "period": period,
        "range": range_context(request, period, extent),
        "freshness": freshness(extent, now=now, time_zone=period.time_zone),
        "filters": filter_bar(request, filters, period),
        "metric": found.metric,
        "value": _value(found, request.org.currency),
        "facts": _facts(request, found, period, filters),
        "found": found,
        "sample": _sample(request, found, period),
        "tag": f"{TAG} org={asker.org_id}",
        "may_open": request.actor.may(Permission.IMPORT_EVENTS, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _value(found: Explained, currency: str) -> dict[str, str]:
    metric, value = found.metric, found.metric.value(found.totals)
    is_unknown = value is None and "reach" in metric.measures and found.totals.reach is None
    return {
        "text": format_value(value, metric.unit, currency),
        "exact": found.answer.note if is_unknown else format_exact(value, currency if metric.unit == "money" else ""),
        "formula": formula(metric, found.totals, currency),
    }


def _facts(request: OrgRequest, found: Explained, period: Period, filters: Filters) -> list[tuple[str, str]]:
    currency = request.org.currency
    table, what = source_of(found.answer.question)
    left_out = ", ".join(f"{count:,} events in {code}" for code, count in sorted(found.answer.left_out.items()))
    return [
        ("Period", f"{period.label}{' so far' if period.is_partial else ''}"),
        ("In UTC", f"from {_moment(period.since)} up to, not including, {_moment(period.until)}"),
        ("State", "Provisional: the period is not over" if period.is_partial
         else "Final, but for events that arrive later; they count on the day on which they happened"),
        ("Time zone", f"{period.time_zone}: days begin at midnight there"),
        ("Currency", f"{currency}{f'; left out: {left_out}' if left_out else ''}"),
        ("Attribution model", model_of(found.metric)),
        ("Lookback window", "None: each event counts when it happened"),
        ("Filters", _filter_words(filters)),
        ("Source", f"Table {table}: {what}"),
        *([("Persons", words)] if (words := PERSONS[found.answer.question.persons]) else []),
        ("Rows read", f"{found.rows:,}, which stand for {found.events:,} events"),
    ]  # fmt: skip


def _filter_words(filters: Filters) -> str:
    if not filters:
        return "None"
    return "; ".join(
        f"{dimension.words}: {' or '.join(display_name(value, dimension) for value in values)}"
        for dimension, values in filters.chosen.items()
    )


def _sample(request: OrgRequest, found: Explained, period: Period) -> list[dict[str, Any]]:
    """Without what tells persons apart: that there is one is all that is said."""
    zone, slug = ZoneInfo(period.time_zone), request.org.slug
    return [
        {
            **row,
            "at": row["timestamp"].astimezone(zone),
            "url": reverse("org:event", args=[slug, row["event_id"]]),
            "type": row["event_type"].replace("_", " "),
            "platform": platform_name(row["platform"]),
            "spend": format_value(row["spend"], "money", row["currency"]) if row["spend"] else "",
            "revenue": format_value(row["revenue"], "money", row["currency"]) if row["revenue"] else "",
        }
        for row in found.sample
    ]


def _moment(moment: Any) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M}"
