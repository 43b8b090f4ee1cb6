"""A folder and a bucket to watch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from apps.events.models import WatchedSource
from apps.orgs.models import Organisation
from tests.support.watched import Clock, watch


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.WATCH_ROOTS = [str(tmp_path)]
    monkeypatch.setenv("WATCH_ROOTS", str(tmp_path))
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def source(org: Organisation, folder: Path) -> WatchedSource:
    return watch(org, f"file://{folder}")


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, settings: Any) -> Any:
    settings.WATCH_S3_ENDPOINT, settings.WATCH_S3_REGION = s3, "us-east-1"
    client = boto3.client(
        "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    name = f"delivery-{uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)

    class Delivery:
        url = f"s3://{name}/wins"

        def put(self, key: str, content: bytes) -> None:
            client.put_object(Bucket=name, Key=key, Body=content)

    return Delivery()


@pytest.fixture
def clock() -> Clock:
    return Clock()
