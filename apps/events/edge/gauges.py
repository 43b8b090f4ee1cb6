"""What the edge says of itself, for Prometheus: `GET /metrics`."""

import hmac
from functools import cache
from http import HTTPStatus

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from apps.common.metrics import REGISTRY
from apps.events.edge.http import Problem, Scope, header

REQUESTS = Counter("precise_edge_requests", "Requests answered.", ["path", "status"], registry=REGISTRY)
LINES = Counter("precise_edge_lines", "Lines kept in the ingest log, rejected ones included.", registry=REGISTRY)
COMMITS = Histogram("precise_edge_commit_seconds", "Time of a commit to the ingest log.", registry=REGISTRY)
FAILED = Counter("precise_edge_commits_failed", "Commits whose senders were told to send again.", registry=REGISTRY)
REFUSED = Counter("precise_edge_portions_refused", "Portions that the ingest log does not take.", registry=REGISTRY)
WAITING = Gauge("precise_ingest_waiting_lines", "Lines that wait for the ingestor.", registry=REGISTRY)
FAILED_RECORDS = Gauge("precise_ingest_failed_records", "Records that wait for somebody's hand.", registry=REGISTRY)
KEPT_PARTITIONS = Gauge(
    "precise_ingest_kept_partitions",
    "Hours of the log past their retention, kept for records that are not done with.",
    registry=REGISTRY,
)
HOURS_AHEAD = Gauge(
    "precise_ingest_partition_hours_ahead", "Hours for which the log has partitions already.", registry=REGISTRY
)
SHARED = Gauge("precise_edge_limits_shared", "1 while limits are shared through Redis.", registry=REGISTRY)
HEADERS = [(b"content-type", CONTENT_TYPE_LATEST.encode())]
# What brings no events.
READS = frozenset({"/metrics", "/tag.js", "/api/v1/schema/event.json"})
LOOPBACK = frozenset({"127.0.0.1", "::1"})


@cache
def _requests(path: str, status: int) -> Counter:
    return REQUESTS.labels(path, status)


def count(path: str, status: int) -> None:
    _requests(path, int(status)).inc()


def answers() -> dict[int, int]:
    """How many requests for events this process answered with which status, since it started."""
    counts: dict[int, int] = {}
    for metric in REQUESTS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total") and sample.labels["path"] not in READS:
                status = int(sample.labels["status"])
                counts[status] = counts.get(status, 0) + int(sample.value)
    return counts


def render(scope: Scope) -> bytes:
    """For whoever has the token; without one set, for this machine only."""
    if not _may_read(scope):
        raise Problem(HTTPStatus.FORBIDDEN, "forbidden", "Send METRICS_TOKEN as `Authorization: Bearer …`.")
    return generate_latest(REGISTRY)


def _may_read(scope: Scope) -> bool:
    if token := settings.METRICS_TOKEN:
        given = header(scope, b"authorization") or b""
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    # Behind a proxy on the same machine everybody comes from there: its header tells them apart.
    client = scope.get("client") or ("",)
    return client[0] in LOOPBACK and header(scope, b"x-forwarded-for") is None
