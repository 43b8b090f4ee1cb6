"""Writes to an organisation's events that are not ingest itself."""

from collections.abc import Iterable, Iterator

from django.db import transaction

from apps.common.errors import InvalidInput, NotFound
from apps.events.log import store
from apps.events.log.store import Portion
from apps.events.models import QuarantinedLine
from apps.events.quality import CODES
from apps.orgs.public import Actor, Organisation, record

# So many lines are replayed at a time: more are replayed by asking again.
MOST_REPLAYED = 50_000
MOST_BYTES = store.BYTES_PER_RECORD


def replay_quarantined(*, actor: Actor, org: Organisation, code: str, history: bool = False) -> int:
    """Send lines that were turned away for this reason through ingest once more; answers how many.

    In the organisation's schema. They leave quarantine, and come back to it if they still break a rule.
    """
    if code not in CODES:
        raise InvalidInput(f"There is no reason {code!r}; there are: {', '.join(CODES)}.")
    if code == "line_too_long":
        raise InvalidInput("Lines that were too long were not kept whole, so they cannot be replayed.")
    with transaction.atomic():
        waiting = QuarantinedLine.objects.select_for_update().filter(code=code).order_by("pk")[:MOST_REPLAYED]
        lines = list(_first_bytes(waiting.iterator(chunk_size=200)))
        if not lines:
            raise NotFound(f"No line is in quarantine as {code}.")
        by_source: dict[str, list[bytes]] = {}
        for line in lines:
            by_source.setdefault(line.source, []).append(line.line.encode())
        for source, some in by_source.items():
            store.append(Portion(org.pk, source, some), history=history)
        QuarantinedLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
        record(org=org, actor=actor, action="events.replayed", code=code, lines=len(lines), history=history)
    return len(lines)


def _first_bytes(lines: Iterable[QuarantinedLine]) -> Iterator[QuarantinedLine]:
    size = 0
    for line in lines:
        size += len(line.line)
        if size > MOST_BYTES:
            return
        yield line
