"""Members that nothing reads are named, with what was perhaps meant; what senders' documents have is no fault."""

import json

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.events.unknown_fields import MOST, unknown_fields
from apps.orgs.models import Organisation
from tests.events.test_sources_page import admin, click, org

__all__ = ["admin", "org"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"value": 1}, "Unknown field /value, ignored; did you mean /properties/revenue?"),
        ({"source": {"platfrom": "hulu"}}, "Unknown field /source/platfrom, ignored; did you mean /source/platform?"),
        ({"platform": "hulu"}, "Unknown field /platform, ignored; did you mean /source/platform?"),
        ({"evnt_type": "click"}, "Unknown field /evnt_type, ignored; did you mean /event_type?"),
        ({"zzz/~": {}}, "Unknown field /zzz~1~0, ignored."),
        (
            {"attribution": {"data_contributors": [{"id": "a"}, {"wieght": 1}]}},
            (
                "Unknown field /attribution/data_contributors/1/wieght, ignored; "
                "did you mean /attribution/data_contributors/1/weight?"
            ),
        ),
    ],
)
def test_what_was_perhaps_meant(event: dict[str, object], told: str) -> None:
    assert [one.message for one in unknown_fields(json.dumps(event).encode())] == [told]


@pytest.mark.parametrize(
    "event",
    [
        click(1),
        {"properties": {"anything": {"goes": 1}}, "proof_hash": "0x1", "version": "1"},
        {"context": {"ip": "x", "user_agent": "y", "page": {"url": "z"}, "device": {"os": "a", "type": "tv"}}},
        {"metadata": {"dsp": "hulu", "bid_price": 2, "geo": {"zip": "1", "dma": "501"}}},
    ],
)
def test_what_is_known_is_no_fault(event: dict[str, object]) -> None:
    assert unknown_fields(json.dumps(event).encode()) == []


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_line_has_an_answer(value: object) -> None:
    wrapped = json.dumps({"source": value, "attribution": {"data_contributors": value}}).encode()
    assert len(unknown_fields(wrapped)) <= MOST
    unknown_fields(json.dumps(value).encode())


def test_what_is_nested_deeply_has_an_answer() -> None:
    deep = b'{"attribution":{"data_contributors":' + b"[" * 900 + b"]" * 900 + b"}}"
    assert unknown_fields(deep) == []
    assert unknown_fields(b"[" * 100_000) == []


@pytest.mark.usefixtures("committed")
def test_the_form_tells_them_and_shows_the_row_as_it_would_be_stored(org: Organisation, admin: Client) -> None:
    line = json.dumps({**click(1), "value": 49.9, "source": {"platfrom": "hulu", "campaign_id": "autumn"}})
    page = admin.post(f"/o/{org.slug}/sources/try/send/", {"event": line})
    told = {field.column: (field.value, field.origin) for field in page.context["fields"]}
    assert told["platform"] == ("api", "api, since none is named")
    assert told["campaign_id"] == ("autumn", "source.campaign_id")
    assert told["revenue"][0] == "0"
    html = page.content.decode()
    assert "Unknown field /value, ignored; did you mean /properties/revenue?" in html
    assert "As it would be stored" in html
    rejected = admin.post(f"/o/{org.slug}/sources/try/send/", {"event": "{}"})
    assert rejected.context["fields"] == []
