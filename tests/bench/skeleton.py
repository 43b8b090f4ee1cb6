"""The first slice: how near the ingestor is to the engine's own insert, and whether the overview stays fast as events
grow tenfold.

Ingest, in one run on one file of 500,000 events: the engine's `INSERT … FORMAT JSONEachRow` with `SHA256` of each line,
against ours: decode, validate, hash, look for duplicates, insert with all roll-ups.
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from django.test import Client

from apps.accounts.models import User
from apps.events import demo
from apps.events.ingestor import only_ingestor
from apps.events.log import store
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation
from apps.warehouse.gateway import client
from tests.bench.report import Report

EVENTS = 500_000
ROUNDS = 3
REQUESTS = 150
WARM_UP = 10
PEER_COLUMNS = (
    "event_id String, event_type LowCardinality(String), timestamp DateTime64(6, 'UTC'), user_id String, "
    "source Tuple(platform LowCardinality(String), channel LowCardinality(String), campaign_id LowCardinality(String), "
    "creative_id LowCardinality(String), publisher LowCardinality(String)), "
    "attribution Tuple(data_contributors Array(Tuple(id String, signal_type String, weight Float64))), "
    "metadata Tuple(clearing_price Nullable(Decimal(38, 18)))"
)


def run(report: Report) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        lines = write_events(path)
        _ingest(report, path, lines)
    _overview(report)


def write_events(path: Path) -> list[bytes]:
    buyer = demo.Buyer(f"bench-{uuid4().hex[:8]}", ("a", "b", "c"), EVENTS, ("x", "y", "z", "w"), 80.0)
    lines = list(demo.generate(buyer, seed=1, end=datetime.now(UTC)))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return lines


def _ingest(report: Report, path: Path, lines: list[bytes]) -> None:
    """Alternating rounds, so that a drift of the machine's speed meets both. Our processes run on between rounds, as
    the engine does and as `run_ingestor` keeps them; the first round starts them."""
    org = make_org()
    ours, engine = [], []
    with only_ingestor() as ingestor:
        assert ingestor, "another ingestor is running"
        for turn in range(ROUNDS):
            engine.append(_timed(lambda: _engine_insert(path)))
            fill_log(org, lines, turn)
            ours.append(_timed(ingestor.drain))
    rate, peer = EVENTS / statistics.median(ours), EVENTS / statistics.median(engine)
    report.add("ingest_events_per_second", rate, "events/s")
    report.add("engine_events_per_second", peer, "events/s")
    report.add("ingest_to_engine", rate / peer, "ratio", target=0.5)


def make_org() -> Organisation:
    slug = f"bench-{uuid4().hex[:10]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@bench.example"
    )
    return org


def fill_log(org: Organisation, lines: list[bytes], turn: int) -> None:
    """The same events under ids of their own in each turn."""
    fresh = [line.replace(b'"demo-', b'"turn%d-' % turn, 1) for line in lines]
    with acting(SERVICE):
        for start in range(0, len(fresh), store.LINES_PER_RECORD):
            part = fresh[start : start + store.LINES_PER_RECORD]
            store.append(store.Portion(org.pk, "bench", part), first_position=start + 1, history=True)


def _engine_insert(path: Path) -> None:
    """The engine alone: its own parser, a SHA-256 over all the columns, one table, no views."""
    engine = client()
    engine.command("DROP TABLE IF EXISTS bench_peer")
    hashed = (
        "SHA256(concat(event_id, event_type, toString(timestamp), user_id, toString((source, attribution, metadata))))"
    )
    engine.command(
        f"CREATE TABLE bench_peer ({PEER_COLUMNS}, hash FixedString(32) MATERIALIZED {hashed})"
        " ENGINE = MergeTree ORDER BY timestamp"
    )
    with path.open("rb") as file:
        engine.raw_insert(
            "bench_peer",
            insert_block=file,
            fmt="JSONEachRow",
            settings={"date_time_input_format": "best_effort", "input_format_skip_unknown_fields": 1},
        )
    assert engine.command("SELECT count() FROM bench_peer") == EVENTS
    engine.command("DROP TABLE bench_peer")


def _overview(report: Report) -> None:
    """Server time of the whole page, in this process: middleware, queries, template. Parts are merged first, as they
    are some seconds after any import; the two sizes take turns, so that a drift of the machine's speed meets both."""
    small, large = make_org(), make_org()
    fill_warehouse(small.pk, 1_000_000)
    fill_warehouse(large.pk, 10_000_000)
    for table in ("performance", "reach_days"):
        client().command(f"OPTIMIZE TABLE {table} FINAL")
    few, many = _page_times(small, large)
    for name, times in (("1m", few), ("10m", many)):
        report.add(f"overview_{name}_p50", percentile(times, 50), "ms")
        report.add(f"overview_{name}_p95", percentile(times, 95), "ms", target=100, best="least")
    report.add("overview_p95_10m_to_1m", percentile(many, 95) / percentile(few, 95), "ratio", target=1.3, best="least")


def fill_warehouse(org_id: UUID, events: int) -> None:
    """Events made by the engine itself: 60 days, 6 platforms, 12 campaigns, 300,000 persons; the views sum them."""
    platforms = json.dumps(["hulu", "disney", "madhive", "linear", "google_ads", "retail"]).replace('"', "'")
    start = datetime.now(UTC) - timedelta(days=60)
    for first in range(0, events, 1_000_000):
        client().command(
            f"""
            INSERT INTO events (org_id, event_id, event_type, timestamp, received_at, person_number, platform, channel,
                                campaign_id, currency, revenue, spend, batch_id)
            SELECT '{org_id}', toString(number), if(number % 100 = 0, 'conversion', 'impression'),
                   toDateTime64({start.timestamp():.0f}, 6) + toIntervalSecond(cityHash64(number) % 5184000),
                   now64(3), 1 + cityHash64(number, 'person') % 300000, {platforms}[1 + number % 6], 'video',
                   'campaign-' || toString(intDiv(number, 6) % 12),
                   'USD', if(number % 100 = 0, 50, 0), 0.02, generateUUIDv4(1)
            FROM numbers({first}, 1000000)
            """,
            settings={"max_partitions_per_insert_block": 1000},
        )


def _page_times(*orgs: Organisation) -> list[list[float]]:
    """Milliseconds of each request to each organisation's page, after some that fill the caches."""
    browsers = [_signed_in(org) for org in orgs]
    times: list[list[float]] = [[] for _ in orgs]
    for turn in range(WARM_UP + REQUESTS):
        for place, org in enumerate(orgs):
            seconds = _timed(partial(_get, browsers[place], org))
            if turn >= WARM_UP:
                times[place].append(seconds * 1000)
    return times


def _signed_in(org: Organisation) -> Client:
    browser = Client(SERVER_NAME="localhost")
    with acting(SERVICE):
        user = User.objects.get(email=f"{org.slug}@bench.example")
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def _get(browser: Client, org: Organisation) -> None:
    response = browser.get(f"/o/{org.slug}/?range=30d")
    assert response.status_code == 200, response.status_code


def percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100)[share - 1]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
