"""The tag in a page of somebody else's, in a real browser."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from apps.events.ingestor import only_ingestor
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, Scope, acting, create_api_key, create_organisation
from apps.warehouse.public import execute
from tests.config.launcher import eventually

pytestmark = pytest.mark.usefixtures("committed")
SQL = """
SELECT event_type, person_id, session_id, campaign_id, consent, revenue, JSONExtractString(properties, 'url') AS url
FROM events WHERE org_id = {org_id:UUID} ORDER BY timestamp, event_type
"""


@pytest.fixture
def org() -> Organisation:
    slug = f"tag-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example"
    )
    return made


@pytest.fixture
def shop(site: str, org: Organisation) -> Iterator[Any]:
    """Serves a page with the tag, with the given attributes and scripts."""
    with acting(SERVICE):
        _, key = create_api_key(actor=SERVICE, org=org, name="shop", scopes=[Scope.PIXEL])
    content = {"attributes": "", "before": ""}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = (
                f"<!doctype html><title>Shop</title><script>{content['before']}</script>"
                f'<script async src="{site}/tag.js" data-key="{key}" {content["attributes"]}></script>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(attributes: str = "", before: str = "") -> str:
        content.update(attributes=attributes, before=before)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    server.shutdown()
    server.server_close()


def arrived(org: Organisation, count: int) -> list[dict[str, Any]]:
    def rows() -> list[dict[str, Any]]:
        with only_ingestor() as alone:
            assert alone
            alone.drain()
        return execute(org.pk, "test.tag", SQL)

    eventually(lambda: len(rows()) >= count, "the events do not arrive")
    return rows()


def test_a_view_and_a_purchase_with_consent(browser: Browser, shop: Any, org: Organisation) -> None:
    page = browser.new_page()
    before = "window.precise={q:[]};precise.q.push(['lead',{form:'f'}])"
    page.goto(shop('data-consent="granted"', before) + "/?utm_campaign=autumn#fragment")
    page.wait_for_function("window.precise && window.precise.key")
    page.evaluate("precise('purchase', {revenue: 12.5, currency: 'EUR'})")
    page.goto("about:blank")  # whoever leaves sends what waits
    rows = arrived(org, 3)
    page.close()
    assert sorted(row["event_type"] for row in rows) == ["lead", "page_view", "purchase"]
    assert {row["campaign_id"] for row in rows} == {"autumn"}
    assert len({row["person_id"] for row in rows} - {""}) == 1
    assert {row["consent"] for row in rows} == {"granted"}
    assert sum(row["revenue"] for row in rows) == Decimal("12.5")
    assert all(row["url"].startswith("http://127.0.0.1") and "?" not in row["url"] for row in rows)


@pytest.mark.parametrize("attributes", ["", 'data-consent="denied"'])
def test_without_consent_there_is_no_identifier(
    browser: Browser, shop: Any, org: Organisation, attributes: str
) -> None:
    page = browser.new_page()
    page.goto(shop(attributes))
    page.wait_for_function("window.precise && window.precise.key")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.evaluate("precise.flush()")
    (row,) = arrived(org, 1)
    assert (row["person_id"], row["session_id"]) == ("", "")
    page.close()


STORED = "[localStorage.getItem('precise_id'), sessionStorage.getItem('precise_session')]"


def test_consent_that_is_taken_back_takes_the_identifiers_with_it(
    browser: Browser, shop: Any, org: Organisation
) -> None:
    page = browser.new_page()
    page.goto(shop('data-consent="granted"'))
    page.wait_for_function("window.precise && window.precise.key")
    assert all(page.evaluate(STORED))
    page.evaluate("precise.consent('denied', 'banner')")
    assert page.evaluate(STORED) == [None, None]
    page.evaluate("precise('lead')")
    page.evaluate("precise.flush()")
    assert page.evaluate(STORED) == [None, None]
    view, lead = sorted(arrived(org, 2), key=lambda row: row["event_type"], reverse=True)
    assert view["person_id"]
    assert (lead["consent"], lead["person_id"], lead["session_id"]) == ("denied", "", "")
    page.close()


def test_a_page_without_consent_forgets_what_an_earlier_one_kept(
    browser: Browser, shop: Any, org: Organisation
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(shop('data-consent="granted"'))
    page.wait_for_function("window.precise && window.precise.key")
    assert all(page.evaluate(STORED))
    page.goto(shop('data-consent="denied"'))
    page.wait_for_function("window.precise && window.precise.key")
    assert page.evaluate(STORED) == [None, None]
    context.close()


def test_the_consent_of_a_tcf_page_is_waited_for(browser: Browser, shop: Any, org: Organisation) -> None:
    tcf = (
        "window.__tcfapi=(c,v,f)=>{window.decide=()=>f({eventStatus:'useractioncomplete',gdprApplies:true,"
        "tcString:'CPxyz',purpose:{consents:{1:true}}},true)}"
    )
    page = browser.new_page()
    page.goto(shop("", tcf))
    page.wait_for_function("() => Boolean(window.decide)")
    page.evaluate("decide()")
    page.evaluate("precise.flush()")
    (row,) = arrived(org, 1)
    assert (row["event_type"], row["consent"]) == ("page_view", "granted")
    assert row["person_id"]
    page.close()
