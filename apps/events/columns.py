"""Events as Arrow columns, in the order and types of ClickHouse's `events` table."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import accumulate, chain, groupby
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from apps.events.canonical import NOWHERE, Event, Metadata, Properties

MONEY = pa.decimal128(38, 18)
PRICE = pa.decimal128(38, 15)
STEP = Decimal(1).scaleb(-18)
PRECISION = Context(prec=60)
PER_MILLE = Decimal("0.001")


class Accepted(Struct, frozen=True, gc=False):
    """An event that keeps every rule, with what was worked out on the way."""

    event: Event
    properties: Properties
    event_id: str
    content_hash: bytes
    received_at: datetime


def table(org_id: UUID, batch_id: UUID, rows: Sequence[Accepted], *, currency: str, kept_days: int) -> pa.Table:
    """Arrow columns of `rows`; an event that names no currency is in the organisation's. `person_number` comes later.

    One column at a time over plain lists: this is the hot path of the ingestor (see `make bench BENCH=skeleton`).
    """
    size = len(rows)
    events = [row.event for row in rows]
    sources = [event.source for event in events]
    proofs = [event.metadata for event in events]
    return pa.table(
        {
            "org_id": _constant(str(org_id), size),
            "event_id": pa.array([row.event_id for row in rows], pa.string()),
            "event_type": _codes([event.event_type for event in events]),
            "timestamp": _moments([event.timestamp for event in events]),
            "received_at": _arrivals(rows),
            "person_id": _texts([_person(event) for event in events]),
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
            **_surroundings(events, proofs),
            "currency": _codes([row.properties.currency or currency for row in rows]),
            "revenue": _money([row.properties.revenue for row in rows]),
            "spend": _spend(rows),
            **_contributors(events),
            "consent": _codes([event.consent.status for event in events]),
            "properties": pa.array([bytes(event.properties) for event in events], pa.binary()),
            "content_hash": pa.array([row.content_hash for row in rows], pa.binary(32)),
            "batch_id": _constant(str(batch_id), size),
            "kept_days": pa.repeat(pa.scalar(kept_days, pa.uint16()), size),
        }
    )


def _spend(rows: Sequence[Accepted]) -> pa.Array:
    """Media cost: as given, or the clearing price of one impression (prices are per thousand)."""
    costs = [row.properties.cost for row in rows]
    prices = [row.event.metadata.clearing_price if row.event.event_type == "impression" else None for row in rows]
    given, clearing = _money(costs), _per_mille(prices)
    return clearing if given.null_count == len(rows) else pc.coalesce(given, clearing)


def _per_mille(prices: Sequence[Decimal | None]) -> pa.Array:
    """A thousandth of each price: with at most 15 decimals, the same digits three places further down."""
    try:
        array = pa.array(prices, PRICE)
    except pa.ArrowInvalid:
        return _money([price and PRECISION.multiply(price, PER_MILLE) for price in prices])
    return pa.Array.from_buffers(MONEY, len(array), array.buffers(), array.null_count, array.offset)


def _person(event: Event) -> str | int | None:
    """The best id there is; whoever denied consent is counted, not profiled."""
    if event.consent.status == "denied":
        return None
    return event.user_id or event.anonymous_id or event.device_id


def _surroundings(events: Sequence[Event], proofs: Sequence[Metadata]) -> dict[str, pa.Array]:
    """Device and place: the context's, or those of the proof form's delivery facts where the context has none."""
    contexts = [event.context for event in events]
    places = [c.geo if c.geo is not NOWHERE else p.geo for c, p in zip(contexts, proofs, strict=True)]
    return {
        "device": _codes([c.device.type or p.device for c, p in zip(contexts, proofs, strict=True)]),
        "country": _codes([place.country for place in places]),
        "region": _codes([place.region for place in places]),
        "postal_code": _codes([place.postal_code or place.zip for place in places]),
    }


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


def _arrivals(rows: Sequence[Accepted]) -> pa.Array:
    """Rows of one record arrived together: each such moment is worked out once, in milliseconds cut off."""
    runs = [(moment, len(list(some))) for moment, some in groupby(row.received_at for row in rows)]
    moments = _moments([moment for moment, _ in runs]).cast(pa.timestamp("ms", "UTC"), safe=False)
    return moments.take(pa.array(np.repeat(np.arange(len(runs)), [length for _, length in runs])))


def _money(amounts: Sequence[Decimal | None]) -> pa.Array:
    """Exact to 18 decimals; what has more is rounded half to even. Most events carry no money at all."""
    try:
        return pa.array(amounts, MONEY)
    except pa.ArrowInvalid:
        with localcontext(PRECISION):
            return pa.array([amount and amount.quantize(STEP, ROUND_HALF_EVEN) for amount in amounts], MONEY)


def _contributors(events: Sequence[Event]) -> dict[str, pa.Array]:
    lists = [event.attribution.data_contributors for event in events]
    offsets = pa.array(accumulate(map(len, lists), initial=0), pa.int32())
    flat = list(chain.from_iterable(lists))
    values = {
        "contributor_ids": pa.array([one.id for one in flat], pa.string()),
        "contributor_signals": pa.array([one.signal_type for one in flat], pa.string()),
        "contributor_weights": pa.array([one.weight for one in flat], pa.float64()),
    }
    return {name: pa.ListArray.from_arrays(offsets, array) for name, array in values.items()}
