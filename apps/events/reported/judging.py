"""One row of a file: a record, a total of the file's own, a remark below the table, or what is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple, TypeVar

from apps.common.money import is_currency
from apps.events.quality import EARLIEST, MOST_MONEY, is_slug
from apps.events.reported import figures
from apps.events.reported.cells import Exact, Row, is_formula
from apps.events.reported.dates import Moment, NotADate, read_hour, read_moment
from apps.events.reported.figures import NotANumber, currency_of, is_absent, read_number
from apps.events.reported.plan import Grain, Plan
from apps.events.reported.refusals import Problem
from apps.events.reported.roles import FIGURES, MONEY, TEXTS, WHOLE, Role, normal
from apps.events.reported.totals import begins_like_total, is_total_word

T = TypeVar("T")
LONGEST_TEXT = 256
STEP = Decimal(1).scaleb(-18)
MILLION = Decimal(1_000_000)


class Record(NamedTuple):
    """What a source says of one campaign in one hour, or in one day, which then stands at its first hour."""

    hour: datetime
    grain: Grain
    platform: str
    campaign: str
    campaign_name: str
    currency: str
    spend: Decimal | None
    impressions: int | None
    clicks: int | None
    conversions: Decimal | None
    revenue: Decimal | None

    @property
    def figures(self) -> tuple[Decimal | int | None, ...]:
        """In the order of `FIGURES`."""
        return (self.spend, self.impressions, self.clicks, self.conversions, self.revenue)


@dataclass(frozen=True)
class Judged:
    """Exactly one of: a record, a total's figures, problems; nothing of them for a remark."""

    record: Record | None = None
    total: Mapping[Role, Decimal] | None = None
    problems: tuple[Problem, ...] = ()


def judge(row: Row, plan: Plan) -> Judged:
    dated = _is_date(plan.cell(row, Role.DATE), plan)
    if not dated and _is_remark(row, plan):
        return Judged()
    if _is_sub_total(row, plan) if dated else _is_total(row, plan):
        return Judged(total={} if dated else _total_figures(row, plan))
    problems: list[Problem] = []
    hour = _attempt(_hour, row, Role.DATE, plan, problems)
    campaign = _attempt(_campaign, row, Role.CAMPAIGN_NAME, plan, problems)
    platform = _attempt(_platform, row, Role.PLATFORM, plan, problems)
    currency = _attempt(_currency, row, Role.CURRENCY, plan, problems)
    spend = _attempt(_figure, row, Role.SPEND, plan, problems)
    impressions = _attempt(_whole, row, Role.IMPRESSIONS, plan, problems)
    clicks = _attempt(_whole, row, Role.CLICKS, plan, problems)
    conversions = _attempt(_figure, row, Role.CONVERSIONS, plan, problems)
    revenue = _attempt(_figure, row, Role.REVENUE, plan, problems)
    if problems or hour is None or campaign is None or platform is None or currency is None:
        return Judged(problems=tuple(problems))
    record = Record(
        hour, plan.grain, platform, *campaign, currency, spend, impressions, clicks, conversions, revenue
    )  # fmt: skip
    return Judged(record=record)


def _attempt(
    read: Callable[[Row, Role, Plan], T], row: Row, role: Role, plan: Plan, problems: list[Problem]
) -> T | None:
    try:
        return read(row, role, plan)
    except Wrong as wrong:
        problems.append(Problem(wrong.code, plan.names.get(role, str(role)), wrong.message))
        return None


def _is_remark(row: Row, plan: Plan) -> bool:
    """One lone text in a table of several columns: `Downloaded on …`, `© Microsoft`."""
    filled = [place for place, cell in enumerate(row.cells) if cell.strip()]
    if len(filled) != 1 or len(row.cells) < 3 or filled[0] not in {0, plan.places[Role.DATE]}:
        return False
    cell = row.cells[filled[0]]
    return not is_formula(cell) and not _is_date(cell, plan) and not begins_like_total(cell)


