"""Records of reported performance into ClickHouse: pushed ones at once, those of a file when it has been read whole."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import pyarrow as pa

from apps.events.reported.judging import Record
from apps.events.reported.refusals import refuse
from apps.warehouse.public import execute, gather, insert

MONEY = pa.decimal128(38, 18)
SHAPE = pa.schema(
    [
        ("hour", pa.timestamp("s", "UTC")), ("grain", pa.string()), ("platform", pa.string()),
        ("campaign", pa.string()),
        ("campaign_name", pa.string()), ("currency", pa.string()), ("spend", MONEY), ("impressions", pa.uint64()),
        ("clicks", pa.uint64()), ("conversions", MONEY), ("revenue", MONEY),
    ]
)  # fmt: skip
KEY = "org_id, hour, source, platform, campaign, grain"
FIGURES = "spend, impressions, clicks, conversions, revenue"
MIXED = """
SELECT campaign, toString(reported_rows.hour) AS at, arraySort(groupUniqArray(currency)) AS currencies
FROM reported_rows
WHERE org_id = {org_id:UUID} AND import_id = {import_id:UUID} AND (isNotNull(spend) OR isNotNull(revenue))
GROUP BY hour, platform, campaign, grain
HAVING length(currencies) > 1
LIMIT 1
"""
SUM_UP = f"""
INSERT INTO reported ({KEY}, campaign_name, currency, {FIGURES}, reported_at, import_id)
SELECT
    {KEY}, max(campaign_name), argMax(currency, isNotNull(spend) OR isNotNull(revenue)),
    sum(spend), sum(impressions), sum(clicks), sum(conversions), sum(revenue), max(reported_at), any(import_id)
FROM reported_rows
WHERE org_id = {{org_id:UUID}} AND import_id = {{import_id:UUID}}
GROUP BY {KEY}
"""  # noqa: S608 - names of columns only


def stage(records: Sequence[Record], *, org_id: UUID, source: str, import_id: UUID, at: datetime, part: int) -> None:
    """Lay a part of a file's rows by; nobody sees them yet."""
    insert(org_id, "reported_rows", _table(records, org_id, source, import_id, at), token=f"{import_id}-{part}")


def sum_up(org_id: UUID, import_id: UUID) -> None:
    """Make a file's rows count, those of one key summed; what was reported of these keys before is replaced."""
    params = {"import_id": str(import_id)}
    if mixed := execute(org_id, "reported.mixed_currencies", MIXED, params):
        campaign, hour, currencies = mixed[0]["campaign"], mixed[0]["at"], " and ".join(mixed[0]["currencies"])
        raise refuse(
            "mixed_currencies",
            f"The campaign {campaign!r} has amounts in {currencies} at {hour} (UTC). One file may have several "
            "currencies, but one campaign only one at a time.",
        )
    gather(org_id, "reported.sum_up", SUM_UP, params, token=str(import_id))


def replace(records: Sequence[Record], *, org_id: UUID, source: str, at: datetime, token: str) -> None:
    """Make pushed records count at once; each key stands among them once."""
    insert(org_id, "reported", _table(records, org_id, source, UUID(int=0), at), token=token)


def _table(records: Sequence[Record], org_id: UUID, source: str, import_id: UUID, at: datetime) -> pa.Table:
    size = len(records)
    columns = [pa.array(values, kind) for values, kind in zip(zip(*records, strict=True), SHAPE.types, strict=True)]
    same = {"org_id": str(org_id), "source": source, "import_id": str(import_id)}
    table = pa.Table.from_arrays(columns, schema=SHAPE)
    for name, value in same.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value), size))
    return table.append_column("reported_at", pa.repeat(pa.scalar(at, pa.timestamp("ms", "UTC")), size))
