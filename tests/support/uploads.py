"""Uploads as the tests send them."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.test import Client

from apps.accounts.public import User
from apps.events.log.models import LogRecord
from apps.events.models import Upload
from apps.events.uploads import running
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from tests.support.world import YESTERDAY_NOON, event

PIECE = "application/offset+octet-stream"


TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}


def made_org() -> Organisation:
    slug = f"upload-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def signed_in(org: Organisation) -> Client:
    """Its first admin."""
    client = Client()
    user = User.objects.get(email=f"{org.slug}@first.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def lines(*numbers: int, **fields: Any) -> bytes:
    name = uuid4().hex
    made = [event("click", YESTERDAY_NOON, platform="hulu", campaign="c") for _ in numbers]
    return b"".join(
        json.dumps({**one, "event_id": f"{name}-{number}", **fields}).encode() + b"\n"
        for one, number in zip(made, numbers, strict=True)
    )


def create(client: Client, org: Organisation, size: int | str, name: str = "events.ndjson", **headers: str) -> Any:
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    sent = {"HTTP_UPLOAD_LENGTH": str(size), "HTTP_UPLOAD_METADATA": metadata, **TUS, **headers}
    return client.post(f"/o/{org.slug}/files/new/", **sent)


def patch(client: Client, url: str, body: bytes, offset: int | str, kind: str = PIECE) -> Any:
    return client.patch(url, body, content_type=kind, HTTP_UPLOAD_OFFSET=str(offset), **TUS)


def upload(client: Client, org: Organisation, body: bytes, name: str = "events.ndjson") -> UUID:
    url = create(client, org, len(body), name)["Location"]
    assert patch(client, url, body, 0).status_code == 204
    return UUID(url.split("/")[-3])


def kept(org: Organisation, upload_id: UUID) -> Upload:
    with acting(SERVICE), in_schema_of(org):
        return Upload.objects.get(pk=upload_id)


def page(client: Client, org: Organisation, upload_id: UUID, **query: str) -> str:
    return client.get(f"/o/{org.slug}/files/{upload_id}/", query).content.decode()


def start(client: Client, org: Organisation, upload_id: UUID, format_name: str = "ndjson", **options: str) -> Any:
    return client.post(f"/o/{org.slug}/files/{upload_id}/import/", {"format": format_name, **options})


def imported(client: Client, org: Organisation, body: bytes, name: str = "events.ndjson", **options: str) -> UUID:
    upload_id = upload(client, org, body, name)
    start(client, org, upload_id, kept(org, upload_id).format, **options)
    running.run_import(org, upload_id)
    return upload_id


def records_of(org: Organisation) -> int:
    with acting(SERVICE):
        return LogRecord.objects.filter(org=org).count()


def cancel_elsewhere(client: Client, org: Organisation, upload_id: UUID) -> None:
    """As another person's request does, on a connection of its own."""
    assert client.post(f"/o/{org.slug}/files/{upload_id}/cancel/").status_code == 302
    connection.close()
