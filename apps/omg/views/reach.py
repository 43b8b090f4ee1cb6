"""Whom the media reached: persons on each platform, on several, on one only, and how often."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.common.comparison import Extent
from apps.common.errors import InvalidInput
from apps.common.pages import Link, freshness, nothing_here, range_context, respond, url_with
from apps.common.period import Period, read_period
from apps.events.public import platform_name, sample_progress
from apps.measurement.public import Universe, get_universe
from apps.omg import chart
from apps.omg.dimensions import Dimension
from apps.omg.filters import COMMON_PARAMETERS, Filters, read_filters
from apps.omg.overview import Data, split_rows, totals_by
from apps.omg.queries import extent as extents
from apps.omg.queries import frequency, on_target, overlap, performance, reach
from apps.omg.queries.frequency import Frequencies
from apps.omg.queries.on_target import OnTarget
from apps.omg.reach import Audience, rating_points
from apps.omg.reach_figures import Known, Moments, figures
from apps.omg.reach_tables import BuildUp, Distribution, overlap_lines, overlap_rows
from apps.omg.views.downloads import csv_of
from apps.omg.views.filter_bar import filter_bar
from apps.orgs.public import OrgRequest, Permission, data_mark, data_org_id, requires

PAGE = "omg/reach.html"
FRAGMENTS = {
    "overview": "omg/partials/_reach.html",
    "build-up": "omg/partials/_build_up.html",
    "frequency": "omg/partials/_frequency.html",
    "filters": "omg/partials/_filters.html",
}
PARAMETERS = COMMON_PARAMETERS | {"begin", "times"}
WAYS = {"exactly": "Exactly so often", "at-least": "So often or more"}


@dataclass(frozen=True)
class Answers:
    """What ClickHouse says of the request. `impressions` are all there were, in whatever currency they were paid."""

    extent: Extent | None
    data: Data
    impressions: int
    audience: Audience
    frequencies: Frequencies
    on_target: OnTarget | None

    @property
    def has_all_events(self) -> bool:
        """Whether the single events that frequencies are counted from are all still there."""
        return self.frequencies.impressions >= self.impressions


@require_GET
@requires(Permission.VIEW_OVERVIEW)
def reach_page(request: OrgRequest) -> HttpResponse:
    now = timezone.now()
    period = read_period(request.GET, time_zone=request.org.time_zone, now=now)
    filters, way, universe = read_filters(request.GET, PARAMETERS), _way(request), get_universe()
    found = _ask(request, period, filters, universe)
    build_up = _build_up(request, found, universe)
    distribution = Distribution(found.audience, found.frequencies, universe)
    if request.GET.get("format") == "csv":
        tables = {
            "build-up": build_up.lines,
            "overlap": lambda: overlap_lines(found.audience),
            "frequency": distribution.lines,
        }
        return csv_of(request, tables, "reach", f"{period.start}-{period.end}")
    known = Known(
        found.data,
        _known_reach(found, filters),
        found.frequencies if found.has_all_events else None,
        universe,
        _target_points(found.on_target, universe),
    )
    context = {
        "period": period,
        "range": range_context(request, period, found.extent),
        "freshness": freshness(found.extent, now=now, time_zone=period.time_zone),
        "not_compared": found.data.rows.note,
        "filters": filter_bar(request, filters, period),
        "universe": universe,
        "may_set_universe": request.actor.may(Permission.SET_UNIVERSE, request.org.pk),
        "figures": figures(known),
        "gone": _gone(request, found),
        "is_known": known.reach is not None,
        "build_up": _build_up_card(request, build_up, found.audience),
        "overlap": _overlap_card(request, found.audience),
        "frequency": _frequency_card(request, distribution, way, period),
        "is_empty": found.extent is None,
        "nothing_here": nothing_here(request, found.data.rows.current, period, found.extent),
        "may_choose_data": request.actor.may(Permission.CHOOSE_DATA, request.org.pk),
        "sample": sample_progress(request.org) if found.extent is None else None,
        "may_import": request.actor.may(Permission.IMPORT_EVENTS, request.org.pk),
    }
    return respond(request, PAGE, FRAGMENTS, context)


def _way(request: OrgRequest) -> str:
    way = request.GET.get("times", "exactly")
    if way not in WAYS:
        raise InvalidInput(f"Frequencies cannot be told {way[:80]!r}; use one of {', '.join(WAYS)}.")
    return way


def _ask(request: OrgRequest, period: Period, filters: Filters, universe: Universe | None) -> Answers:
    """The page's questions at the same time; only how often has to wait for the sets of platforms."""
    org_id = data_org_id(request.org)

    def persons() -> tuple[Audience, Frequencies]:
        audience = Audience(overlap.fetch(org_id, period, filters))
        return audience, frequency.fetch(org_id, period, filters, audience.sets)

    def targeted() -> OnTarget | None:
        cohorts = universe.target_cohorts if universe else ()
        return on_target.fetch(org_id, period, filters, cohorts) if cohorts else None

    with ThreadPoolExecutor(5, thread_name_prefix="reach") as together:
        extent = together.submit(extents.fetch, org_id, time_zone=period.time_zone)
        rows = together.submit(performance.fetch, org_id, period, Dimension.PLATFORM, filters)
        whole = together.submit(reach.fetch, org_id, period, Dimension.PLATFORM, filters)
        seen = together.submit(persons)
        target = together.submit(targeted)
        data, _ = split_rows(rows.result(), period, request.org.currency, extent.result(), whole.result())
        impressions = sum(row.impressions for row in rows.result() if row.day >= period.start)
        return Answers(extent.result(), data, impressions, *seen.result(), target.result())


