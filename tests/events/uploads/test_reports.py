"""Reports of campaign performance by the upload page: columns, options, preview, import."""

import re
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from django.test import Client

from apps.events.models import FileImport, UploadState
from apps.events.reported import storing
from apps.events.uploads import running
from apps.events.uploads.reports import source_of_name
from apps.orgs.models import AuditEntry, Organisation
from apps.orgs.public import SERVICE, acting, in_schema_of
from apps.warehouse.gateway import client
from apps.warehouse.public import execute
from tests.config.launcher import free_port
from tests.support.uploads import cancel_elsewhere, kept, made_org, page, signed_in, start, upload

pytestmark = pytest.mark.usefixtures("committed", "no_queue")
REPORT = b"Report of November\nCampaign;Day;Cost;Clicks;Owner\nAutumn;01.11.2026;1.234,50;12;a@mail.example\n\
Autumn;02.11.2026;--;3;b@mail.example\nAutumn;31.11.2026;1,00;1;c@mail.example\nTotal;;1.234,50;16;\n"
SPEND = "SELECT campaign, sum(spend) AS spend FROM reported FINAL WHERE org_id = {org_id:UUID} GROUP BY campaign"


@pytest.fixture
def org() -> Organisation:
    return made_org()


@pytest.fixture
def admin(org: Organisation) -> Client:
    return signed_in(org)


def form_of(shown: str) -> dict[str, Any]:
    """The hidden fields of the form that imports."""
    form = re.search(r'action="[^"]*/import/">(.*?)</form>', shown, re.DOTALL)
    assert form is not None, "the page offers no import"
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form[1])
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def test_a_report_maps_by_itself_and_counts(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, REPORT, "Shop report november.csv")
    assert kept(org, upload_id).format == "performance"
    shown = page(admin, org, upload_id)
    assert "separated by semicolons, header in line 2" in shown
    assert "2026-11-01" in shown
    assert "1234.5" in shown
    assert "a@mail.example" not in shown
    assert "The file&#x27;s own total" in shown
    assert "1 of the first 4 rows breaks a rule" in shown
    assert "Import 3 rows" in shown
    assert admin.post(f"/o/{org.slug}/files/{upload_id}/import/", form_of(shown)).status_code == 302
    running.run_import(org, upload_id)
    found = kept(org, upload_id)
    assert (found.state, found.error) == (UploadState.IMPORTED, "")
    assert [row["spend"] for row in execute(org.pk, "test.reported", SPEND)] == [Decimal("1234.5")]
    after = page(admin, org, upload_id)
    assert "wrong_date" in after
    assert "agrees" in after
    assert "reported/?source=shop&amp;start=2026-11-01&amp;end=2026-11-02" in after
    with acting(SERVICE), in_schema_of(org):
        run = FileImport.objects.get(pk=found.import_id)
        assert (run.name, run.source, run.read, run.accepted, run.rejected) == (
            "Shop report november.csv",
            "shop",
            3,
            2,
            1,
        )
        assert AuditEntry.objects.filter(org=org, action="performance.imported").exists()


def test_columns_and_options_may_be_chosen_and_are_remembered(org: Organisation, admin: Client) -> None:
    body = b"What,When,How much\nAutumn,01/02/2026,5\nWinter,02/02/2026,6\n"
    upload_id = upload(admin, org, body, "odd.csv")
    assert kept(org, upload_id).format == ""
    assert "No column is date" in page(admin, org, upload_id, format="performance")
    chosen = {
        "format": "performance", "source": "odd-platform", "mapped_for": "odd-platform", "currency": "EUR",
        "column-0": "campaign_name", "column-1": "date", "column-2": "spend",
    }  # fmt: skip
    open_order = page(admin, org, upload_id, **chosen)
    assert "day and month cannot be told apart" in open_order
    assert "/import/" not in open_order
    shown = page(admin, org, upload_id, **chosen, date_order="mdy")
    assert "2026-01-02" in shown
    assert "Import 2 rows" in shown
    admin.post(f"/o/{org.slug}/files/{upload_id}/import/", form_of(shown))
    running.run_import(org, upload_id)
    again = upload(admin, org, body, "odd-again.csv")
    remembered = page(admin, org, again, format="performance", source="odd-platform")
    assert "Columns as the last file of odd-platform had them" in remembered
    assert (form_of(remembered)["date_order"], form_of(remembered)["currency"]) == ("mdy", "EUR")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("Facebook_ads basic-ad 2026-01.csv.gz", "facebook-ads-basic-ad"),
        ("november.csv", ""),
        ("2026-01-31 export.xlsx", ""),
        ("a" * 60 + ".tsv", "a" * 40),
        ("Отчёт.csv", ""),
    ],
)
def test_a_source_is_proposed_by_the_files_name(name: str, source: str) -> None:
    assert source_of_name(name) == source


def test_a_report_without_a_source_waits_for_one(org: Organisation, admin: Client) -> None:
    shown = page(admin, org, upload(admin, org, REPORT, "november.csv"))
    assert "Name the source" in shown
    assert "Autumn" in shown
    assert "/import/" not in shown


def test_a_second_file_of_the_same_bytes_is_told(org: Organisation, admin: Client) -> None:
    first = upload(admin, org, REPORT, "shop.csv")
    shown = page(admin, org, first)
    assert "exactly as many bytes" not in shown
    admin.post(f"/o/{org.slug}/files/{first}/import/", form_of(shown))
    running.run_import(org, first)
    again = page(admin, org, upload(admin, org, REPORT, "shop again.csv"))
    assert "exactly as many bytes" in again
    assert f"/files/{first}/" in again


