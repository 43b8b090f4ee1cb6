"""What a line would be stored as, by the very columns that the ingestor writes."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.events.columns import table
from apps.events.debugger.tracing import Field, trace
from apps.events.preparing import sort
from apps.orgs.public import Organisation

NO_BATCH = UUID(int=0)
# What the warehouse makes of a missing value, where that is not the empty text.
NOTHING = {"revenue": Decimal(0), "spend": Decimal(0)}


def foresee(org: Organisation, line: bytes, now: datetime) -> list[Field]:
    """Of a line that breaks a rule, nothing."""
    accepted = [one for part in sort([line], now=now, history=False) for one in part.accepted]
    if not accepted:
        return []
    (row,) = table(org.pk, NO_BATCH, accepted, currency=org.currency, kept_days=0).drop(["batch_id"]).to_pylist()
    shown = {name: NOTHING.get(name, "") if value is None else value for name, value in row.items()}
    return trace({**shown, "content_hash": row["content_hash"].hex()}, line)
