"""The newest lines as they stand in the ingest log: received, personal data taken out, as yet or no longer waiting.

What is read is bounded: so many records, of each the first bytes, of these the first lines. A file of 400,000 lines
shows some and says how many more there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
import zstandard
from django.conf import settings
from django.db.models import BinaryField, QuerySet
from django.db.models.functions import Substr

from apps.common.errors import NotFound
from apps.events import quality
from apps.events.canonical import Rejection, decode
from apps.events.flow.minutes import shown_sources
from apps.events.generated import SOURCE
from apps.events.log.models import LogRecord
from apps.events.models import FileImport
from apps.events.preparing import SEPARATOR
from apps.events.quality import Window
from apps.orgs.public import Organisation

LOOK_BACK = timedelta(hours=24)
RECORDS = 300
LINES_OF_RECORD = 20
LOOKED_AT = 400
# One block of zstd's is at most 128 kB; with less, a record of large blocks would show nothing.
PACKED_BYTES = 160_000
UNPACKED_BYTES = 256_000
LONGEST_PREVIEW = 300


@dataclass(frozen=True)
class Received:
    """One line, with what the rules say of it; `place` counts from 0 within its record."""

    record_id: int
    place: int
    position: int
    source: str
    received_at: datetime
    is_done: bool
    failure: str
    batch_id: UUID | None
    line: bytes
    event_id: str
    event_type: str
    platform: str
    happened_at: datetime | None
    why: Rejection | None

    @property
    def digest(self) -> bytes:
        return sha256(self.line).digest()

    @property
    def preview(self) -> str:
        return self.line[:LONGEST_PREVIEW].decode("utf-8", "replace")


@dataclass(frozen=True)
class Glance:
    """The first lines of one record, and how many more it has."""

    lines: Sequence[Received]
    more: int


def newest(org: Organisation, now: datetime, *, source: str = "") -> list[Glance]:
    """The newest records of the last day, newest first."""
    found = _records(org).filter(created_at__gte=now - LOOK_BACK)
    if source:
        found = found.filter(source=source)
    sizes = found.order_by("-id").values_list("pk", "line_count")[:RECORDS]
    head = Substr("payload", 1, PACKED_BYTES, output_field=BinaryField())
    some = found.filter(pk__in=list(_enough(sizes))).annotate(head=head).defer("payload").order_by("-id")
    return [_glance(record, bytes(record.head)) for record in some]


def _enough(sizes: Iterable[tuple[int, int]]) -> Iterator[int]:
    """Ids of so many records that their first lines are what is looked at."""
    lines = 0
    for pk, line_count in sizes:
        yield pk
        lines += min(line_count, LINES_OF_RECORD)
        if lines >= LOOKED_AT:
            return


def kept_for() -> str:
    """How long the log keeps a line, in words: `30 days`, `36 hours`."""
    days, hours = divmod(settings.EVENT_LOG_KEEP_HOURS, 24)
    count, unit = (days, "day") if not hours else (settings.EVENT_LOG_KEEP_HOURS, "hour")
    return f"{count:,} {unit}{'s' if count != 1 else ''}"


def is_readable() -> bool:
    """Whether this installation's log can be looked into; Kafka's can only be read in its order."""
    return bool(settings.EVENT_LOG_URL == "postgres:")


def list_log_sources(org: Organisation, now: datetime) -> list[str]:
    """Through which doors the newest records came."""
    recent = _records(org).filter(created_at__gte=now - LOOK_BACK)
    newest_ids = recent.order_by("-id").values("pk")[: RECORDS * 4]
    return sorted(set(recent.filter(pk__in=newest_ids).values_list("source", flat=True)))


def get_line(org: Organisation, record_id: int, place: int, at: datetime | None) -> Received:
    """`at`, when it arrived, saves looking through all of the log's hours."""
    found = _records(org) if at is None else _records(org).filter(created_at=at)
    record = found.filter(pk=record_id).first()
    lines = [] if record is None else unpack(bytes(record.payload))
    if record is None or place >= len(lines):
        raise NotFound(f"There is no such line in the ingest log; it is kept for {kept_for()}.")
    return judge(record, place, lines[place])


def find_line(org: Organisation, batch_id: UUID, received_at: datetime, digest: bytes) -> Received | None:
    """The line whose SHA-256 this is, among the records of a batch that arrived at that millisecond."""
    until = received_at + timedelta(milliseconds=1)
    for record in _of_batch(org, batch_id).filter(created_at__gte=received_at, created_at__lt=until):
        for place, line in enumerate(unpack(bytes(record.payload))):
            if sha256(line).digest() == digest:
                return judge(record, place, line)
    return None


def _of_batch(org: Organisation, batch_id: UUID) -> QuerySet[LogRecord]:
    """Generated events bear a batch id of their own, which the log does not know; it knows their file."""
    if not org.shows_generated:
        return _records(org).filter(batch_id=batch_id)
    files = list(FileImport.objects.filter(door=SOURCE).values_list("pk", flat=True))
    return _records(org).filter(import_id__in=files)


def judge(record: LogRecord, place: int, line: bytes) -> Received:
    """By the ingestor's own rules, at the time of arrival."""
    found = decode(line)
    event, why = (None, found) if isinstance(found, Rejection) else (found[0], None)
    if not isinstance(found, Rejection):
        why = quality.check(*found, Window.at(record.created_at, history=record.history))
    return Received(
        record_id=record.pk,
        place=place,
        position=record.first_position + place,
        source=record.source,
        received_at=record.created_at,
        is_done=record.done_at is not None,
        failure=record.error,
        batch_id=record.batch_id,
        line=line,
        event_id=_event_id(event.event_id, line) if event else _named(line, "event_id"),
        event_type=event.event_type if event else _named(line, "event_type"),
        platform=(event.source.platform or event.metadata.dsp or "api") if event else "",
        happened_at=event.timestamp if event else None,
        why=why,
    )


def unpack(payload: bytes) -> list[bytes]:
    return zstandard.decompress(payload).split(SEPARATOR)


def first_lines(head: bytes, count: int) -> list[bytes]:
    """Whole lines from the beginning of a payload; the last is left out when it may be cut off."""
    with zstandard.ZstdDecompressor().stream_reader(head) as reader:
        text = reader.read(UNPACKED_BYTES)
    lines = text.split(SEPARATOR)
    return lines[:count] if len(lines) == count else lines[:-1]


def _glance(record: LogRecord, head: bytes) -> Glance:
    lines = first_lines(head, record.line_count)[:LINES_OF_RECORD]
    shown = [judge(record, place, line) for place, line in enumerate(lines)]
    return Glance(shown[::-1], record.line_count - len(shown))


def _records(org: Organisation) -> QuerySet[LogRecord]:
    return LogRecord.objects.filter(shown_sources(org), org=org)


def _event_id(given: str | int | None, line: bytes) -> str:
    return sha256(line).hexdigest() if given is None else str(given)


def _named(line: bytes, name: str) -> str:
    """What a line that is no event says all the same, if it is an object of JSON."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    value = found.get(name) if isinstance(found, dict) else None
    return str(value)[:256] if isinstance(value, str | int) else ""
