"""Who sees files, and how long their bytes stay."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from apps.events import tasks
from apps.events.models import FileImport, Upload, UploadState
from apps.events.uploads import storage
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from tests.support.uploads import TUS, create, imported, kept, lines, made_org, patch, signed_in, start, upload

pytestmark = pytest.mark.usefixtures("committed", "no_queue")


def test_another_organisations_files_are_out_of_reach(org: Organisation, admin: Client, world: Any) -> None:
    upload_id = upload(admin, org, lines(1))
    other = made_org()
    stranger = signed_in(other)
    for slug in (org.slug, other.slug):
        base = f"/o/{slug}/files/{upload_id}"
        assert stranger.get(f"{base}/").status_code == 404
        assert stranger.head(f"{base}/bytes/", **TUS).status_code == 404
        assert patch(stranger, f"{base}/bytes/", b"x", 0).status_code == 404
        assert stranger.delete(f"{base}/bytes/", **TUS).status_code == 404
        for verb in ("import", "cancel", "remove"):
            assert stranger.post(f"{base}/{verb}/", {"format": "ndjson"}).status_code == 404
    assert kept(org, upload_id).state == UploadState.READY


def test_files_of_the_command_line_stand_in_the_list(world: Any, as_persona: Any) -> None:
    client = as_persona("org_admin")
    shown = client.get(f"/o/{world.slug('buyer')}/files/").content.decode()
    assert "events.ndjson" in shown
    with acting(SERVICE), in_schema_of(world.orgs["buyer"]):
        run = FileImport.objects.first()
    assert run is not None
    assert "Accepted" in client.get(f"/o/{world.slug('buyer')}/files/{run.pk}/").content.decode()
    assert client.get(f"/o/{world.slug('buyer')}/files/?before=yesterday").status_code == 400


def test_an_empty_list_says_what_will_stand_there() -> None:
    other = made_org()
    client = signed_in(other)
    assert "No file yet" in client.get(f"/o/{other.slug}/files/").content.decode()


def test_old_bytes_are_removed(org: Organisation, admin: Client) -> None:
    ids = {name: upload(admin, org, lines(1), name) for name in ("ready", "fresh")}
    url = create(admin, org, 10, "unfinished")["Location"]
    patch(admin, url, b"12345", 0)
    ids["unfinished"] = UUID(url.split("/")[-3])
    ids["imported"] = imported(admin, org, lines(1), "imported")
    with acting(SERVICE), in_schema_of(org):
        old = Upload.objects.exclude(name="fresh").filter(pk__in=ids.values())
        old.update(changed_at=timezone.now() - timedelta(days=8))
    for name in ("ready", "unfinished", "imported"):
        age(storage.path_of(org.pk, ids[name]), days=8)
    assert tasks.purge_uploads() == 3
    assert [name for name in ids if storage.path_of(org.pk, ids[name]).exists()] == ["fresh"]
    with acting(SERVICE), in_schema_of(org):
        assert not Upload.objects.filter(pk=ids["unfinished"]).exists()
    assert start(admin, org, ids["ready"]).status_code == 409


def age(path: Path, *, days: int) -> None:
    import os

    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))
