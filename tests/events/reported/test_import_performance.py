"""`manage.py import_performance` from file to ClickHouse: what counts, what replaces what, and what is turned away."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from apps.events.models import ColumnMapping, FileImport, RejectedRow
from apps.events.reported import keeping
from apps.orgs.models import AuditEntry, Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from apps.warehouse.public import execute

pytestmark = pytest.mark.usefixtures("committed")
REPORTED = """
SELECT hour, grain, source, platform, campaign, campaign_name, currency,
       spend, impressions, clicks, conversions, revenue
FROM reported FINAL WHERE org_id = {org_id:UUID} ORDER BY hour, campaign
"""
GERMAN = """Kampagnenbericht
1. Januar 2026 – 31. Januar 2026

Tag;Kampagne;Kosten;Impr.;Klicks;Conversions;Conv.-Wert
01.01.2026;Frühling;1.234,50 €;12.000;34;1,5;99,90 €
02.01.2026;Frühling;0,06 €;1.000; --;N/A;< 10%
02.01.2026;Total Wine;5,00 €;10;1;0;0
;;;;;;
Gesamt;;1.239,55 €;13.010;35;1,5;99,90 €
"""


@pytest.fixture(scope="module")
def org(world: Any, django_db_blocker: Any) -> Organisation:
    """In New York, where a day begins at 05:00 UTC in winter."""
    with django_db_blocker.unblock():
        return make_org()


def make_org() -> Organisation:
    slug = f"reported-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example",
        time_zone="America/New_York",
    )  # fmt: skip
    return made


def load(org: Organisation, tmp_path: Path, text: str | bytes, *options: str, source: str = "") -> dict[str, Any]:
    """Import the text under a source of its own; answers the summary, with the source."""
    path, out = tmp_path / "report.csv", StringIO()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = source or f"s{uuid4().hex[:12]}"
    call_command(
        "import_performance", str(path), "--org", org.slug, "--source", source, *options, stdout=out, stderr=StringIO()
    )
    return {**json.loads(out.getvalue().strip().splitlines()[-1]), "source": source, "printed": out.getvalue()}


def reported(org: Organisation, source: str) -> list[dict[str, Any]]:
    return [row for row in execute(org.pk, "test.reported", REPORTED) if row["source"] == source]


def test_a_german_export_counts_exactly_and_its_total_is_not_summed(org: Organisation, tmp_path: Path) -> None:
    done = load(org, tmp_path, GERMAN.encode("cp1252"))
    assert (done["read"], done["accepted"], done["rejected"]) == (3, 3, 0)
    assert done["totals_that_differ"] == ["spend: the file's own total is 1,239.55, the rows sum to 1,239.56"]
    first, second, third = reported(org, done["source"])
    assert first["hour"] == datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert (first["grain"], first["campaign"], first["currency"]) == ("day", "Frühling", "EUR")
    assert (first["spend"], first["impressions"], first["conversions"]) == (Decimal("1234.5"), 12_000, Decimal("1.5"))
    assert (second["clicks"], second["conversions"], second["revenue"]) == (None, None, None)
    assert third["campaign"] == "Total Wine"


def test_the_same_file_again_changes_nothing_and_a_later_one_replaces(org: Organisation, tmp_path: Path) -> None:
    text = "Date,Campaign,Cost\n2026-01-01,a,1.50\n2026-01-01,b,2.50\n"
    source = load(org, tmp_path, text)["source"]
    once = reported(org, source)
    load(org, tmp_path, text, source=source)
    assert reported(org, source) == once
    load(org, tmp_path, "Date,Campaign,Cost\n2026-01-01,a,9\n", source=source)
    assert [row["spend"] for row in reported(org, source)] == [Decimal(9), Decimal("2.5")]


def test_rows_of_one_campaign_and_day_are_summed_within_the_file(org: Organisation, tmp_path: Path) -> None:
    text = "Date,Campaign,Ad,Cost,Clicks\n2026-01-01,a,x,1.10,--\n2026-01-01,a,y,2.20,--\n2026-01-01,a,z,--,--\n"
    (row,) = reported(org, load(org, tmp_path, text)["source"])
    assert (row["spend"], row["clicks"]) == (Decimal("3.30"), None)


def test_hours_of_a_day_are_kept_apart(org: Organisation, tmp_path: Path) -> None:
    text = (
        "Day,Hour,Campaign ID,Campaign,Cost\n1/31/2026,5 PM,9007199254740993,a,1\n1/31/2026,6 PM,9007199254740993,a,2\n"
    )
    rows = reported(org, load(org, tmp_path, text)["source"])
    assert [(row["hour"].hour, row["grain"]) for row in rows] == [(22, "hour"), (23, "hour")]
    assert {(row["campaign"], row["campaign_name"]) for row in rows} == {("9007199254740993", "a")}


BAD = {
    "2026-13-01,a,1,1,USD": "wrong_date",
    ",a,1,1,USD": "missing_field",
    "2026-01-01,,1,1,USD": "missing_field",
    "1999-01-01,a,1,1,USD": "date_out_of_range",
    "2100-01-01,a,1,1,USD": "date_out_of_range",
    "2026-01-01,=cmd|' /C calc'!A0,1,1,USD": "formula",
    "2026-01-01,a,=1+1,1,USD": "formula",
    "2026-01-01,a,-2E-18,1,USD": "negative_money",
    "2026-01-01,a,(1.00),1,USD": "negative_money",
    "2026-01-01,a,NaN,1,USD": "wrong_number",
    "2026-01-01,a,one,1,USD": "wrong_number",
    "2026-01-01,a,1.2.3,1,USD": "wrong_number",
    "2026-01-01,a,1e999,1,USD": "money_out_of_range",
    "2026-01-01,a,1,-1,USD": "negative_figure",
    "2026-01-01,a,1,1.5,USD": "not_whole",
    "2026-01-01,a,1,1,XXX": "unknown_currency",
    f"2026-01-01,{'a' * 300},1,1,USD": "text_too_long",
}


def test_bad_rows_are_kept_with_their_reason_and_the_good_ones_count(org: Organisation, tmp_path: Path) -> None:
    lines = ["Date,Campaign,Cost,Clicks,Currency", "2026-01-01,good,2E-18,1,USD", *BAD]
    done = load(org, tmp_path, "\n".join(lines))
    assert (done["accepted"], done["rejected"]) == (1, len(BAD))
    assert [(row["campaign"], row["spend"]) for row in reported(org, done["source"])] == [("good", Decimal("2E-18"))]
    with acting(SERVICE), in_schema_of(org):
        kept = RejectedRow.objects.filter(source=done["source"]).order_by("line")
        assert [row.code for row in kept] == list(BAD.values())
        assert (kept[0].line, kept[0].column) == (3, "Date")
        run = FileImport.objects.get(source=done["source"])
        assert (run.read, run.accepted, run.rejected) == (len(BAD) + 1, 1, len(BAD))
        assert run.findings["reasons"] == done["reasons"]


def test_personal_data_does_not_reach_what_is_kept_of_bad_rows(org: Organisation, tmp_path: Path) -> None:
    done = load(org, tmp_path, "Date,Campaign,Cost\n2026-01-01,for jane@example.com,x\n")
    with acting(SERVICE), in_schema_of(org):
        assert "jane@example.com" not in RejectedRow.objects.get(source=done["source"]).cells


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Day,Campaign,Cost\n01/02/2026,a,1\n", "day and month cannot be told apart"),
        ('Day,Campaign,Cost\n2026-01-02,a,"1,234"\n', "decimal and thousands marks cannot be told apart"),
        ("Day,Cost\n2026-01-02,1\n", "No column is campaign_name.*--mapping id=campaign_id"),
        ("Day,Campaign\n2026-01-02,a\n", "No column has a figure"),
        ("Day,Campaign,Cost\n", "no rows with figures"),
        ("1,2,3\n4,5,6\n", "looks like the names of columns"),
        ("Day,Campaign,Cost,Currency\n2026-01-02,a,1,USD\n2026-01-02,a,1,EUR\n", "amounts in EUR and USD"),
        (b"\x00\x01\x02\x00\x00\x03" * 50, "neither a text file nor"),
        (b"PK\x03\x04 no zip", "cut off or damaged"),
        ('Day,Campaign,Cost\n2026-01-02,"a' + "b" * 1_100_000 + ",1\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_for_certain_is_refused_whole(
    org: Organisation, tmp_path: Path, text: str | bytes, message: str
) -> None:
    source = f"refused-{uuid4().hex[:8]}"
    with pytest.raises(CommandError, match=message):
        load(org, tmp_path, text, source=source)
    assert reported(org, source) == []
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.filter(source=source).exists()


def test_figures_count_last_so_that_what_fails_before_leaves_none(
    org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"failed-{uuid4().hex[:8]}"
    monkeypatch.setattr(keeping, "record", lambda **entry: {}["the audit trail fails"])
    with pytest.raises(KeyError):
        load(org, tmp_path, "Date,Campaign,Cost\n2026-01-01,a,1\n", source=source)
    assert reported(org, source) == []
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.filter(source=source).exists()


def test_what_was_open_is_told_once_and_remembered(org: Organisation, tmp_path: Path) -> None:
    text = "Wann,Campaign,Cost\n01/02/2026,a,1\n"
    source = load(org, tmp_path, text, "--mapping", "Wann=date", "--date-order", "dmy")["source"]
    load(org, tmp_path, "Wann,Campaign,Cost\n03/02/2026,a,1\n", source=source)
    assert [row["hour"].strftime("%m-%d") for row in reported(org, source)] == ["02-01", "02-03"]
    with acting(SERVICE), in_schema_of(org):
        assert ColumnMapping.objects.get(source=source).columns["date"] == "Wann"
    # Another name for the cost: the rest is as it was.
    load(org, tmp_path, "Wann,Campaign,Amount spent\n04/02/2026,a,7\n", source=source)
    assert reported(org, source)[-1]["spend"] == Decimal(7)


def test_a_preview_shows_how_rows_are_read_and_imports_nothing(org: Organisation, tmp_path: Path) -> None:
    path, out = tmp_path / "report.tsv", StringIO()
    path.write_text("Day\tCampaign\tCost\n2026-01-02\ta\t1.5\n2026-01-02\ta\tx\nTotal\t\t1.5\n", encoding="utf-16")
    call_command("import_performance", str(path), "--org", org.slug, "--source", "seen", "--preview", stdout=out)
    assert "utf-16, separated by tabs, header in line 1" in out.getvalue()
    assert "spend 1.5" in out.getvalue()
    assert "'x' is no number" in out.getvalue()
    assert reported(org, "seen") == []


def test_two_tenants_never_mix(org: Organisation, tmp_path: Path) -> None:
    text, other = "Date,Campaign,Cost\n2026-01-01,secret,1\n", make_org()
    load(org, tmp_path, text, source="shared")
    load(other, tmp_path, text.replace("secret", "other"), source="shared")
    assert [row["campaign"] for row in reported(org, "shared")] == ["secret"]
    assert [row["campaign"] for row in reported(other, "shared")] == ["other"]
    with acting(SERVICE), in_schema_of(other):
        assert ColumnMapping.objects.count() == 1


def test_an_import_is_in_the_audit_trail(org: Organisation, tmp_path: Path) -> None:
    source = load(org, tmp_path, "Date,Campaign,Cost\n2026-01-01,a,1\n")["source"]
    with acting(SERVICE):
        entry = AuditEntry.objects.filter(org=org, action="performance.imported").latest("pk")
    assert (entry.detail["source"], entry.detail["read"]) == (source, 1)


@pytest.mark.parametrize("source", ["", "Google Ads", "a" * 41, "-a", "a/b"])
def test_a_source_is_a_plain_word(org: Organisation, tmp_path: Path, source: str) -> None:
    with pytest.raises(CommandError, match="A source is 1 to 40"):
        call_command("import_performance", str(tmp_path), "--org", org.slug, f"--source={source}")
