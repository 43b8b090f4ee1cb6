"""Which column of a file is what, suggested from names and a sample, or as a source had it before."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from apps.common.errors import InvalidInput
from apps.common.money import is_currency
from apps.events.quality import is_slug
from apps.events.reported.cells import Row
from apps.events.reported.figures import is_absent
from apps.events.reported.refusals import refuse
from apps.events.reported.roles import (
    CAMPAIGN_LEVEL,
    FIGURES,
    MONEY,
    SIGNS,
    SYNONYMS,
    Role,
    currency_in,
    is_in_millionths,
    normal,
)

ORDERS, MARKS = ("dmy", "mdy"), (".", ",")


@dataclass(frozen=True)
class Options:
    """What no column says. Empty means: as the file shows it, or as the organisation has it."""

    date_order: str = ""
    decimal: str = ""
    currency: str = ""
    platform: str = ""
    time_zone: str = ""
    # Roles whose amounts are in millionths, as `cost_micros` of Google Ads.
    millionths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """Names of columns by role. `assumed` tells in words what was concluded from other signs than a column's name."""

    columns: Map[Role, str]
    options: Options = field(default_factory=Options)
    assumed: tuple[str, ...] = ()

    def with_columns(self, columns: Map[Role, str]) -> "Mapping":
        return replace(self, columns=columns)

    def with_options(self, **changes: Any) -> "Mapping":
        return replace(self, options=replace(self.options, **changes))

    @property
    def missing(self) -> list[Role]:
        """What the file needs and has no column for."""
        missing = [] if Role.DATE in self.columns else [Role.DATE]
        if not {Role.CAMPAIGN_NAME, Role.CAMPAIGN_ID} & set(self.columns):
            missing.append(Role.CAMPAIGN_NAME)
        return missing

    def stored(self) -> dict[str, Any]:
        return {"columns": {str(role): name for role, name in self.columns.items()}, "options": asdict(self.options)}


def restored(stored: Map[str, Any]) -> Mapping:
    options = dict(stored["options"])
    options["millionths"] = tuple(options.get("millionths", ()))
    return Mapping({Role(role): name for role, name in stored["columns"].items()}, Options(**options))


def suggest(header: Sequence[str], sample: Sequence[Row], remembered: Mapping | None = None) -> Mapping:
    """By what the source had before, as far as its columns are still there; else by the names that platforms use.

    Of several columns that could have a role the surest name wins; a column that is empty throughout loses to one
    that is not.
    """
    known = _still_there(remembered, header)
    if known and remembered and len(known) == len(remembered.columns):
        return remembered
    columns = {**_by_names(header, sample, taken=set(known.values())), **known}
    options, assumed = _from_signs(header, columns)
    if remembered:
        options = replace(options, **{k: v for k, v in asdict(remembered.options).items() if v})
    return Mapping({role: columns[role] for role in Role if role in columns}, options, assumed)


def check(mapping: Mapping, header: Sequence[str]) -> None:
    """Refuse a mapping that the file cannot have, or that lacks what every row needs."""
    for role, name in mapping.columns.items():
        if name not in header:
            raise InvalidInput(f"There is no column {name!r} for {role}; there are: {', '.join(header)[:400]}.")
    twice = [name for name in mapping.columns.values() if list(mapping.columns.values()).count(name) > 1]
    if twice:
        raise InvalidInput(f"The column {twice[0]!r} cannot have two roles.")
    if mapping.missing:
        looked = "; ".join(f"{role}: {', '.join(SYNONYMS[role][:6])}" for role in mapping.missing)
        raise refuse(
            "missing_column",
            f"No column is {' or '.join(mapping.missing)}. Looked for were {looked}. "
            f"The file has: {', '.join(header)[:400]}.",
        )
    if not set(FIGURES) & set(mapping.columns):
        raise refuse("missing_column", f"No column has a figure: {', '.join(FIGURES)}.")
    check_options(mapping.options)


def check_options(options: Options) -> None:
    if options.date_order and options.date_order not in ORDERS:
        raise InvalidInput(f"The order of a date is dmy or mdy, not {options.date_order!r}.")
    if options.decimal and options.decimal not in MARKS:
        raise InvalidInput(f"The decimal mark is . or , and not {options.decimal!r}.")
    if options.currency and not is_currency(options.currency):
        raise InvalidInput(f"{options.currency!r} is not an ISO 4217 currency such as USD.")
    if options.platform and not is_slug(options.platform):
        raise InvalidInput(
            f"A platform is 1 to 40 lower-case letters, digits or underscores, not {options.platform!r}."
        )
    if options.time_zone and options.time_zone not in available_timezones():
        raise InvalidInput(f"There is no time zone {options.time_zone!r}; write it as Europe/Berlin.")
    if wrong := [name for name in options.millionths if name not in MONEY]:
        raise InvalidInput(f"Only {' and '.join(MONEY)} may be in millionths, not {wrong[0]}.")


def zone_of(options: Options, default: str) -> ZoneInfo:
    return ZoneInfo(options.time_zone or default)


def _still_there(remembered: Mapping | None, header: Sequence[str]) -> dict[Role, str]:
    return {role: name for role, name in remembered.columns.items() if name in header} if remembered else {}


def _by_names(header: Sequence[str], sample: Sequence[Row], taken: set[str]) -> dict[Role, str]:
    free = [name for name in header if name not in taken]
    found: dict[Role, str] = {}
    for role in Role:
        ranks = {synonym: rank for rank, synonym in enumerate(SYNONYMS[role])}
        fitting = [name for name in free if normal(name) in ranks and name not in found.values()]
        if fitting:
            empty = {name: _is_empty(header.index(name), sample) for name in fitting}
            found[role] = min(fitting, key=lambda name: (empty[name], ranks[normal(name)], header.index(name)))
    names = {normal(name): name for name in free}
    if Role.CAMPAIGN_ID not in found and "id" in names and any(sign in names for sign in CAMPAIGN_LEVEL):
        found[Role.CAMPAIGN_ID] = names["id"]
    return found


def _is_empty(place: int, sample: Sequence[Row]) -> bool:
    return bool(sample) and all(is_absent(row.cells[place]) for row in sample)


def _from_signs(header: Sequence[str], columns: Map[Role, str]) -> tuple[Options, tuple[str, ...]]:
    names = {normal(name) for name in header}
    platform, in_millionths = next(
        ((platform, micros) for signs, platform, micros in SIGNS if set(signs) <= names), ("", False)
    )
    money = [role for role in MONEY if role in columns]
    named = [role for role in money if is_in_millionths(columns[role])]
    concluded = [Role.SPEND] if in_millionths and Role.SPEND in columns and Role.SPEND not in named else []
    currency = next((code for role in money if (code := currency_in(columns[role]))), "")
    assumed = [f"platform {platform}, by the columns it has"] if platform else []
    assumed += [f"{columns[role]} in millionths, as {platform} reports it" for role in concluded]
    millionths = tuple(str(role) for role in (*named, *concluded))
    return Options(currency=currency, platform=platform, millionths=millionths), tuple(assumed)
