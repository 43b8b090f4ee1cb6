"""Generated events to look around with: how they are made, and how ingest keeps them apart.

They come through the same door as every file, under the source `generated/sample`, and are stored under the
organisation's generated id (see `apps.orgs.generated`): the log's source alone decides, and no sender can choose it.
"""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from apps.events.demo import Buyer, generate
from apps.events.formats.registry import get_format
from apps.events.importing import import_stream
from apps.events.log.interface import Record
from apps.events.models import FileImport
from apps.orgs.public import Organisation, generated_contributor_id, generated_org_id

DOOR = "generated/"
SOURCE = f"{DOOR}sample"
EVENTS = 20_000
SIGNALS = ("generated:viewing", "generated:purchases", "generated:places")
CAMPAIGNS = ("autumn-launch", "always-on", "loyalty")


@dataclass(frozen=True)
class Sample:
    """The newest file of generated events: lines read, and those of them that the ingestor has stored."""

    read: int
    stored: int
    started_at: datetime
    is_done: bool


@dataclass(frozen=True)
class Progress:
    """`share` of the sample that is stored; 0 while it waits to be made."""

    share: float


def sample_progress(org: Organisation) -> Progress | None:
    """While generated data is to be shown and is not there yet. In the organisation's schema."""
    if not org.shows_generated:
        return None
    sample = find_sample()
    return Progress(min(sample.stored / sample.read, 1.0) if sample and sample.read else 0.0)


def is_generated(source: str) -> bool:
    return source.startswith(DOOR)


def data_id_of(record: Record) -> UUID:
    """Under which organisation id the record's events are stored."""
    return generated_org_id(record.org.pk) if is_generated(record.source) else record.org.pk


def part_id_of(batch_id: UUID, record: Record) -> UUID:
    """Of a batch that holds both, the generated part is an insert of its own."""
    return uuid5(batch_id, "generated") if is_generated(record.source) else batch_id


def find_sample() -> Sample | None:
    """In the organisation's schema."""
    made = FileImport.objects.filter(door=SOURCE).order_by("-started_at").first()
    if made is None:
        return None
    return Sample(made.read, made.accepted + made.duplicate, made.started_at, made.finished_at is not None)


def make_sample(org: Organisation, end: datetime | None = None) -> None:
    """90 days of events up to `end`, always the same ones: made twice they are duplicates."""
    last = end or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    signals = (generated_contributor_id(org), *SIGNALS[1:]) if org.sells_data else SIGNALS
    buyer = Buyer(f"sample-{org.slug}", CAMPAIGNS, EVENTS, signals, 64.0)
    lines = b"\n".join(generate(buyer, seed=org.pk.int % 2**32, end=last))
    import_stream(
        org=org, raw=io.BytesIO(lines), name="generated-sample.ndjson", file_format=get_format("ndjson"), history=True,
        source=SOURCE,
    )  # fmt: skip
