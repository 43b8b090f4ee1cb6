"""Events as Arrow columns, in the order and types of ClickHouse's `events` table."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import chain
from uuid import UUID

import numpy as np
import pyarrow as pa
from msgspec import Struct

from apps.events.canonical import Event, Geo, Properties

MONEY = pa.decimal128(38, 18)
STEP = Decimal(1).scaleb(-18)
PRECISION = Context(prec=60)


class Accepted(Struct, frozen=True, gc=False):
    """An event that keeps every rule, with what was worked out on the way."""

    event: Event
    properties: Properties
    event_id: str
    content_hash: bytes


def table(org_id: UUID, batch_id: UUID, rows: Sequence[Accepted], *, received_at: datetime, currency: str) -> pa.Table:
    """Arrow columns of `rows`; an event that names no currency is in the organisation's.

    One column at a time over plain lists: this is the hot path of the ingestor (see `make bench BENCH=skeleton`).
    """
    size = len(rows)
    events = [row.event for row in rows]
    sources = [event.source for event in events]
    proofs = [event.metadata for event in events]
    devices = [event.context.device for event in events]
    geos = [event.context.geo for event in events]
    received = pa.scalar(received_at, pa.timestamp("ms", "UTC"))
    return pa.table(
        {
            "org_id": _constant(str(org_id), size),
            "event_id": pa.array([row.event_id for row in rows], pa.string()),
            "event_type": _codes([event.event_type for event in events]),
            "timestamp": _moments([event.timestamp for event in events]),
            "received_at": pa.repeat(received, size),
            "person_id": pa.array([_person(event) for event in events], pa.string()),
            "session_id": _texts([event.session_id for event in events]),
            "platform": _codes([s.platform or p.dsp or "api" for s, p in zip(sources, proofs, strict=True)]),
            "channel": _codes([s.channel or e.utm.medium for s, e in zip(sources, events, strict=True)]),
            "campaign_id": _codes(
                [s.campaign_id or e.campaign_id or e.utm.campaign for s, e in zip(sources, events, strict=True)]
            ),
            "line_item_id": _codes([s.line_item_id or s.ad_group_id for s in sources]),
            "creative_id": _codes(
                [s.creative_id or p.creative_id or s.ad_id for s, p in zip(sources, proofs, strict=True)]
            ),
            "publisher": _codes(
                [s.publisher or p.publisher or s.placement for s, p in zip(sources, proofs, strict=True)]
            ),
            "cohort_id": _codes([event.cohort_id for event in events]),
            "device": _codes([d.type or p.device for d, p in zip(devices, proofs, strict=True)]),
            "country": _codes([g.country or p.geo.country for g, p in zip(geos, proofs, strict=True)]),
            "region": _codes([g.region or p.geo.region for g, p in zip(geos, proofs, strict=True)]),
            "postal_code": _codes([_postal_code(g) or _postal_code(p.geo) for g, p in zip(geos, proofs, strict=True)]),
            "currency": _codes([row.properties.currency or currency for row in rows]),
            "revenue": _money([row.properties.revenue for row in rows]),
            "spend": _money([spend_of(row.event, row.properties) for row in rows]),
            **_contributors(events),
            "consent": _codes([event.consent.status for event in events]),
            "properties": pa.array([bytes(event.properties) for event in events], pa.binary()),
            "content_hash": pa.array([row.content_hash for row in rows], pa.binary(32)),
            "batch_id": _constant(str(batch_id), size),
        }
    )


def spend_of(event: Event, properties: Properties) -> Decimal | None:
    """Media cost: as given, or the clearing price of one impression (prices are per thousand)."""
    if properties.cost is not None:
        return properties.cost
    price = event.metadata.clearing_price
    return None if price is None or event.event_type != "impression" else price.scaleb(-3, PRECISION)


def _person(event: Event) -> str:
    """The best id there is; whoever denied consent is counted, not profiled."""
    if event.consent.status == "denied":
        return ""
    return _text(event.user_id or event.anonymous_id or event.device_id)


def _postal_code(geo: Geo) -> str | None:
    return geo.postal_code or geo.zip


def _text(value: str | int | None) -> str:
    return "" if value is None else value if value.__class__ is str else str(value)


def _texts(values: Sequence[str | int | None]) -> pa.Array:
    """Missing values stay null and become the column's default, the empty string."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # some id came as a number
        return pa.array([_text(value) for value in values], pa.string())


def _codes(values: Sequence[str | int | None]) -> pa.Array:
    """Few distinct values: each is sent once."""
    return _texts(values).dictionary_encode()


def _constant(value: str, size: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), size).dictionary_encode()


def _moments(moments: Sequence[datetime]) -> pa.Array:
    """Microseconds since 1970, through doubles (exact until the year 2255): faster than objects."""
    seconds = np.fromiter((moment.timestamp() for moment in moments), np.float64, len(moments))
    return pa.array(np.rint(seconds * 1_000_000).astype(np.int64)).cast(pa.timestamp("us", "UTC"))


def _money(amounts: Sequence[Decimal | None]) -> pa.Array:
    """Exact to 18 decimals; what has more is rounded half to even. Most events carry no money at all."""
    try:
        return pa.array(amounts, MONEY)
    except pa.ArrowInvalid:
        with localcontext(PRECISION):
            return pa.array([amount and amount.quantize(STEP, ROUND_HALF_EVEN) for amount in amounts], MONEY)


def _contributors(events: Sequence[Event]) -> dict[str, pa.Array]:
    lists = [event.attribution.data_contributors for event in events]
    offsets = [0]
    for contributors in lists:
        offsets.append(offsets[-1] + len(contributors))
    flat = list(chain.from_iterable(lists))
    return {
        "contributor_ids": _list(offsets, pa.array([one.id for one in flat], pa.string())),
        "contributor_signals": _list(offsets, pa.array([one.signal_type for one in flat], pa.string())),
        "contributor_weights": _list(offsets, pa.array([one.weight for one in flat], pa.float64())),
    }


def _list(offsets: list[int], values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