def test_a_total_that_differs_is_told_before_the_import(org: Organisation, admin: Client) -> None:
    shown = page(admin, org, upload(admin, org, REPORT, "shop.csv"))
    assert "Clicks: the file&#x27;s own total is 16, the rows sum to 15" in shown
    assert "Spend: the file" not in shown
    right = REPORT.replace(b";16;", b";15;")
    assert "own total is" not in page(admin, org, upload(admin, org, right, "shop right.csv"))


def test_one_role_for_two_columns_is_said_and_the_choice_stays(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, REPORT, "shop.csv")
    chosen = {"format": "performance", "source": "x", "mapped_for": "x", "column-0": "date", "column-1": "date"}
    shown = page(admin, org, upload_id, **chosen)
    assert "are both date; choose one of them" in shown
    assert shown.count('<option value="date" selected>') == 2
    answer = admin.post(f"/o/{org.slug}/files/{upload_id}/import/", chosen)
    assert (answer.status_code, kept(org, upload_id).state) == (400, UploadState.READY)


@pytest.mark.parametrize(
    "wrong",
    [{"source": "../x"}, {"source": ""}, {"column-0": "owner"}, {"currency": "XXQ"}, {"millionths": "clicks"}],
)
def test_a_wrong_choice_is_refused(wrong: dict[str, str], org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, REPORT, "shop.csv")
    good = {"source": "s", "column-0": "campaign_name", "column-1": "date", "column-2": "spend"}
    assert start(admin, org, upload_id, "performance", **{**good, **wrong}).status_code == 400
    assert kept(org, upload_id).state == UploadState.READY


def test_a_workbook_is_recognised_and_one_with_macros_refused(org: Organisation, admin: Client, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Date", "Campaign name", "Spend"], ["2026-11-01", "Autumn", 7.25]):
        book.active.append(row)
    book.save(tmp_path / "report.xlsx")
    plain = (tmp_path / "report.xlsx").read_bytes()
    upload_id = upload(admin, org, plain, "shop.xlsx")
    assert "Import 1 row" in page(admin, org, upload_id)
    with_macros = with_file(tmp_path / "report.xlsx", "xl/vbaProject.bin")
    refused: UUID = upload(admin, org, with_macros, "report.xlsm")
    shown = page(admin, org, refused, format="performance")
    assert "macros" in shown
    assert "/import/" not in shown


def with_file(path: Path, name: str) -> bytes:
    import zipfile

    with zipfile.ZipFile(path, "a") as book:
        book.writestr(name, b"x")
    return path.read_bytes()


CHOSEN = {"source": "s", "column-0": "campaign_name", "column-1": "date", "column-2": "spend"}


def test_while_the_warehouse_is_away_a_report_waits_and_counts_once_it_is_back(
    org: Organisation, admin: Client, settings: Any
) -> None:
    upload_id = upload(admin, org, REPORT, "shop.csv")
    start(admin, org, upload_id, "performance", **CHOSEN)
    there = settings.CLICKHOUSE_URL
    settings.CLICKHOUSE_URL = f"http://127.0.0.1:{free_port()}"
    client.cache_clear()
    try:
        running.run_import(org, upload_id)
    finally:
        settings.CLICKHOUSE_URL = there
        client.cache_clear()
    found = kept(org, upload_id)
    assert (found.state, found.tries) == (UploadState.QUEUED, 1)
    assert "ClickHouse does not answer" in found.error
    running.run_import(org, upload_id)
    assert kept(org, upload_id).state == UploadState.IMPORTED
    assert [row["spend"] for row in execute(org.pk, "test.reported", SPEND)] == [Decimal("1234.5")]


def test_a_report_that_is_cancelled_after_its_last_row_does_not_count(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = upload(admin, org, REPORT, "shop.csv")
    start(admin, org, upload_id, "performance", **CHOSEN)
    lay_by = storing.stage

    def press_cancel(*given: Any, **named: Any) -> None:
        lay_by(*given, **named)
        thread = threading.Thread(target=cancel_elsewhere, args=(admin, org, upload_id))
        thread.start()
        thread.join()

    monkeypatch.setattr(storing, "stage", press_cancel)
    running.run_import(org, upload_id)
    assert kept(org, upload_id).state == UploadState.CANCELLED
    assert execute(org.pk, "test.reported", SPEND) == []


def test_what_fails_of_a_report_for_no_known_reason_is_not_said_to_have_left_nothing(
    org: Organisation, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = upload(admin, org, REPORT, "shop.csv")
    start(admin, org, upload_id, "performance", **CHOSEN)
    monkeypatch.setattr(storing, "sum_up", lambda *ids: {}["a mistake of ours"])
    running.run_import(org, upload_id)
    assert "Figures of the report may count already" in kept(org, upload_id).error


def test_a_header_alone_is_said_to_be_empty(org: Organisation, admin: Client) -> None:
    upload_id = upload(admin, org, b"Date,Campaign,Cost\n", "header.csv")
    answer = start(
        admin, org, upload_id, "performance", source="s", **{"column-0": "date", "column-1": "campaign_name",
        "column-2": "spend"},
    )  # fmt: skip
    assert answer.status_code == 302
    running.run_import(org, upload_id)
    assert "there is a header at most" in kept(org, upload_id).error


def test_brackets_without_end_are_no_names_of_columns(org: Organisation, admin: Client) -> None:
    """Looking for their ends would take the square of their number, which is a minute here."""
    assert kept(org, upload(admin, org, b"[" * 100_000, "brackets.csv")).format == ""
