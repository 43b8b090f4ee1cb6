"""Events in: what the edge costs beside a bare application, how soon it answers, how fast events become rows."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import msgspec
from django.core.management import call_command

from apps.events.formats.reds import FEEDS
from apps.events.ingestor import only_ingestor
from apps.events.log import store
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, Scope, acting, create_api_key
from tests.bench.load import Load, post
from tests.bench.report import Report
from tests.bench.skeleton import make_org, percentile
from tests.config.launcher import eventually, free_port

ROUNDS = 3
SECONDS = 5.0
WARM_UP = 5.0
CONNECTIONS = 128
EVENTS = 1_000_000
NO_LIMIT = 1_000_000_000
# The proof form of the seeds, as long as theirs.
EVENT = {
    "event_type": "impression", "campaign_id": "madhive_12345", "cohort_id": "eco_urban_renters_10013",
    "user_id": "user_7f3a9c2e41b8", "metadata": {
        "dsp": "beeswax", "publisher": "discovery_plus", "geo": {"zip": "10013", "dma": "501"}, "device": "ctv",
        "creative_id": "cr_789", "bid_price": 23.50, "clearing_price": 19.00},
    "attribution": {"data_contributors": [
        {"id": "broadcaster_x", "signal_type": "viewing_behavior", "weight": 0.3},
        {"id": "data_co_y", "signal_type": "purchase_intent", "weight": 0.5},
        {"id": "telco_z", "signal_type": "location_context", "weight": 0.2}]},
}  # fmt: skip
LONG = 610


def run(report: Report) -> None:
    org = make_org()
    with acting(SERVICE):
        Organisation.objects.filter(pk=org.pk).update(events_per_second=NO_LIMIT)
        _, key = create_api_key(actor=SERVICE, org=org, name="bench", scopes=[Scope.WRITE_EVENTS])
    with serving("config.asgi:application") as ours, serving("tests.bench.bare:app") as bare:
        fastest = _edge(report, ours, bare, key)
    with serving("config.asgi:application") as ours, ingesting():
        _calm(report, ours, key, fastest / 2)
    _rows(report)
    _reds(report)


def _edge(report: Report, ours: int, bare: int, key: str) -> float:
    """Alternating rounds, so that a drift of the machine's speed meets both."""
    rates, peers = [], []
    for _ in range(ROUNDS):
        peers.append(send(bare, key).rate)
        rates.append(send(ours, key).rate)
    rate, peer = statistics.median(rates), statistics.median(peers)
    report.add("edge_requests_per_second", rate, "requests/s")
    report.add("bare_requests_per_second", peer, "requests/s")
    report.add("edge_to_bare", rate / peer, "ratio", target=0.5)
    return rate


def _calm(report: Report, port: int, key: str, rate: float) -> None:
    """With the ingestor at work beside it, as in production; both have been at it for some seconds. The median of
    some rounds, since a merge of the engine takes one of two cores for a while now and then."""
    send(port, key, rate=rate, seconds=WARM_UP)
    rounds = [send(port, key, rate=rate, seconds=8).times for _ in range(ROUNDS)]
    middle, tail = (statistics.median(percentile(times, share) for times in rounds) * 1000 for share in (50, 99))
    report.add("edge_p50_at_half_rate", middle, "ms")
    report.add("edge_p99_at_half_rate", tail, "ms", target=50, best="least")


def _rows(report: Report) -> None:
    """From the log to rows and roll-ups that can be asked, with decoding, rules, hashes and duplicates."""
    org, line = make_org(), line_maker()
    with acting(SERVICE):
        for first in range(0, EVENTS, store.LINES_PER_RECORD):
            lines = [line(number) for number in range(first, first + store.LINES_PER_RECORD)]
            store.append(store.Portion(org.pk, "bench", lines))
    with only_ingestor() as ingestor:
        assert ingestor, "another ingestor is running"
        began = time.perf_counter()
        ingestor.drain()
        seconds = time.perf_counter() - began
    report.add("rows_per_second", EVENTS / seconds, "events/s", target=100_000)


def _reds(report: Report) -> None:
    """An hourly file of impressions from the disk to rows, as `import_events` does it."""
    org = make_org()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "impressions.log"
        write_reds(path)
        began = time.perf_counter()
        call_command("import_events", str(path), org=org.slug, format="reds-impressions", stdout=StringIO())
        seconds = time.perf_counter() - began
    report.add("reds_million_lines", seconds, "s", target=30, best="least")


def write_reds(path: Path) -> None:
    columns, at = FEEDS["impressions"]["5"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    values = dict.fromkeys(columns, "") | {
        "LogEntryTime": at, "PartnerId": "p1", "AdvertiserId": "a1", "CampaignId": "c1", "AdGroupId": "g1",
        "CreativeId": "cr1", "SupplyVendor": "vendor", "SupplyVendorPublisherID": "1234", "Site": "site.example",
        "UserAgent": "Mozilla/5.0", "IPAddress": "203.0.113.9", "Country": "United States", "Region": "New York",
        "City": "New York", "DeviceType": "5", "AdvertiserCostInUSD": "0.0025", "ZipCode": "10013",
        "ImpressionId": "%d", "TDID": "person-%d",
    }  # fmt: skip
    line = "\t".join(values[column] for column in columns) + "\n"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line % (number, number % 100_000) for number in range(1_000_000))


def send(port: int, key: str, *, rate: float | None = None, seconds: float = SECONDS) -> Load:
    load = post(
        port, "/api/v1/events", {"Authorization": f"Bearer {key}"}, line_maker(),
        connections=CONNECTIONS, seconds=seconds, rate=rate,
    )  # fmt: skip
    assert set(load.statuses) == {202}, load.statuses
    return load


def line_maker() -> Callable[[int], bytes]:
    """Bodies that differ in their id, `LONG` bytes each."""
    run_id = uuid4().hex[:12]
    event = {**EVENT, "timestamp": datetime.now(UTC).isoformat()}
    tail = msgspec.json.encode(event)[1:]
    filler = "x" * max(0, LONG - len(tail) - 60)
    tail = msgspec.json.encode({**event, "properties": {"note": filler}})[1:]
    return lambda number: b'{"event_id":"%b-%08d",%b' % (run_id.encode(), number, tail)


@contextmanager
def serving(application: str) -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "asginl", application, "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    with _process(command):
        eventually(lambda: _answers(port), f"{application} does not answer")
        yield port


@contextmanager
def ingesting() -> Iterator[None]:
    with _process([sys.executable, "manage.py", "run_ingestor"]):
        yield


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(port: int) -> bool:
    try:
        return bool(post(port, "/api/v1/events", {}, lambda _: b"{}", connections=1, seconds=0.05).statuses)
    except OSError:
        return False
