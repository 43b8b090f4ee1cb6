"""Beeswax bid logs: what a bid becomes, in which shapes its files come, and that no figure changes by it."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.common.errors import InvalidInput
from apps.events.canonical import Rejection, decode
from apps.events.formats.base import ReadOptions
from apps.events.formats.beeswax import COLUMNS
from apps.events.formats.registry import get_format
from apps.orgs.models import Kind
from apps.orgs.public import SERVICE, create_organisation
from apps.warehouse.public import execute
from tests.support.world import import_path

OPTIONS = ReadOptions(end=datetime(2026, 11, 21, tzinfo=UTC))
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "events" / "beeswax" / "batch" / "samples"
needs_shared = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the real input is not at {SAMPLES}")
BID = {
    "auction_id": "1732456805000001.1.2.host",
    "auction_adgroup_id": "1732456805000001.1.2.host.1.398.4905",
    "bid_time_epoch_in_usecs": "1732456805000001",
    "bid_price_micros_usd": "2500",
    "campaign_id": "398",
    "line_item_id": "4905",
    "placement_type": "VIDEO",
    "user_id": "bito.AAA",
    "ip_address": "203.0.113.9",
    "deal_id": "N/A",
}


def written(*rows: dict[str, str], columns: tuple[str, ...] = tuple(COLUMNS["bid"]), header: bool = True) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def read(content: bytes, name: str = "beeswax-bid") -> list[dict[str, Any]]:
    lines = list(get_format(name).read(io.BytesIO(content), OPTIONS))
    assert not [line for line in lines if isinstance(decode(line), Rejection)]
    return [json.loads(line) for line in lines]


def test_a_bid_is_a_custom_event_without_person_money_and_address() -> None:
    (made,) = read(written(BID))
    assert (made["event_id"], made["event_type"]) == ("beeswax-bid-1732456805000001.1.2.host.1.398.4905", "custom")
    assert made["timestamp"] == "2024-11-24T14:00:05.000001+00:00"
    assert made["properties"] == {
        "name": "bid", "auction_id": "1732456805000001.1.2.host", "bid_price_micros_usd": "2500",
    }  # fmt: skip
    assert "user_id" not in made
    assert "203.0.113.9" not in json.dumps(made)


def test_without_a_header_columns_are_known_by_position() -> None:
    assert read(written(BID, header=False)) == read(written(BID))
    win = {**BID, "clearing_price_micros_usd": "900", "clicks": "0"}
    columns = tuple(COLUMNS["win"])
    with_header = read(written(win, columns=columns), "beeswax-win")
    assert read(written(win, columns=columns, header=False), "beeswax-win") == with_header


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    columns = ("auction_id", *(name for name in COLUMNS["bid"] if name != "auction_id"))
    assert read(b"\xef\xbb\xbf" + written(BID, columns=columns)) == read(written(BID))
    assert read(b"\xef\xbb\xbf" + written(BID, header=False)) == read(written(BID))


def test_a_thousand_columns_and_a_long_list_of_deals_are_read() -> None:
    columns = (*COLUMNS["bid"], *(f"added_{number}" for number in range(1_000 - len(COLUMNS["bid"]))))
    row = {**BID, "available_deal_ids": "deal," * 100_000}
    assert read(written(row, columns=columns)) == read(written(BID))
    assert read(written(row, columns=columns, header=False)) == read(written(BID))


def test_another_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a Beeswax bid log"):
        read(b"date,campaign\n2026-01-01,a\n")
    with pytest.raises(InvalidInput, match="lacks bid_price_micros_usd"):
        read(written(BID, columns=("auction_id", "bid_time_epoch_in_usecs", "campaign_id")))


@needs_shared
def test_the_official_sample_reads_whole_with_the_times_that_a_spreadsheet_mangled() -> None:
    made = read(gzip.decompress((SAMPLES / "bid_log.csv.gz").read_bytes()))
    assert len(made) == len({one["event_id"] for one in made}) == 74
    assert {one["timestamp"][:13] for one in made} == {"2024-10-08T11"}
    assert {one["source"]["campaign_id"] for one in made} == {"398"}


@needs_shared
def test_bids_change_no_figure_of_the_overview(committed: object) -> None:
    slug = f"bids-{uuid4().hex[:10]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    sql = """
    SELECT sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions) AS conversions,
           sum(revenue) AS revenue, sum(spend) AS spend FROM performance WHERE org_id = {org_id:UUID}
    """
    persons = "SELECT uniqExact(person_id) AS persons FROM events WHERE org_id = {org_id:UUID} AND person_id != ''"
    import_path(slug, SAMPLES / "win_log.csv.gz", "beeswax-win", "--history")
    before = execute(org.pk, "test.figures", sql) + execute(org.pk, "test.persons", persons)
    summary = import_path(slug, SAMPLES / "bid_log.csv.gz", "beeswax-bid", "--history")
    assert (summary["accepted"], summary["rejected"]) == (74, 0)
    assert execute(org.pk, "test.figures", sql) + execute(org.pk, "test.persons", persons) == before
