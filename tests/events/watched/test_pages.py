"""The pages of watched folders: making, trying, changing, and what the grid and the ledger say."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.public import User
from apps.events.models import FileImport, WatchedFile, WatchedSource
from apps.events.watched.completeness import Completeness
from apps.events.watched.seal import unseal
from apps.events.watched.selectors import list_cards
from apps.orgs.models import Organisation
from tests.events.test_sources_page import arrive, click
from tests.support.watched import entered, lines, put, watch

pytestmark = pytest.mark.usefixtures("committed")
State = WatchedFile.State
SECRET = "wJalrXUtnFEMI/K7MDENG"


@pytest.fixture
def admin(org: Organisation) -> Client:
    client = Client()
    user = User.objects.get(email=f"{org.slug}@first.example")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def form(url: str, **fields: str) -> dict[str, str]:
    return {
        "name": "wins", "url": url, "format": "ndjson", "pattern": "*", "cadence": "hourly", "lateness_minutes": "60",
        **fields,
    }  # fmt: skip


def at(org: Organisation, *parts: object) -> str:
    return "/".join([f"/o/{org.slug}/sources/watched", *(str(part) for part in parts), ""])


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def keep(source: WatchedSource, hour: datetime, *, state: str = State.IMPORTED, **fields: Any) -> WatchedFile:
    given = {"version": "1", "size": 10, "arrived_at": hour + timedelta(minutes=70), "found_at": hour} | fields
    path = fields.pop("path", f"{hour:%Y-%m-%d/%H}/a")
    return WatchedFile.objects.create(
        source=source, hour=hour, is_hour_named=True, state=state, **{"path": path, **given}
    )


def test_a_source_is_made_tried_changed_and_deleted(
    org: Organisation,
    admin: Client,
    folder: Path,
) -> None:
    put(folder, "2026-11-24/13/a.ndjson", lines(1))
    url = f"file://{folder}"
    tried = text(admin.post(at(org, "test"), form(url)))
    assert "1 file would be picked up" in tried
    assert "24 Nov 2026, 13:00" in tried
    answer = admin.post(at(org, "add"), form(url), follow=True)
    assert "wins is watched" in text(answer)
    with entered(org):
        made = WatchedSource.objects.get()
        assert not WatchedFile.objects.exists()
    assert f'href="{at(org, made.pk)}"' in text(admin.get(f"/o/{org.slug}/sources/"))
    admin.post(at(org, made.pk, "change"), form(url, name="renamed", cadence="daily"))
    admin.post(at(org, made.pk, "pause"), {"paused": "1"})
    assert "Paused" in text(admin.get(at(org, made.pk)))
    admin.post(at(org, made.pk, "pause"), {"paused": "0"})
    with entered(org):
        made.refresh_from_db()
        assert (made.name, made.cadence, made.paused) == ("renamed", "daily", False)
    answer = admin.post(at(org, made.pk, "delete"), {"sure": "1"}, follow=True)
    assert "renamed is no longer watched" in text(answer)
    assert admin.get(at(org, made.pk)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "file:///etc"}, "does not allow to watch /etc"),
        ({"url": "http://169.254.169.254/"}, "is no place to watch"),
        ({"url": "s3://someone-elses"}, "own credentials are not for"),
        ({"url": "s3://b-b", "access_key_id": "AKIA"}, "This key needs its secret"),
        ({"secret": "x"}, "A secret needs the ID of its key"),
        ({"format": "xlsx"}, "Select a valid choice"),
        ({"hour_pattern": "%Y-%m"}, "lacks %d, %H"),
        ({"done_marker": "../x"}, "without a slash"),
        ({"lateness_minutes": "-1"}, "greater than or equal to 0"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    fields: dict[str, str],
    message: str,
    org: Organisation,
    admin: Client,
    folder: Path,
) -> None:
    answer = admin.post(at(org, "add"), form(f"file://{folder}") | fields)
    assert answer.status_code == 400
    assert message in answer.content.decode()
    with entered(org):
        assert not WatchedSource.objects.exists()


def test_two_of_one_name_are_refused(org: Organisation, admin: Client, source: WatchedSource) -> None:
    answer = admin.post(at(org, "add"), form(source.url, name=source.name))
    assert answer.status_code == 400
    assert "already; choose another name" in text(answer)


def test_a_secret_is_kept_encrypted_and_never_shown(
    org: Organisation,
    admin: Client,
    bucket: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bucket.put("wins/a.ndjson", lines(1))
    given = form(bucket.url, access_key_id="AKIAEXAMPLE", secret=SECRET)
    assert "1 file would be picked up" in text(admin.post(at(org, "test"), given))
    admin.post(at(org, "add"), given)
    with entered(org):
        made = WatchedSource.objects.get()
        assert unseal(org.pk, bytes(made.sealed_secret)) == SECRET
    pages = [admin.get(at(org, made.pk)), admin.get(at(org, made.pk, "edit")), admin.post(at(org, "test"), given)]
    assert not [page for page in pages if SECRET in page.content.decode()]
    # Without the secret the same key goes on to be used; another key needs one of its own.
    same = form(bucket.url, access_key_id="AKIAEXAMPLE", name="again", source=str(made.pk))
    assert "1 file would be picked up" in text(admin.post(at(org, "test"), same))
    assert admin.post(at(org, made.pk, "change"), same).status_code == 302
    assert admin.post(at(org, made.pk, "change"), same | {"access_key_id": "AKIAOTHER"}).status_code == 400
    with entered(org):
        assert unseal(org.pk, bytes(WatchedSource.objects.get().sealed_secret)) == SECRET
    admin.post(at(org, made.pk, "change"), same | {"url": "s3://x-x", "access_key_id": "", "secret": ""})
    assert SECRET not in caplog.text


def test_trying_a_connection_says_what_is_wrong_and_what_is_empty(
    org: Organisation,
    admin: Client,
    folder: Path,
) -> None:
    url = f"file://{folder}"
    assert "no file matches" in text(admin.post(at(org, "test"), form(url)))
    assert "is not there" in text(admin.post(at(org, "test"), form(f"{url}/none")))
    fragment = admin.post(
        at(org, "test"), form(f"{url}/none"), headers={"HX-Request": "true", "HX-Target": "test-result"}
    )
    assert "<html" not in text(fragment)
    assert admin.post(at(org, "test"), form(url, source="x")).status_code == 400
    assert admin.post(at(org, "test"), form(url, source=str(uuid4()))).status_code == 404


def test_the_page_says_which_hours_lack(
    org: Organisation, admin: Client, source: WatchedSource, moment: datetime
) -> None:
    now = moment.replace(minute=0, second=0, microsecond=0)
    with entered(org):
        run = FileImport.objects.create(name="a", format="ndjson", read=9, accepted=1_234, duplicate=5, rejected=2)
        WatchedSource.objects.filter(pk=source.pk).update(created_at=now - timedelta(hours=8))
        keep(source, now - timedelta(hours=8), import_id=run.pk)
        keep(source, now - timedelta(hours=7), arrived_at=now)
        keep(source, now - timedelta(hours=6))
        keep(source, now - timedelta(hours=6), path="again", is_replay=True)
        keep(source, now - timedelta(hours=5), state=State.RESTING, error="It is cut off.", tries=5)
    page = text(admin.get(at(org, source.pk)))
    # Of the hours 8 to 2 ago all are due; those of 4, 3 and 2 ago have nothing.
    assert "3 of 7 hours arrived, 1 of them late; 3 missing, 1 failed" in page
    assert "1 file, 1,234 accepted, 5 duplicate, 2 rejected" in page
    assert "It is cut off." in page
    assert "Replayed" in page
    failed = text(admin.get(at(org, source.pk) + "?files=failed"))
    assert "1 file, newest hour first" in failed
    assert admin.get(at(org, source.pk) + "?page=x").status_code == 400


def test_a_folder_and_its_events_lead_to_each_other(org: Organisation, admin: Client, source: WatchedSource) -> None:
    path = f"/o/{org.slug}/sources/from/{source.door}/"
    assert f'href="{path}"' not in text(admin.get(at(org, source.pk)))
    arrive(org, source.door, click(1))
    assert f'href="{path}"' in text(admin.get(at(org, source.pk)))
    assert f'href="{at(org, source.pk)}"' in text(admin.get(path))
    arrive(org, "watched/gone", click(2))
    assert "Its folder" not in text(admin.get(f"/o/{org.slug}/sources/from/watched/gone/"))


def test_a_failed_file_is_tried_again_by_a_button(
    org: Organisation,
    admin: Client,
    source: WatchedSource,
) -> None:
    with entered(org):
        file = keep(source, datetime(2026, 11, 24, 13, tzinfo=UTC), state=State.RESTING, error="Bad.", tries=5)
        done = keep(source, datetime(2026, 11, 24, 14, tzinfo=UTC))
    assert "is tried again" in text(admin.post(at(org, source.pk, "retry"), {"file": file.pk}, follow=True))
    with entered(org):
        file.refresh_from_db()
        assert (file.state, file.tries) == ("ready", 0)
    for number, status in ((file.pk, 404), (done.pk, 404), ("x", 400), ("9" * 30, 400)):
        assert admin.post(at(org, source.pk, "retry"), {"file": number}).status_code == status


def test_names_of_files_are_text_and_nothing_else(
    org: Organisation,
    admin: Client,
    source: WatchedSource,
) -> None:
    with entered(org):
        keep(source, datetime(2026, 11, 24, 13, tzinfo=UTC), path="<script>alert(1)</script>.csv")
    page = admin.get(at(org, source.pk)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_another_organisations_source_is_not_there(
    org: Organisation,
    admin: Client,
    source: WatchedSource,
    world: Any,
) -> None:
    for address, method in (("", "get"), ("edit", "get"), ("look", "post"), ("delete", "post"), ("retry", "post")):
        path = at(org, world.watched, *([address] if address else []))
        answer = getattr(admin, method)(path, {"sure": "1", "file": "1"})
        assert answer.status_code == 404, path


def test_two_looks_of_the_page_ask_the_same_number_of_queries(
    org: Organisation,
    admin: Client,
    source: WatchedSource,
    moment: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    now = moment.replace(minute=0, second=0, microsecond=0)
    with entered(org):
        for hour in range(60):
            run = FileImport.objects.create(name="a", format="ndjson")
            keep(source, now - timedelta(hours=hour), import_id=run.pk)
    with django_assert_max_num_queries(25):
        admin.get(at(org, source.pk))


def test_the_cards_of_many_sources_cost_no_more_questions_than_that_of_one(
    org: Organisation, source: WatchedSource, folder: Path
) -> None:
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)

    def asked() -> tuple[int, list[tuple[str, int, int]]]:
        with entered(org), CaptureQueriesContext(connection) as seen:
            cards = list_cards("UTC", now)
        told = [(one.source.name, one.failed, one.grid.counts[Completeness.FAILED]) for one in cards]
        return len(seen.captured_queries), told

    with entered(org):
        keep(source, hour, state=State.FAILED)
    one = asked()
    others = [watch(org, f"file://{folder}", name=f"other {number}") for number in range(3)]
    with entered(org):
        keep(others[0], hour)
    several = asked()
    assert one[1] == [("logs", 1, 1)]
    assert several == (one[0], [("logs", 1, 1), *((f"other {number}", 0, 0) for number in range(3))])