def _known_reach(found: Answers, filters: Filters) -> int | None:
    """Finer filters are answered from single events: only while all of them are kept."""
    return found.audience.reach if filters.is_narrow or found.has_all_events else None


def _target_points(found: OnTarget | None, universe: Universe | None) -> Moments:
    persons = universe.target_persons if universe else None
    if found is None:
        return Moments()
    return Moments(*(rating_points(one, persons) for one in (found.now, found.so_far, found.before)))


def _build_up(request: OrgRequest, found: Answers, universe: Universe | None) -> BuildUp:
    wanted = request.GET.get("begin")
    begin = found.audience.place_of(wanted) if wanted else None
    sums = totals_by(found.data.rows.current, lambda row: row.name)
    return BuildUp(found.audience, begin, sums, universe, request.org.currency)


def _gone(request: OrgRequest, found: Answers) -> str:
    if found.has_all_events:
        return ""
    kept, days = found.frequencies.impressions, request.org.raw_event_days
    return (
        f"Single events are kept for {days} days after their arrival: of this range’s {found.impressions:,} "
        f"impressions {kept:,} are left. How often persons saw them is told for ranges of which all events are there."
    )


def _build_up_card(request: OrgRequest, build_up: BuildUp, audience: Audience) -> dict[str, Any]:
    chosen, wanted = build_up.begin, request.GET.get("begin", "")
    links = [Link("", "Most reach", url_with(request, begin=None), chosen is None)]
    for place, names in enumerate(audience.sets):
        if len(names) == 1:
            links.append(Link(names[0], audience.name_of(place), url_with(request, begin=names[0]), chosen == place))
    return {
        **build_up.table(),
        "begin_links": links,
        "not_there": "" if chosen is not None or not wanted else platform_name(wanted),
        "csv_url": url_with(request, format="csv", table="build-up"),
    }


def _overlap_card(request: OrgRequest, audience: Audience) -> dict[str, Any]:
    places = range(len(audience.sets))
    return {
        "names": [audience.name_of(place) for place in places],
        "width": 22 * len(audience.sets),
        "rows": overlap_rows(audience),
        "others": [names for names in audience.sets if len(names) > 1],
        "csv_url": url_with(request, format="csv", table="overlap"),
    }


def _frequency_card(request: OrgRequest, distribution: Distribution, way: str, period: Period) -> dict[str, Any]:
    name = f"{request.org.name}, generated data" if request.org.shows_generated else request.org.name
    title = "Persons by frequency" if way == "exactly" else "Persons by least frequency"
    often = "exactly so often" if way == "exactly" else "so often or more"
    return {
        "title": title,
        "subtitle": f"persons who saw an ad {often}, on all platforms together",
        "picture": f"{name}: {title.lower()}, {period.label}",
        "file": f"{request.org.slug}-frequency-{period.start}-{period.end}{data_mark(request.org)}",
        "json": chart.by_step(distribution.bars(way)),
        "ways": [Link(key, label, url_with(request, times=key), key == way) for key, label in WAYS.items()],
        "table": distribution.table(),
        "without_person": distribution.found.without_person,
        "csv_url": url_with(request, format="csv", table="frequency"),
    }
