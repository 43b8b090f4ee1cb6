"""`POST /api/v1/query`: golden figures, pages, files with types, and refusals that say what would be right."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from apps.omg.dimensions import Dimension
from apps.omg.metrics import EVERY
from apps.orgs.permissions import Scope
from tests.api.conftest import Asker
from tests.support.world import YESTERDAY_NOON

pytestmark = pytest.mark.django_db
Ask = Callable[..., Asker]
PATH = "/api/v1/query"
INJECTED = "'; DROP TABLE events; --"


@pytest.fixture
def buyer(ask: Ask) -> Asker:
    return ask("buyer", Scope.READ_METRICS)


def file_of(asker: Asker, body: dict[str, Any], accept: str, **headers: str) -> Any:
    client = Client(headers={**asker.headers, "Accept": accept, **headers})
    return client.post(PATH, json.dumps(body), content_type="application/json")


def test_rows_totals_and_order(buyer: Asker) -> None:
    """Hulu: four impressions at 20 and a click; linear: two at 10; reach 4, 2, and 4 of both."""
    asked = {"metrics": ["spend", "reach", "ctr"], "dimensions": ["platform"], "range": "7d"}
    status, found = buyer.post(PATH, asked)
    assert status == 200
    assert [row["dimensions"] for row in found["items"]] == [{"platform": "hulu"}, {"platform": "linear"}]
    assert [row["metrics"] for row in found["items"]] == [
        {"spend": "0.08", "reach": "4", "ctr": "0.25"}, {"spend": "0.02", "reach": "2", "ctr": "0"},
    ]  # fmt: skip
    assert found["totals"] == {"metrics": {"spend": "0.1", "reach": "4", "ctr": "0.166667"}}
    assert (found["count"], found["next"], found["currency"], found["left_out"]) == (2, None, "USD", {})
    assert found["provisional"] is True
    assert found["as_of"].endswith("Z")


def test_filters_grain_and_comparison(buyer: Asker) -> None:
    day = f"{YESTERDAY_NOON:%Y-%m-%d}"
    asked = {
        "metrics": ["impressions"], "grain": "day", "filters": {"platform": ["hulu"], "device": [""]},
        "range": {"start": day, "end": day}, "compare": {"start": "2001-01-01", "end": "2001-01-01"},
    }  # fmt: skip
    _, found = buyer.post(PATH, asked)
    (row,) = found["items"]
    assert (row["time"], row["metrics"], row["before"], row["change"]) == (
        day, {"impressions": "4"}, {"impressions": "0"}, {"impressions": None},
    )  # fmt: skip
    assert found["compared_with"] == {"start": "2001-01-01", "end": "2001-01-01"}


def test_hours_say_their_offset(buyer: Asker) -> None:
    _, found = buyer.post(
        PATH, {"metrics": ["clicks"], "grain": "hour", "range": "7d", "filters": {"platform": ["hulu"]}}
    )
    assert [row["time"] for row in found["items"]] == [f"{YESTERDAY_NOON:%Y-%m-%dT12:00:00}Z"]


def test_pages_join_up(buyer: Asker) -> None:
    asked = {"metrics": ["events"], "dimensions": ["platform", "campaign"], "range": "90d", "limit": 1}
    seen, body = [], dict(asked)
    while True:
        _, found = buyer.post(PATH, body)
        seen += found["items"]
        if found["next"] is None:
            break
        body = {**asked, "cursor": found["next"]}
    _, whole = buyer.post(PATH, {**asked, "limit": 100})
    assert seen == whole["items"]
    assert found["count"] == len(seen) == 3
    other = {**body, "metrics": ["clicks"]}
    assert buyer.post(PATH, other)[1]["code"] == "bad_cursor"


def test_files_have_typed_columns(buyer: Asker) -> None:
    metrics = ["spend", "impressions", "ctr", "cpm"]
    asked = {"metrics": metrics, "dimensions": ["campaign"], "grain": "day", "range": "7d", "limit": 1}
    answer = file_of(buyer, asked, "application/vnd.apache.parquet")
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert "Accept" in answer["Vary"]
    parquet = pq.read_table(io.BytesIO(answer.content))
    arrow = pa.ipc.open_stream(file_of(buyer, asked, "application/vnd.apache.arrow.stream").content).read_all()
    assert parquet.schema.equals(arrow.schema)
    assert {field.name: str(field.type) for field in parquet.schema} == {
        "campaign": "string", "time": "date32[day]", "spend": "decimal128(38, 18)", "impressions": "int64",
        "ctr": "double", "cpm": "decimal128(38, 6)",
    }  # fmt: skip
    assert parquet.schema.metadata[b"currency"] == b"USD"
    (row,) = parquet.to_pylist()
    assert row == {
        "campaign": "autumn", "time": YESTERDAY_NOON.date(), "spend": Decimal("0.1"), "impressions": 6,
        "ctr": pytest.approx(1 / 6), "cpm": Decimal("16.666667"),
    }  # fmt: skip
    following = file_of(buyer, {**asked, "cursor": answer["X-Next-Cursor"]}, "text/csv;q=0.9, application/json;q=0.1")
    (line,) = csv.DictReader(following.content.decode().splitlines())
    assert (line["campaign"], line["time"]) == ("brand", f"{YESTERDAY_NOON:%Y-%m-%d}")
    assert [line[name] for name in metrics] == ["0", "0", "", ""]
    assert "X-Next-Cursor" not in following


@pytest.mark.parametrize("accept", ["*/*", "", "image/png", "application/json, text/csv;q=0.1"])
def test_whatever_else_is_accepted_json_is_what_there_is(buyer: Asker, accept: str) -> None:
    assert file_of(buyer, {"metrics": ["spend"]}, accept)["Content-Type"] == "application/json"


def test_errors_are_problems_even_for_files(buyer: Asker) -> None:
    answer = file_of(buyer, {"metrics": ["spnd"]}, "application/vnd.apache.parquet")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")


def test_every_metric_and_dimension_can_be_asked(buyer: Asker) -> None:
    for dimension in Dimension:
        status, found = buyer.post(PATH, {"metrics": list(EVERY), "dimensions": [dimension], "range": "7d"})
        assert (status, set(found["items"][0]["metrics"])) == (200, set(EVERY))


def test_asking_anew_says_the_same(buyer: Asker) -> None:
    asked = {"metrics": ["spend", "reach"], "dimensions": ["campaign"], "range": "90d"}
    kept = [file_of(buyer, asked, "*/*").json() for _ in range(2)]
    assert kept[0]["items"] == kept[1]["items"]
    anew = file_of(buyer, asked, "*/*", **{"Cache-Control": "no-cache"}).json()
    assert anew["items"] == kept[0]["items"]


def test_two_tenants_never_mix(ask: Ask) -> None:
    rival = ask("rival", Scope.READ_METRICS)
    asked: dict[str, Any] = {"metrics": ["revenue"], "dimensions": ["campaign"], "range": "7d"}
    assert [row["dimensions"]["campaign"] for row in rival.post(PATH, asked)[1]["items"]] == ["rivals-secret"]
    status, problem = rival.post(PATH, {**asked, "filters": {"campaign": ["autumn"]}})
    assert (status, problem["code"], problem["pointer"]) == (404, "not_found", "/filters/campaign")
    assert rival.post(PATH, {**asked, "filters": {"campaign": ["there-is-none"]}})[0] == 404


GOOD: dict[str, Any] = {"metrics": ["spend"]}
DAY = {"start": "2026-01-01", "end": "2026-01-01"}


@pytest.mark.parametrize(
    ("changed", "pointer", "words"),
    [
        ({"metrics": ["spnd"]}, "/metrics/0", "did you mean spend?"),
        ({"metrics": ["spend", INJECTED]}, "/metrics/1", "use one of spend"),
        ({"metrics": []}, "/metrics", "at least 1"),
        ({"metrics": "spend"}, "/metrics", "list"),
        ({"metrics": [{"a": 1}]}, "/metrics/0", "There is no metric"),
        ({"dimensions": ["campain"]}, "/dimensions/0", "did you mean campaign?"),
        ({"dimensions": [INJECTED]}, "/dimensions/0", "There is no dimension"),
        ({"dimensions": ["platform", "device", "country", "campaign"]}, "/dimensions", "no more than 3"),
        ({"filters": {"platfrom": ["hulu"]}}, "/filters/platfrom", "did you mean platform?"),
        ({"filters": {INJECTED: ["hulu"]}}, f"/filters/{INJECTED}", "is not known"),
        ({"filters": {"platform": "hulu"}}, "/filters/platform", "list"),
        ({"filters": {"platform": ["x" * 301]}}, "/filters/platform/0", "300"),
        ({"filters": {"platform": ["\0"]}}, "/filters/platform/0", "Null characters"),
        ({"filters": {"device": [str(n) for n in range(10_000)]}}, "/filters/device", "1000"),
        ({"grain": "fortnight"}, "/grain", "There is no grain"),
        ({"grain": INJECTED}, "/grain", "use one of hour"),
        ({"range": "31d"}, "/range", "did you mean"),
        ({"range": INJECTED}, "/range", "There is no range"),
        ({"range": {"start": "2026-02-01", "end": "2026-01-01"}}, "/range", "must not end before"),
        ({"range": {"start": "2026-02-30", "end": "2026-03-01"}}, "/range", "must both be days"),
        ({"range": {"start": "0001-01-01", "end": "0001-01-02"}}, "/range", "within 1971"),
        ({"range": {"start": "2020-01-01", "end": "2026-01-01"}}, "/range", "at most 731 days"),
        ({"range": {"start": "2026-01-01"}}, "/range", "start and end"),
        ({"range": 7}, "/range", "start and end"),
        ({"compare": "last"}, "/compare", "There is no range"),
        ({"compare": DAY, "range": DAY}, "/compare", "must end before"),
        ({"compare": "previous", "grain": "week"}, "/compare", "By week nothing is compared"),
        ({"order": ["-clicks"]}, "/order", "There is no column to order by"),
        ({"order": [INJECTED]}, "/order", "use one of spend"),
        ({"limit": 0}, "/limit", "1"),
        ({"limit": 10_001}, "/limit", "at most 10,000 rows"),
        ({"limit": INJECTED}, "/limit", "integer"),
        ({"cursor": INJECTED}, "/cursor", "exactly as"),
        ({"cursor": "MS5hYmM"}, "/cursor", "exactly as"),
        ({"metric": ["spend"]}, "/metric", "did you mean metrics?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(buyer: Asker, changed: Any, pointer: str, words: str) -> None:
    status, problem = buyer.post(PATH, {**GOOD, **changed})
    assert (status, problem["pointer"]) == (422, pointer)
    assert words in problem["detail"]


@pytest.mark.parametrize(
    "body", [b'{"metrics":["\\ud800"]}', b"[]", b"null", b'"x"', b'{"metrics":["spend"],"limit":1e400}']
)
def test_bodies_that_are_no_question(buyer: Asker, body: bytes) -> None:
    assert buyer.post(PATH, body)[0] in {400, 422}


def test_values_that_look_like_sql_are_only_values(buyer: Asker) -> None:
    filters = {one.value: [INJECTED, "' OR 1=1 --", "{org_id:UUID}", "\\'"] for one in Dimension if one != "campaign"}
    status, found = buyer.post(PATH, {**GOOD, "filters": filters})
    assert (status, found["items"]) == (200, [])


def test_a_range_in_the_future_is_empty(buyer: Asker) -> None:
    status, found = buyer.post(PATH, {**GOOD, "range": {"start": "2099-01-01", "end": "2099-01-31"}, "compare": "year"})
    assert (status, found["items"], found["totals"]["metrics"]) == (200, [], {"spend": "0"})
    assert date.fromisoformat(found["compared_with"]["start"]) == date(2098, 1, 1)
