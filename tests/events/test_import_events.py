"""`manage.py import_events` from file to ClickHouse: what arrives, what is counted, what is refused."""

import gzip
import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
import zstandard
from django.core.management import CommandError, call_command

from apps.events.log.models import LogRecord
from apps.events.models import FileImport, QuarantinedLine
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, acting, create_organisation, in_schema_of
from apps.warehouse.public import execute
from tests.support.world import NOW, YESTERDAY_NOON, event, import_lines, import_path

pytestmark = pytest.mark.usefixtures("committed")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PATHS = SHARED / "paths" / "PathData.csv"
BEESWAX = SHARED / "events" / "beeswax" / "batch" / "samples"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real input is not at {SHARED}")
SUMS = """
SELECT count() AS events, uniqExact(event_id) AS ids, uniqExact(person_id) AS persons,
       countIf(event_type = 'conversion') AS conversions, sum(revenue) AS revenue, sum(spend) AS spend
FROM events WHERE org_id = {org_id:UUID}
"""


@pytest.fixture
def org() -> Organisation:
    slug = f"import-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


def sums(org: Organisation) -> dict[str, object]:
    return execute(org.pk, "test.sums", SUMS)[0]


def counts(summary: dict[str, object]) -> tuple[object, ...]:
    return tuple(summary[name] for name in ("read", "accepted", "duplicate", "rejected"))


REACH = """
SELECT
    (SELECT groupBitmapMerge(persons) FROM performance WHERE org_id = {org_id:UUID}) AS by_quarter,
    (SELECT groupBitmapMerge(persons) FROM reach_days WHERE org_id = {org_id:UUID}) AS by_day
"""


@needs_shared
def test_path_data_arrives_whole_and_twice_changes_nothing(org: Organisation) -> None:
    assert counts(import_path(org.slug, PATHS, "paths")) == (397_994, 397_994, 0, 0)
    once = sums(org)
    assert (once["conversions"], once["persons"]) == (19_785, 88_387)
    assert once["revenue"] == Decimal("74802.97158721083751036")
    assert execute(org.pk, "test.reach", REACH)[0] == {"by_quarter": 88_387, "by_day": 88_387}
    assert counts(import_path(org.slug, PATHS, "paths")) == (397_994, 0, 397_994, 0)
    assert sums(org) == once


@needs_shared
def test_beeswax_wins_cost_what_the_exchange_charged(org: Organisation) -> None:
    summary = import_path(org.slug, BEESWAX / "win_log.csv.gz", "beeswax-win", "--history")
    assert counts(summary) == (38, 38, 0, 0)
    with gzip.open(BEESWAX / "win_log.csv.gz", "rt") as file:
        header, *rows = (line.split(",") for line in file)
    place = header.index("clearing_price_micros_usd")
    assert len(rows) == 37
    assert place == 17
    assert sums(org)["spend"] == Decimal("0.494580")


@needs_shared
def test_beeswax_conversions_drop_repeats_and_unexpanded_macros(org: Organisation) -> None:
    summary = import_path(org.slug, BEESWAX / "conversion_log.csv.gz", "beeswax-conversion", "--history")
    assert counts(summary) == (967, 960, 7, 0)
    assert sums(org)["revenue"] == 0


@needs_shared
def test_old_logs_without_history_are_quarantined(org: Organisation) -> None:
    assert counts(import_path(org.slug, BEESWAX / "win_log.csv.gz", "beeswax-win")) == (38, 0, 0, 38)


def test_rejected_lines_are_kept_with_code_and_field(org: Organisation) -> None:
    bad = event("impression", NOW + timedelta(hours=1), platform="hulu", campaign="c")
    summary = import_lines(
        org.slug, [json.dumps(bad).encode(), b'{"event_type": "click", "ip": "203.0.113.9"', b'{"a": 1}']
    )
    assert counts(summary) == (3, 0, 0, 3)
    with acting(SERVICE), in_schema_of(org):
        kept = list(QuarantinedLine.objects.order_by("position").values_list("position", "code", "field"))
        assert kept == [
            (1, "timestamp_in_future", "timestamp"),
            (2, "malformed_json", ""),
            (3, "missing_field", "event_type"),
        ]
        assert not QuarantinedLine.objects.filter(line__contains="203.0.113.9").exists()


