"""Explore: any figures by any dimensions, as a table, a chart and a file. The address holds the state."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.comparison import Extent
from apps.common.errors import InvalidInput, Unavailable
from apps.common.pages import Link, freshness, nothing_here, range_context, respond, sortable, url_with
from apps.common.period import Period, read_period
from apps.omg.answering import Answer, answer
from apps.omg.answers import Asker
from apps.omg.dimensions import Dimension
from apps.omg.explore import (
    BARS,
    COMPARED,
    PARAMETERS,
    Asked,
    api_body,
    heading,
    left_out_note,
    next_dimension,
    pages_of,
    read_asked,
    sort_of,
    table,
)
from apps.omg.files import to_readable_csv, to_xlsx
from apps.omg.filters import Filters, read_filters
from apps.omg.metrics import EVERY
from apps.omg.queries import extent as extents
from apps.omg.question import MOST_DIMENSIONS, TIME, Grain, Question
from apps.omg.views.explore_chart import chart_card
from apps.omg.views.filter_bar import filter_bar, url_under
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/explore.html"
FRAGMENTS = {
    "overview": "omg/partials/_explore.html",
    "explore-table": "omg/partials/_explore_table.html",
    "explore-chart": "omg/partials/_explore_chart.html",
    "filters": "omg/partials/_filters.html",
}
MOST_EXPORTED = 100_000
BY = ("By", "Then by", "And by")
# What the form of the page decides; other columns or steps make another first page.
CONTROLLED = ("by", "grain", "compare", "metric", "bars", "page")
FILES: Mapping[str, tuple[str, Callable[[Answer, str], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", lambda found, _: to_readable_csv(found)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda found, title: to_xlsx(found, title=title),
    ),
}
TOO_MUCH = (
    "These figures could not be worked out in time, or the warehouse does not answer. Try again; if it stays so, ask "
    "for a shorter range, a coarser grain or fewer dimensions."
)


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def explore(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    filters, asked = read_filters(request.GET, PARAMETERS), read_asked(request.GET)
    question = asked.question(period, filters)
    asker = Asker(data_org_id(request.org), anew="no-cache" in request.headers.get("Cache-Control", ""))
    if kind := request.GET.get("format"):
        return _file(request, question, asker, kind)
    fragment = request.htmx.target if request.htmx and request.htmx.target in FRAGMENTS else ""
    context: dict[str, Any] = {
        "period": period,
        "against": question.against,
        "filters": filter_bar(request, filters, period),
        "controls": _controls(request, asked),
        "heading": heading(question),
        "api": _api_call(request, question, asked),
    }
    status = 200
    try:
        extent = _extent(asker, period)
        context |= {
            "range": range_context(request, period, extent),
            "freshness": freshness(extent, now=now, time_zone=period.time_zone),
            **({} if fragment == "filters" else _answered(request, asked, question, asker, extent, fragment)),
        }
    except Unavailable:
        status = 503
        context |= {"failed": TOO_MUCH, "range": range_context(request, period, None)}
    response = respond(request, PAGE, FRAGMENTS, context)
    response.status_code = status
    return response


def _answered(
    request: OrgRequest, asked: Asked, question: Question, asker: Asker, extent: Extent | None, fragment: str
) -> dict[str, Any]:
    """What the fragment shows, or all of it."""
    if extent is None:
        return {"is_empty": True}
    found = answer(question, request.org.currency, asker)
    if not found.count:
        return {"nothing_here": nothing_here(request, [], question.period, extent), "no_match": bool(question.filters)}
    return {
        "table": _table(request, asked, found),
        "chart": None if fragment == "explore-table" else chart_card(request, asked, found, asker),
        "notes": [one for one in (left_out_note(found.left_out, request.org.currency), found.note) if one],
    }


def _extent(asker: Asker, period: Period) -> Extent | None:
    rows = asker.ask("omg.extent", extents.SQL, {"time_zone": period.time_zone})
    return Extent(**rows[0]) if rows else None


def _controls(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    chosen = [*(one.value for one in asked.dimensions), *[""] * MOST_DIMENSIONS][:MOST_DIMENSIONS]
    return {
        "by": [(place, value, label) for place, (value, label) in enumerate(zip(chosen, BY, strict=True), 1)],
        "dimensions": [(one.value, one.label) for one in Dimension],
        "grains": [(one.value, one.value.capitalize()) for one in Grain],
        "grain": asked.grain,
        "comparisons": list(COMPARED.items()),
        "compare": asked.compare,
        "metrics": [(metric, metric in asked.metrics) for metric in EVERY.values()],
        "count": len(asked.metrics),
        "bars": [(key, words, key == asked.bars) for key, words in BARS.items()],
        "owns": " ".join(CONTROLLED),
        "state": [
            (key, value)
            for key in request.GET
            if key not in (*CONTROLLED, "format", "choose")
            for value in request.GET.getlist(key)
        ],
    }


def _table(request: OrgRequest, asked: Asked, found: Answer) -> dict[str, Any]:
    question = found.question
    made = table(found, request.org.currency, asked.bars)
    for row in made["rows"]:
        for name in row["names"]:
            if "dimension" in name:
                name["url"] = _drill(request, asked, question.filters, name["dimension"], name["value"])
    pages = pages_of(found.count, asked.page)
    return {
        **made,
        "columns": _columns(request, question),
        "beside": range(len(question.dimensions) + bool(question.grain) - 1),
        "pages": pages,
        "links": [
            (label, url_with(request, page=str(pages[key])), key)
            for key, label in (("first", "First"), ("before", "Previous"), ("after", "Next"), ("last", "Last"))
            if pages[key]
        ],
        "files": [Link(kind, kind.upper(), url_with(request, format=kind, page=None), current=False) for kind in FILES],
        "is_cut": f"{MOST_EXPORTED:,}" if found.count > MOST_EXPORTED else "",
    }


def _columns(request: HttpRequest, question: Question) -> list[dict[str, Any]]:
    sort = sort_of(question.order)
    names = [sortable(request, one.value, one.label, sort, numeric=False) for one in question.dimensions]
    if question.grain:
        names.append(sortable(request, TIME, question.grain.value.capitalize(), sort, numeric=False))
    if not names:
        names.append({"label": "", "numeric": False})
    figures = [
        sortable(request, metric.key, metric.name, sort, definition=metric.definition) for metric in question.metrics
    ]
    return [*names, *figures]


def _drill(request: HttpRequest, asked: Asked, filters: Filters, here: Dimension, value: str) -> str:
    """Only what has this value, broken down by what comes next."""
    following = next_dimension(here, asked.dimensions, filters)
    dimensions = [following if one is here else one for one in asked.dimensions]
    query = request.GET.copy()
    query.setlist("by", [one.value for one in dimensions if one] or [""])
    if query.get("sort", "").removeprefix("-") == here.value:
        del query["sort"]
    return url_under(query, request.path, filters.only(here, value))


def _api_call(request: OrgRequest, question: Question, asked: Asked) -> dict[str, Any]:
    body = json.dumps(api_body(question, asked.compare), indent=2, ensure_ascii=False).replace("'", "\\u0027")
    lines = [
        f"curl '{settings.BASE_URL}{reverse('api:query')}'",
        "-H 'Authorization: Bearer prc_…'",
        "-H 'Content-Type: application/json'",
        f"-d '{body}'",
    ]
    return {"command": " \\\n  ".join(lines), "generated": request.org.shows_generated}


def _file(request: OrgRequest, question: Question, asker: Asker, kind: str) -> HttpResponse:
    if kind not in FILES:
        raise InvalidInput(f"There is no format {kind[:80]!r}; use one of {', '.join(FILES)}.")
    content_type, write = FILES[kind]
    everything = Question(**{**vars(question), "limit": MOST_EXPORTED, "offset": 0})
    found = answer(everything, request.org.currency, asker)
    period = question.period
    response = HttpResponse(write(found, heading(question)), content_type=content_type)
    name = f"{request.org.slug}-explore-{period.start}-{period.end}{data_mark(request.org)}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
