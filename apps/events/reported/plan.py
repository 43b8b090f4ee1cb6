"""What is decided about a file before its rows are read, so that no row is read otherwise than the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from apps.events.quality import is_slug
from apps.events.reported import dates, figures
from apps.events.reported.cells import Row
from apps.events.reported.dates import Order
from apps.events.reported.figures import Mark
from apps.events.reported.mapping import Mapping as ColumnMapping
from apps.events.reported.mapping import check, zone_of
from apps.events.reported.reading import SAMPLE_ROWS, Table
from apps.events.reported.refusals import refuse
from apps.events.reported.roles import FIGURES, WHOLE, Role, normal

Grain = Literal["day", "hour"]
# A platform's day may have begun where the organisation's has not.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """Where each role stands and how its cells are written; `currency` and `platform` are for rows that name none."""

    places: Mapping[Role, int]
    names: Mapping[Role, str]
    order: Order
    marks: Mapping[Role, Mark]
    grain: Grain
    zone: ZoneInfo
    currency: str
    platform: str
    millionths: frozenset[str]
    latest: datetime
    default_currency: str

    def cell(self, row: Row, role: Role) -> str:
        place = self.places.get(role)
        return "" if place is None else row.cells[place]


def make_plan(
    table: Table, mapping: ColumnMapping, *, zone: str, currency: str, source: str, now: datetime | None = None
) -> Plan:
    """Decide the file's way of writing from a sample, or from all of it where the sample leaves doubt."""
    check(mapping, table.header)
    options, sample = mapping.options, table.sample()
    places = {role: table.header.index(name) for role, name in mapping.columns.items()}
    return Plan(
        places=places,
        names=mapping.columns,
        order=_order(table, sample, places[Role.DATE], options.date_order, mapping.columns[Role.DATE]),
        marks=_marks(sample, places, options.decimal, mapping.columns),
        grain=_grain(sample, places, mapping.columns),
        zone=zone_of(options, zone),
        currency=options.currency,
        platform=options.platform or platform_of(source),
        millionths=frozenset(options.millionths),
        latest=(now or datetime.now(UTC)) + AHEAD,
        default_currency=currency,
    )


def platform_of(source: str) -> str:
    """Where nothing names the platform, the source is taken for it."""
    slug = source.replace("-", "_").replace(".", "_")
    return slug if is_slug(slug) else "csv"


def _order(table: Table, sample: Sequence[Row], place: int, told: str, name: str) -> Order:
    if told in {"dmy", "mdy"}:
        return "dmy" if told == "dmy" else "mdy"
    found = dates.weigh(row.cells[place] for row in sample)
    if found.order is None and found.either and len(sample) == SAMPLE_ROWS:
        rest = (row.cells[place] for row in islice(table.rows(), SAMPLE_ROWS, None))
        for cell in rest:
            if dates.weigh((cell,), found).order is not None:
                break
    if found.is_open:
        example = next(cell for row in sample if dates.weigh(((cell := row.cells[place]),)).either)
        raise refuse(
            "ambiguous_dates",
            f"In the column {name!r} day and month cannot be told apart, as in {example!r}. Say which comes first: "
            "dmy (31.1.) or mdy (1/31).",
        )
    return found.order or "dmy"


def _marks(sample: Sequence[Row], places: Mapping[Role, int], told: str, names: Mapping[Role, str]) -> dict[Role, Mark]:
    found = {
        role: figures.weigh(row.cells[place] for row in sample) for role, place in places.items() if role in FIGURES
    }
    if told in {".", ","}:
        return dict.fromkeys(found, "." if told == "." else ",")
    for role in WHOLE:
        # A whole number has no decimals: a mark that could be either stands between thousands.
        if role in found and found[role].mark is None and len(found[role].open_marks) == 1:
            (mark,) = found[role].open_marks
            found[role] = figures.Evidence(point=int(mark == ","), comma=int(mark == "."))
    agreed = {one.mark for one in found.values() if one.mark}
    default: Mark = "," if agreed == {","} else "."
    marks: dict[Role, Mark] = {}
    for role, one in found.items():
        if one.is_contradictory or (one.is_open and len(agreed) != 1):
            raise refuse(
                "ambiguous_numbers",
                f"In the column {names[role]!r} decimal and thousands marks cannot be told apart. "
                "Say which mark is the decimal one: . or ,",
            )
        marks[role] = one.mark or default
    return marks


def _grain(sample: Sequence[Row], places: Mapping[Role, int], names: Mapping[Role, str]) -> Grain:
    if Role.HOUR in places or "hour" in normal(names[Role.DATE]).split():
        return "hour"
    return "hour" if any(dates.has_time(row.cells[places[Role.DATE]]) for row in sample) else "day"
