"""What a file is taken for before it is imported."""

import gzip
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.events.models import Upload
from apps.events.uploads import running
from apps.orgs.models import Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from tests.support.uploads import create, kept, lines, page, start, upload

pytestmark = pytest.mark.usefixtures("committed", "no_queue")


def test_the_preview_shows_events_without_personal_data(org: Organisation, admin: Client) -> None:
    body = lines(1, properties={"email": "someone@mail.example", "ip": "203.0.113.9"}) + lines(2, event_type="clack")
    shown = page(admin, org, upload(admin, org, body))
    assert "Recognised as: canonical events" in shown
    assert "someone@mail.example" not in shown
    assert "203.0.113.9" not in shown
    assert '<td class="wrong">clack</td>' in shown
    assert "1 of them breaks a rule" in shown


def test_old_events_are_taken_once_it_is_said_that_they_are_history(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1, timestamp="2024-01-01T00:00:00Z"))
    assert "Older than 90 days" in page(admin, org, upload_id)
    shown = page(admin, org, upload_id, format="ndjson", history="1")
    assert "Nothing is wrong with them" in shown
    assert '<input type="hidden" name="history" value="1">' in shown


def test_another_format_may_be_chosen_and_says_why_it_does_not_fit(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    shown = page(admin, org, upload_id, format="beeswax-win")
    assert "This is not a Beeswax win log file" in shown
    assert "Import " not in shown
    assert admin.get(f"/o/{org.slug}/files/{upload_id}/?format=x").status_code == 400


def test_a_file_of_no_known_format_shows_how_it_begins(org: Organisation, admin: Client) -> None:
    shown = page(admin, org, upload(admin, org, b"hello someone@mail.example\x1f<b>", "note.txt"))
    assert "No format was recognised" in shown
    assert "hello" in shown
    assert "someone@mail.example" not in shown


def test_a_damaged_file_is_said_to_be_damaged(org: Organisation, admin: Client) -> None:
    cut = gzip.compress(lines(*range(2000)))[:-20]
    upload_id = upload(admin, org, cut, "cut.ndjson.gz")
    assert kept(org, upload_id).lines is None
    start(admin, org, upload_id)
    running.run_import(org, upload_id)
    shown = page(admin, org, upload_id)
    assert "Nothing was imported" in shown
    assert "cut.ndjson.gz is cut off or damaged" in shown
    assert "Try again" in shown


def test_only_a_fragment_comes_for_htmx(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, lines(1))
    url = f"/o/{org.slug}/files/{upload_id}/?format=ndjson"
    shown = admin.get(url, headers={"HX-Request": "true", "HX-Target": "file-preview"}).content.decode()
    assert shown.startswith('<section class="card" id="file-preview"')


def test_a_line_without_end_is_refused_before_it_fills_memory(org: Organisation, admin: Client) -> None:
    body = b"path;total_conversions;total_conversion_value;total_null\n" + b"a" * 1_100_000
    shown = page(admin, org, upload(admin, org, gzip.compress(body), "paths.csv.gz"))
    assert "A line is longer than 1,000,000 characters" in shown


def test_the_list_says_what_waits_for_somebody(org: Organisation, admin: Client) -> None:
    upload(admin, org, b"hello", "note.txt")
    create(admin, org, 1_000, "half.ndjson")
    shown = admin.get(f"/o/{org.slug}/files/").content.decode()
    assert "Not recognised" in shown
    assert "Uploading 0 %" in shown
    assert "Choose the same file again" not in shown
    with acting(SERVICE), in_schema_of(org):
        Upload.objects.filter(name="half.ndjson").update(changed_at=timezone.now() - timedelta(minutes=1))
    later = admin.get(f"/o/{org.slug}/files/").content.decode()
    assert "Interrupted at 0 %" in later
    assert "Choose the same file again" in later
