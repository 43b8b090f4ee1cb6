"""Old bytes go: unfinished uploads after a day, others a week after they were last touched."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from apps.common.errors import NotFound
from apps.events.models import Upload, UploadState
from apps.events.uploads import storage
from apps.events.uploads.actions import AT_REST
from apps.orgs.public import SERVICE, acting, find_by_id, in_schema_of

UNFINISHED = timedelta(days=1)
KEEP_BYTES = timedelta(days=7)


def purge() -> int:
    """Answers how many files went. Bytes that no row knows go with the unfinished ones."""
    return sum(_purge(org_id) for org_id in list(storage.org_ids()))


def _purge(org_id: UUID) -> int:
    now, gone = timezone.now(), 0
    with acting(SERVICE):
        try:
            org = find_by_id(org_id)
        except NotFound:
            return 0
        with in_schema_of(org):
            Upload.objects.filter(state=UploadState.RECEIVING, changed_at__lt=now - UNFINISHED).delete()
            old = Upload.objects.filter(
                state__in=(*AT_REST, UploadState.IMPORTED), changed_at__lt=now - KEEP_BYTES, bytes_removed_at=None
            )
            old.update(bytes_removed_at=now)
            keep = set(Upload.objects.filter(bytes_removed_at=None).values_list("pk", flat=True))
    for upload_id in storage.stored(org_id, older_than=UNFINISHED.total_seconds()):
        if upload_id not in keep:
            storage.remove(org_id, upload_id)
            gone += 1
    return gone
