"""The way of an upload to a worker, and which uploads wait for one that nobody sends any more.

A message in the queue may be lost, with Redis or with a worker that had it in hand. That an upload waits stands in
PostgreSQL, and is what counts.
"""

from uuid import UUID

from celery import current_app
from django.utils import timezone

from apps.events.models import Upload
from apps.events.schemas import ask_everywhere

TASK = "apps.events.tasks.import_upload"
# Minutes until an upload is sent again: after none, one, two or more imports that a service's absence ended.
PAUSES = (1, 5, 15, 60)
# What is sent again and waited longer for a worker is dropped: the next minute's stands behind it.
EXPIRES_AFTER = 55
WAITING = f"""
SELECT {{org}}::uuid, id FROM {{table}}
WHERE state = 'queued'
    AND changed_at <= %s - (ARRAY{list(PAUSES)})[least(tries, {len(PAUSES) - 1}) + 1] * interval '1 minute'
"""  # noqa: S608 - numbers only


def waiting_imports() -> list[tuple[UUID, UUID]]:
    """Organisation and upload of all whose turn has come and that no worker took up."""
    return [(org_id, upload_id) for org_id, upload_id in ask_everywhere(Upload, WAITING, (timezone.now(),))]


def send_import(org_id: UUID, upload_id: UUID, *, again: bool = False) -> None:
    """A worker that finds it taken leaves it alone, so that one message too many does no harm."""
    current_app.send_task(
        TASK, args=[str(org_id), str(upload_id)], expires=EXPIRES_AFTER if again else None, ignore_result=True,
        retry=False,
    )  # fmt: skip