def test_ip_and_email_never_reach_log_or_warehouse(org: Organisation) -> None:
    line = {**event("click", YESTERDAY_NOON, platform="hulu", campaign="c"), "user_id": "ann@example.com"}
    line["context"] = {"ip": "203.0.113.9"}
    import_lines(org.slug, [line])
    rows = execute(org.pk, "test.person", "SELECT person_id, properties FROM events WHERE org_id = {org_id:UUID}")
    assert "ann@" not in rows[0]["person_id"]
    with acting(SERVICE):
        record = LogRecord.objects.get(org=org)
        kept = zstandard.decompress(bytes(record.payload))
    assert b"203.0.113.9" not in kept
    assert b"ann@" not in kept


def test_who_denied_consent_is_counted_but_has_no_id(org: Organisation) -> None:
    line = {**event("click", YESTERDAY_NOON, platform="hulu", campaign="c"), "consent": {"status": "denied"}}
    assert counts(import_lines(org.slug, [line])) == (1, 1, 0, 0)
    assert (
        execute(org.pk, "test.person", "SELECT person_id FROM events WHERE org_id = {org_id:UUID}")[0]["person_id"]
        == ""
    )


def test_the_same_id_in_two_organisations_is_two_events(org: Organisation, committed: object) -> None:
    line = event("click", YESTERDAY_NOON, platform="hulu", campaign="same-id")
    slug = f"import-{uuid4().hex[:10]}"
    create_organisation(actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example")
    assert counts(import_lines(org.slug, [line])) == (1, 1, 0, 0)
    assert counts(import_lines(slug, [line])) == (1, 1, 0, 0)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    line = json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="c")).encode() + b"\n"
    made = {name: tmp_path / name for name in ("empty", "cut.gz", "not-json", "header-only", "commas", "missing")}
    made["empty"].write_bytes(b"")
    made["cut.gz"].write_bytes(gzip.compress(line * 100_000)[:-200])
    made["not-json"].write_bytes(b"a,b\n1,2\n")
    made["header-only"].write_bytes(b"path;total_conversions;total_conversion_value;total_null\n")
    made["commas"].write_bytes(b"path,total_conversions,total_conversion_value,total_null\na,1,1,1\n")
    return {**made, "directory": tmp_path}


@pytest.mark.parametrize(
    ("name", "file_format", "message"),
    [
        ("empty", "ndjson", "is empty"),
        ("cut.gz", "ndjson", "is cut off or damaged"),
        ("not-json", "ndjson", "is not NDJSON"),
        ("header-only", "paths", "has no events"),
        ("commas", "paths", "must be separated by semicolons, these seem to be by commas"),
        ("commas", "beeswax-win", "is not a Beeswax win log"),
        ("missing", "ndjson", "There is no file"),
        ("directory", "ndjson", "is a directory"),
        ("not-json", "parquet", "There is no format 'parquet'"),
    ],
)
def test_bad_files_are_refused_and_leave_nothing(
    org: Organisation, files: dict[str, Path], name: str, file_format: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("import_events", str(files[name]), "--org", org.slug, "--format", file_format, stdout=StringIO())
    with acting(SERVICE), in_schema_of(org):
        assert not FileImport.objects.exists()
        assert not LogRecord.objects.filter(org=org).exists()


def test_a_refused_file_takes_nothing_from_those_before_it(
    org: Organisation, files: dict[str, Path], tmp_path: Path
) -> None:
    good, out = tmp_path / "good", StringIO()
    good.write_bytes(json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="c")).encode() + b"\n")
    with pytest.raises(CommandError, match=r"cut\.gz is cut off or damaged.*Nothing of it was imported"):
        call_command(
            "import_events", str(good), str(files["cut.gz"]), "--org", org.slug, "--format", "ndjson", stdout=out
        )
    assert json.loads(out.getvalue().splitlines()[-1])["accepted"] == 1


def test_an_unknown_organisation_is_named_with_the_nearest(org: Organisation, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(b"{}")
    with pytest.raises(CommandError, match=f"There is no organisation .* Did you mean .*{org.slug}"):
        call_command("import_events", str(path), "--org", f"{org.slug}x", "--format", "ndjson")


def test_a_line_of_many_megabytes_is_one_rejection(org: Organisation, tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    good = json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="c")).encode()
    path.write_bytes(b'{"x":"' + b"y" * 30_000_000 + b'"}\n' + good + b"\n")
    assert counts(import_path(org.slug, path, "ndjson")) == (2, 1, 0, 1)
    with acting(SERVICE), in_schema_of(org):
        assert QuarantinedLine.objects.get().code == "line_too_long"
