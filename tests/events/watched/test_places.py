"""What an organisation may reach by watching a place, and what not."""

import os
from pathlib import Path
from typing import Any

import pytest

from apps.common.errors import InvalidInput, Unavailable
from apps.events.watched.places import Key, place_of


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    settings.WATCH_ROOTS = [str(tmp_path / "allowed" / "{org}")]
    settings.WATCH_BUCKETS = ["deliveries/{org}"]
    inside = tmp_path / "allowed" / "acme"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "a.csv").write_text("a")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_text("secret")
    return inside


def listed(url: str, org: str = "acme") -> list[str]:
    return [one.path for one in place_of(url, org=org, key=None).list_files()]


def test_below_an_allowed_root_everything_is_listed(root: Path) -> None:
    assert listed(f"file://{root}") == ["sub/a.csv"]
    assert listed(f"file://localhost{root}/sub/") == ["a.csv"]


@pytest.mark.parametrize(
    "url", ["file:///", "file:///etc", "file://{root}/../../secret", "file://{root}x", "file://a/b"]
)
def test_no_other_folder_is_reached(url: str, root: Path) -> None:
    with pytest.raises(InvalidInput):
        place_of(url.replace("{root}", str(root)), org="acme", key=None)


def test_percent_signs_hide_no_way_up(root: Path) -> None:
    with pytest.raises(InvalidInput, match=r"without `\.\.`"):
        place_of(f"file://{root}/%2e%2e/%2e%2e/secret", org="acme", key=None)


def test_another_organisations_folder_is_not_reached(root: Path) -> None:
    with pytest.raises(InvalidInput, match="WATCH_ROOTS"):
        place_of(f"file://{root}", org="rival", key=None)


def test_no_root_means_no_local_folder(root: Path, settings: Any) -> None:
    settings.WATCH_ROOTS = []
    with pytest.raises(InvalidInput, match="does not allow"):
        place_of(f"file://{root}", org="acme", key=None)


def test_links_are_never_followed(root: Path, tmp_path: Path) -> None:
    (root / "folder").symlink_to(tmp_path / "secret")
    (root / "file.pem").symlink_to(tmp_path / "secret" / "key.pem")
    assert listed(f"file://{root}") == ["sub/a.csv"]
    with pytest.raises(InvalidInput):
        listed(f"file://{root}/folder")
    place = place_of(f"file://{root}", org="acme", key=None)
    for path in ("file.pem", "folder/key.pem", "../../secret/key.pem", "sub/../../../secret/key.pem"):
        with pytest.raises(InvalidInput), place.open(path, "x"):
            pass


def test_what_became_a_link_after_the_listing_is_refused(root: Path, tmp_path: Path) -> None:
    place = place_of(f"file://{root}", org="acme", key=None)
    (found,) = place.list_files()
    (root / "sub" / "a.csv").unlink()
    (root / "sub" / "a.csv").symlink_to(tmp_path / "secret" / "key.pem")
    with pytest.raises(InvalidInput, match="is a link"), place.open(found.path, found.version):
        pass


def test_a_pipe_is_no_file(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    place = place_of(f"file://{root}", org="acme", key=None)
    assert [one.path for one in place.list_files()] == ["sub/a.csv"]
    with pytest.raises(InvalidInput, match="not a regular file"), place.open("pipe.csv", "x"):
        pass


def test_what_changes_while_it_is_read_is_refused(root: Path) -> None:
    place = place_of(f"file://{root}", org="acme", key=None)
    (found,) = place.list_files()

    def read() -> None:
        with place.open(found.path, found.version) as raw:
            raw.read()
            (root / "sub" / "a.csv").write_text("longer")

    with pytest.raises(Unavailable, match="changed meanwhile"):
        read()
    with pytest.raises(Unavailable, match="changed meanwhile"), place.open(found.path, found.version):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "https://bucket.s3.amazonaws.com/x", "s3://", "s3:///x",
        "s3://Bucket/x", "s3://a@169.254.169.254/x", "s3://127.0.0.1:9000/x", "s3://bucket/x?versionId=1",
        "s3://arn:aws:s3:eu-1:1:accesspoint/x", "s3://bucket/../other", "gs://bucket/x", "memory://x", "bucket/x", "", "s3://[x",
    ],
)  # fmt: skip
def test_only_a_bucket_of_the_operators_s3_is_a_place(url: str, root: Path) -> None:
    with pytest.raises(InvalidInput):
        place_of(url, org="acme", key=Key("k", "s"))


def test_the_workers_own_credentials_reach_only_what_the_operator_lists(root: Path, settings: Any) -> None:
    place_of("s3://deliveries/acme/wins", org="acme", key=None)
    for url in ("s3://deliveries", "s3://deliveries/rival", "s3://deliveries/acme-2", "s3://other/acme"):
        with pytest.raises(InvalidInput, match="own credentials"):
            place_of(url, org="acme", key=None)
        place_of(url, org="acme", key=Key("k", "s"))
    settings.WATCH_BUCKETS = ["*"]
    place_of("s3://other", org="acme", key=None)