class Wrong(Exception):
    """A value that breaks a rule; `field` is told where the caller knows it."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


def _is_date(cell: str, plan: Plan) -> bool:
    try:
        read_moment(cell, plan.order)
    except NotADate:
        return False
    return True


def _is_total(row: Row, plan: Plan) -> bool:
    """Of a row without a day: `Total` where the day should be, or in any text; or figures and nothing else."""
    day = plan.cell(row, Role.DATE)
    if begins_like_total(day):
        return True
    if not is_absent(day):
        return False
    words = [row.cells[0], *(plan.cell(row, role) for role in TEXTS)]
    named = [word for word in words if not is_absent(word)]
    return any(begins_like_total(word) for word in named) or (not named and bool(_total_figures(row, plan)))


def _is_sub_total(row: Row, plan: Plan) -> bool:
    """Of a row of one day: a campaign called exactly `Total`. The campaign `Total Wine` is a campaign."""
    return is_total_word(plan.cell(row, Role.CAMPAIGN_NAME)) or is_total_word(plan.cell(row, Role.CAMPAIGN_ID))


def _total_figures(row: Row, plan: Plan) -> dict[Role, Decimal]:
    """Those that can be read."""
    found: dict[Role, Decimal] = {}
    for role in FIGURES:
        if role in plan.places:
            try:
                value = _figure(row, role, plan)
            except Wrong:
                continue
            if value is not None:
                found[role] = value
    return found


def _text(row: Row, role: Role, plan: Plan) -> str:
    return _tidy(plan.cell(row, role))


@lru_cache(10_000)
def _tidy(cell: str) -> str:
    if is_formula(cell):
        raise Wrong("formula", f"{cell[:40]!r} is a formula; export its value.")
    if is_absent(cell):
        return ""
    text = " ".join(cell.split())
    if len(text) > LONGEST_TEXT:
        raise Wrong("text_too_long", f"A text of {len(text):,} characters; at most {LONGEST_TEXT} are kept.")
    return text.replace("\x00", "\ufffd")


def _hour(row: Row, role: Role, plan: Plan) -> datetime:
    cell = _text(row, role, plan)
    if not cell:
        raise Wrong("missing_field", "The date is empty.")
    try:
        moment = read_moment(cell, plan.order)
    except NotADate as error:
        right = {"dmy": "31/01/2026", "mdy": "1/31/2026"}[plan.order]
        raise Wrong("wrong_date", f"{cell[:40]!r} is no date such as 2026-01-31 or {right}.") from error
    hour = _with_hour(row, plan, moment).hour_in(plan.zone)
    if not EARLIEST <= hour <= plan.latest:
        raise Wrong("date_out_of_range", f"{cell[:40]} is before 2000 or more than a day ahead.")
    return hour


def _with_hour(row: Row, plan: Plan, moment: Moment) -> Moment:
    if plan.grain == "day":
        return Moment(moment.day)
    cell = _text(row, Role.HOUR, plan)
    if not cell:
        if Role.HOUR in plan.places:
            raise Wrong("missing_field", "The hour is empty.")
        return moment
    try:
        return replace(moment, hour=read_hour(cell))
    except NotADate as error:
        raise Wrong("wrong_hour", f"{cell[:40]!r} is no hour such as 5, 05:00 or 5 PM.") from error


def _campaign(row: Row, role: Role, plan: Plan) -> tuple[str, str]:
    """What identifies the campaign, its id before its name; and the name."""
    name, number = _text(row, role, plan), _text(row, Role.CAMPAIGN_ID, plan)
    if number and figures.is_rounded(number):
        raise Wrong("mangled_id", f"A spreadsheet has rounded the id to {number}. Export it as text.")
    if not (name or number):
        raise Wrong("missing_field", "The campaign is empty.")
    return number or name, name


def _platform(row: Row, role: Role, plan: Plan) -> str:
    text = _text(row, role, plan)
    slug = normal(text).replace(" ", "_") if text else plan.platform
    if not is_slug(slug):
        raise Wrong("wrong_platform", f"{text[:40]!r} cannot be a platform: 1 to 40 letters, digits or underscores.")
    return slug


def _currency(row: Row, role: Role, plan: Plan) -> str:
    """The column's; else the one that an amount bears; else the file's; else the organisation's."""
    told = _text(row, role, plan).upper()
    if not told:
        borne = (currency_of(cell) for role in MONEY if (cell := plan.cell(row, role)) and cell.__class__ is not Exact)
        told = next(filter(None, borne), "") or plan.currency or plan.default_currency
    if not is_currency(told):
        raise Wrong("unknown_currency", f"{told[:40]!r} is not an ISO 4217 currency such as USD.")
    return told


def _whole(row: Row, role: Role, plan: Plan) -> int | None:
    value = _figure(row, role, plan)
    return None if value is None else int(value)


def _figure(row: Row, role: Role, plan: Plan) -> Decimal | None:
    cell = plan.cell(row, role)
    if not cell:
        return None
    if is_formula(cell):
        raise Wrong("formula", f"{cell[:40]!r} is a formula; export its value.")
    try:
        value = read_number(cell, plan.marks[role])
    except NotANumber as error:
        mark = plan.marks[role]
        raise Wrong("wrong_number", f"{cell[:40]!r} is no number with {mark!r} as decimal mark.") from error
    return None if value is None else check_figure(value / MILLION if role in plan.millionths else value, role)


def check_figure(value: Decimal, role: Role) -> Decimal:
    """The figure, if it keeps the rules of its role, to 18 decimals at most."""
    if value < 0:
        raise Wrong(
            "negative_money" if role in MONEY else "negative_figure", f"{role} is {value}; it cannot be negative."
        )
    if value >= MOST_MONEY:
        raise Wrong("money_out_of_range" if role in MONEY else "wrong_number", f"{role} is {value}: beyond 10^18.")
    if role in WHOLE and value != value.to_integral_value():
        raise Wrong("not_whole", f"{role} is {value}; it must be a whole number.")
    if value.as_tuple().exponent >= -18:  # type: ignore[operator]
        return value
    with localcontext(prec=60):
        return value.quantize(STEP, ROUND_HALF_EVEN)
