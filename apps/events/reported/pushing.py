"""Performance that agents push: records of JSON, each accepted or turned away with a code, the field and the reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from apps.common.errors import AppError
from apps.common.money import is_currency
from apps.events.canonical import Id, Rejection, explain
from apps.events.quality import EARLIEST, is_slug
from apps.events.reported import storing
from apps.events.reported.judging import LONGEST_TEXT, Record, Wrong, check_figure
from apps.events.reported.keeping import check_source
from apps.events.reported.plan import AHEAD, platform_of
from apps.events.reported.roles import FIGURES, WHOLE, Role
from apps.orgs.public import Actor, Organisation, Permission, check, record

MOST_RECORDS = 10_000
UNKNOWN_FIELD = re.compile(r"unknown field `(.+)`", re.S)
# Beyond this a number is no id that any platform gives, and would be slow to write out.
LARGEST_ID = 10**64
# `date` is a field of the record as well.
Day = date
Name = Annotated[str, Meta(max_length=LONGEST_TEXT)]


class PushedRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One campaign in one hour (`hour`) or on one day (`date`, in the organisation's time zone)."""

    campaign_id: Id | None = None
    campaign_name: Name | None = None
    hour: Annotated[datetime, Meta(tz=True)] | None = None
    date: Day | None = None
    platform: Name | None = None
    currency: str | None = None
    spend: Decimal | None = None
    impressions: Decimal | None = None
    clicks: Decimal | None = None
    conversions: Decimal | None = None
    revenue: Decimal | None = None


class TooMany(AppError):
    """More records than one request may have."""

    code = "too_many_records"
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@dataclass(frozen=True)
class Told:
    """What the sender is told of all records, in their order."""

    items: Sequence[Mapping[str, Any]]

    @property
    def counts(self) -> dict[str, int]:
        return {name: sum(one["status"] == name for one in self.items) for name in ("accepted", "rejected")}


def push(
    *, actor: Actor, org: Organisation, source: str, records: Sequence[Any], validate_only: bool = False,
    now: datetime | None = None,
) -> Told:  # fmt: skip
    """Keep the good ones of `records` (decoded JSON): each replaces what the source said of the same campaign and hour
    before."""
    check(actor, Permission.IMPORT_EVENTS, org)
    check_source(source)
    if len(records) > MOST_RECORDS:
        raise TooMany(f"A request has at most {MOST_RECORDS:,} records; this one has {len(records):,}.")
    at = now or datetime.now(UTC)
    kept: list[Record] = []
    places: dict[tuple[object, ...], int] = {}
    told: list[Mapping[str, Any]] = []
    for place, raw in enumerate(records):
        found = _judge(raw, org, source, at)
        if isinstance(found, Record) and (first := places.setdefault(_key(found), place)) != place:
            found = Rejection("repeated", "", f"Record {first} says something of the same campaign and hour already.")
        if isinstance(found, Record):
            kept.append(found)
        told.append(_told(place, found))
    if kept and not validate_only:
        rejected = len(told) - len(kept)
        record(org=org, actor=actor, action="performance.pushed", source=source, accepted=len(kept), rejected=rejected)
        # The warehouse takes nothing back, hence last.
        storing.replace(kept, org_id=org.pk, source=source, at=at, token=uuid4().hex)
    return Told(told)


def _key(record: Record) -> tuple[object, ...]:
    return (record.hour, record.grain, record.platform, record.campaign)


def _told(place: int, found: Record | Rejection) -> Mapping[str, Any]:
    if isinstance(found, Record):
        return {"status": "accepted"}
    pointer = f"/records/{place}" + (f"/{found.field}" if found.field else "")
    return {"status": "rejected", "code": found.code, "pointer": pointer, "message": found.message}


def _judge(raw: Any, org: Organisation, source: str, at: datetime) -> Record | Rejection:
    try:
        return _record(msgspec.convert(raw, PushedRecord), org, source, at)
    except msgspec.ValidationError as error:
        unknown = UNKNOWN_FIELD.search(str(error))
        if unknown is None:
            return explain(error)
        known = ", ".join(PushedRecord.__struct_fields__)
        return Rejection("unknown_field", unknown[1], f"A record has no field {unknown[1]!r}; there are: {known}.")
    except Wrong as wrong:
        return Rejection(wrong.code, wrong.field, wrong.message)


def _record(pushed: PushedRecord, org: Organisation, source: str, at: datetime) -> Record:
    hour = _hour(pushed, org)
    if not EARLIEST <= hour <= at + AHEAD:
        field = "hour" if pushed.hour else "date"
        raise Wrong("date_out_of_range", f"{field} is before 2000 or more than a day ahead.", field)
    name = " ".join((pushed.campaign_name or "").split())
    if isinstance(pushed.campaign_id, int) and abs(pushed.campaign_id) >= LARGEST_ID:
        raise Wrong("wrong_type", "campaign_id is a number of at most 64 digits, or a text.", "campaign_id")
    campaign = name if pushed.campaign_id is None else str(pushed.campaign_id).strip()
    if not campaign:
        raise Wrong("missing_field", "A record needs campaign_id or campaign_name.", "campaign_id")
    platform, currency = pushed.platform or platform_of(source), pushed.currency or org.currency
    if not is_slug(platform):
        raise Wrong("wrong_platform", "platform is 1 to 40 lower-case letters, digits or underscores.", "platform")
    if not is_currency(currency):
        raise Wrong("unknown_currency", f"{currency[:40]!r} is not an ISO 4217 currency such as USD.", "currency")
    values = {role: _figure(getattr(pushed, role), role) for role in FIGURES}
    if all(value is None for value in values.values()):
        raise Wrong("missing_field", f"A record has at least one of {', '.join(FIGURES)}.", "spend")
    impressions, clicks = (None if values[role] is None else int(values[role] or 0) for role in WHOLE)
    return Record(
        hour, "hour" if pushed.hour else "day", platform, campaign, name, currency, values[Role.SPEND], impressions,
        clicks, values[Role.CONVERSIONS], values[Role.REVENUE],
    )  # fmt: skip


def _hour(pushed: PushedRecord, org: Organisation) -> datetime:
    if (pushed.hour is None) == (pushed.date is None):
        raise Wrong("missing_field", "A record has either hour (a time with zone) or date (a day).", "hour")
    try:
        if pushed.hour is not None:
            return pushed.hour.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        assert pushed.date is not None  # noqa: S101 - one of the two is there
        day = datetime(pushed.date.year, pushed.date.month, pushed.date.day, tzinfo=ZoneInfo(org.time_zone))
        return day.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise Wrong("date_out_of_range", "The time is out of range.", "hour" if pushed.hour else "date") from error


def _figure(value: Decimal | None, role: Role) -> Decimal | None:
    if value is None:
        return None
    if not value.is_finite():
        raise Wrong("wrong_number", f"{role} must be a finite number.", str(role))
    try:
        return check_figure(value, role)
    except Wrong as wrong:
        raise Wrong(wrong.code, wrong.message, str(role)) from wrong
