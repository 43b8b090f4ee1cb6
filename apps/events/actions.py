"""Writes to an organisation's events that are not ingest itself."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from apps.common.errors import InvalidInput, NotFound
from apps.events.generated import find_sample
from apps.events.log import store
from apps.events.log.store import Portion
from apps.events.models import QuarantinedLine
from apps.events.quality import CODES
from apps.events.tasks import make_generated_sample
from apps.orgs.public import Actor, Organisation, Permission, check, record, show_generated, show_real

# So many lines are replayed at a time: more are replayed by asking again.
MOST_REPLAYED = 50_000
TEST_SOURCE = "page/test event"
MOST_BYTES = store.BYTES_PER_RECORD


def replay_quarantined(
    *, actor: Actor, org: Organisation, code: str, source: str = "", ids: Collection[int] = (), history: bool = False
) -> int:
    """Send lines that were turned away for this reason through ingest once more; answers how many.

    All of them, or those of one source, or chosen ones. In the organisation's schema. They leave quarantine, and come
    back to it if they still break a rule.
    """
    if not actor.is_service:
        check(actor, Permission.IMPORT_EVENTS, org)
    check_code(code)
    if code == "line_too_long":
        raise InvalidInput("Lines that were too long were not kept whole, so they cannot be replayed.")
    with transaction.atomic(), store.whole() as log:
        lines = list(_first_bytes(_chosen(code, source, ids).select_for_update().iterator(chunk_size=200)))
        if not lines:
            raise NotFound(f"No line is in quarantine as {code}.")
        by_source: dict[str, list[bytes]] = {}
        for line in lines:
            by_source.setdefault(line.source, []).append(line.line.encode())
        for door, some in by_source.items():
            log.append(Portion(org.pk, door, some), history=history)
        QuarantinedLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
        record(org=org, actor=actor, action="events.replayed", code=code, lines=len(lines), history=history)
    return len(lines)


def check_code(code: str) -> None:
    if code not in CODES:
        raise InvalidInput(f"There is no reason {code!r}; there are: {', '.join(CODES)}.")


def _chosen(code: str, source: str, ids: Collection[int]) -> QuerySet[QuarantinedLine]:
    found = QuarantinedLine.objects.filter(code=code).order_by("pk")
    if source:
        found = found.filter(source=source)
    return (found.filter(pk__in=ids) if ids else found)[:MOST_REPLAYED]


def _first_bytes(lines: Iterable[QuarantinedLine]) -> Iterator[QuarantinedLine]:
    size = 0
    for line in lines:
        size += len(line.line)
        if size > MOST_BYTES:
            return
        yield line


def look_around(*, actor: Actor, org: Organisation) -> None:
    """Show generated data in all of the organisation's pages; a sample is made where there is none."""
    check(actor, Permission.CHOOSE_DATA, org)
    show_generated(actor=actor, org=org)
    if find_sample() is None:
        # The choice stands even when no worker can be told now; the page offers to begin again.
        transaction.on_commit(partial(make_generated_sample.delay, str(org.pk)), robust=True)


def keep_test_event(*, actor: Actor, org: Organisation, line: bytes) -> None:
    """Let an event that somebody typed in go through ingest like any other; its personal data is taken out already."""
    check(actor, Permission.IMPORT_EVENTS, org)
    with transaction.atomic():
        store.append(Portion(org.pk, TEST_SOURCE, [line]))
        record(org=org, actor=actor, action="events.test_sent")


def look_at_real(*, actor: Actor, org: Organisation) -> None:
    check(actor, Permission.CHOOSE_DATA, org)
    show_real(actor=actor, org=org)
