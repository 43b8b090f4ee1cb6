"""Pages in a real browser: accessible, whole at 390 px, alive with htmx, and useful without JavaScript."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.world import YESTERDAY_NOON, World

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
# Standards that the product promises; best practices are advice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def pages(world: World) -> dict[str, tuple[str | None, str]]:
    """Every kind of page: who opens it, and where."""
    return {
        "sign in": (None, "/account/login/"),
        "reset": (None, "/account/password/reset/"),
        "sign in with the organisation": (None, "/account/single-sign-on/"),
        "sign-in problem": (None, "/account/single-sign-on/problem/known/"),
        "staff sign-in": (None, "/staff/"),
        "connected accounts": ("viewer", "/account/3rdparty/"),
        "organisation": ("org_admin", f"/o/{world.slug('buyer')}/about/"),
        "own edits": ("org_admin", f"/o/{world.slug('buyer')}/edits/"),
        "sign-in settings": ("org_admin", f"/o/{world.slug('buyer')}/sign-in/"),
        "used link": (None, "/sign-in/used/"),
        "sources": ("org_admin", f"/o/{world.slug('buyer')}/sources/"),
        "files": ("org_admin", f"/o/{world.slug('buyer')}/files/"),
        "no files": ("super_admin", f"/o/{world.slug('platform')}/files/"),
        "source": ("org_admin", f"/o/{world.slug('buyer')}/sources/from/file/ndjson/?by=hour"),
        "live events": ("org_admin", f"/o/{world.slug('buyer')}/sources/events/"),
        "event": (
            "org_admin",
            f"/o/{world.slug('buyer')}/sources/events/golden-click-hulu-autumn-0-{YESTERDAY_NOON:%Y%m%d}/",
        ),
        "test event": ("org_admin", f"/o/{world.slug('buyer')}/sources/try/"),
        "quarantine": ("org_admin", f"/o/{world.slug('buyer')}/sources/quarantine/malformed_json/"),
        "flow": ("super_admin", "/console/flow/"),
        "watched folder": ("org_admin", f"/o/{world.slug('buyer')}/sources/watched/{world.watched}/"),
        "watch a folder": ("org_admin", f"/o/{world.slug('buyer')}/sources/watched/new/"),
        "edit a watched folder": ("org_admin", f"/o/{world.slug('buyer')}/sources/watched/{world.watched}/edit/"),
        "overview": ("viewer", f"/o/{world.slug('buyer')}/?range=7d"),
        "reported": ("viewer", f"/o/{world.slug('buyer')}/reported/?range=7d"),
        "explore": (
            "viewer",
            f"/o/{world.slug('buyer')}/explore/?range=7d&by=platform,campaign&grain=day&compare=previous&metric=spend,reach",
        ),
        "explore in all": ("viewer", f"/o/{world.slug('buyer')}/explore/?range=7d&by=&choose=filters"),
        "nothing to explore": ("super_admin", f"/o/{world.slug('platform')}/explore/"),
        "nothing reported": ("super_admin", f"/o/{world.slug('platform')}/reported/"),
        "filters": ("viewer", f"/o/{world.slug('buyer')}/?range=7d&platform=hulu&by=device&choose=filters"),
        "no match": ("viewer", f"/o/{world.slug('buyer')}/?range=7d&device=none"),
        "empty overview": ("super_admin", f"/o/{world.slug('platform')}/"),
        "range without data": ("viewer", f"/o/{world.slug('buyer')}/?start=2030-01-01&end=2030-01-05"),
        "wrong range": ("viewer", f"/o/{world.slug('buyer')}/?start=2020-01-01&end=2026-01-05"),
        "reach": ("viewer", f"/o/{world.slug('buyer')}/reach/?range=7d"),
        "reach of nothing": ("super_admin", f"/o/{world.slug('platform')}/reach/"),
        "geography": ("viewer", f"/o/{world.slug('buyer')}/geography/?range=7d"),
        "state": ("viewer", f"/o/{world.slug('buyer')}/geography/?range=7d&state=NY"),
        "explained": ("org_admin", f"/o/{world.slug('buyer')}/explain/cpm/?range=7d&platform=hulu"),
        "campaign": ("viewer", f"/o/{world.slug('buyer')}/campaigns/autumn/?range=7d"),
        "universe": ("org_admin", f"/o/{world.slug('buyer')}/reach/universe/"),
        "earnings": ("data_owner", f"/o/{world.slug('owner')}/"),
        "console": ("super_admin", "/console/"),
        "users": ("super_admin", "/console/users/"),
        "user": ("super_admin", f"/console/users/{world.personas['viewer'].pk}/"),
        "managed users": ("campaign_manager", "/console/users/?state=one_step"),
        "system": ("super_admin", "/console/system/"),
        "roles": ("super_admin", "/console/roles/"),
        "profile": ("org_admin", "/profile/"),
        "new organisation": ("super_admin", "/console/organisations/new/"),
        "organisation in the console": ("super_admin", f"/console/organisations/{world.slug('buyer')}/"),
        "API keys": ("org_admin", f"/o/{world.slug('buyer')}/api-keys/"),
        "API reference": (None, "/api/v1/docs/"),
        "people": ("org_admin", f"/o/{world.slug('buyer')}/people/"),
        "person": ("org_admin", f"/o/{world.slug('buyer')}/people/{world.personas['viewer'].pk}/"),
        "audit": ("org_admin", f"/o/{world.slug('buyer')}/audit/"),
        "audit of all": ("super_admin", "/console/audit/"),
        "not found": ("viewer", f"/o/{world.slug('rival')}/"),
        "wrong role": ("marketer", f"/o/{world.slug('buyer')}/earnings/"),
        "bad filter": ("viewer", f"/o/{world.slug('buyer')}/?by=x"),
        "two-step": ("viewer", "/account/2fa/"),
        "password": ("viewer", "/account/password/change/"),
    }


NAMES = (
    "sign in", "reset", "used link", "sources", "source", "live events", "event", "test event", "quarantine", "flow",
    "overview", "empty overview", "range without data", "earnings", "console", "people", "person", "audit",
    "audit of all", "not found", "wrong role", "bad filter", "two-step", "password", "reported", "nothing reported",
    "filters", "no match", "explore", "explore in all", "nothing to explore",
    "watched folder", "watch a folder", "edit a watched folder",
    "files", "no files", "new organisation", "organisation in the console", "users", "user", "managed users",
    "roles", "profile", "system",
    "API keys", "API reference", "wrong range",
    "reach", "reach of nothing", "universe", "geography", "state", "campaign", "explained",
    "sign in with the organisation", "sign-in problem", "staff sign-in", "connected accounts", "sign-in settings",
    "organisation", "own edits",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_page_is_accessible_and_fits(name: str, world: World, open_as: Open) -> None:
    persona, path = pages(world)[name]
    page = open_as(persona)
    for theme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path, wait_until="networkidle")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{name}, {theme}, {width} px:\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            f"{name} is wider than {width} px"
        )


def test_choosing_a_metric_changes_the_chart_and_the_url(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?range=7d")
    page.locator("#metric-cpm").click()
    page.get_by_role("heading", name="CPM by day").wait_for()
    assert "metric=cpm" in page.url
    assert "range=7d" in page.url
    page.go_back()
    page.get_by_role("heading", name="Revenue by day").wait_for()


def test_filters_are_chosen_and_taken_away_one_by_one(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?range=7d", wait_until="networkidle")
    page.locator("#metric-cpm").click()
    page.get_by_role("heading", name="CPM by day").wait_for()
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Hulu").check()
    page.get_by_label("Linear TV").check()
    page.get_by_label("autumn").check()
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("link", name="Platform: Linear TV").click()
    page.get_by_role("link", name="Platform: Linear TV").wait_for(state="detached")
    query = sorted(page.url.partition("?")[2].split("&"))
    assert query == ["campaign=autumn", "metric=cpm", "platform=hulu", "range=7d"]
    page.get_by_role("link", name="Clear all").click()
    page.locator(".filter-chips").wait_for(state="detached")
    assert page.url.endswith("?range=7d&metric=cpm")


def test_dates_the_wrong_way_round_are_explained_in_the_panel_that_stays(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?range=30d", wait_until="networkidle")
    page.locator("#range-summary").click()
    last = page.locator("#range-end").input_value()
    page.locator("#range-end").fill(page.locator("#range-start").input_value())
    page.locator("#range-start").fill(last)
    page.get_by_role("button", name="Show these dates").click()
    page.get_by_text("must not end before it begins").wait_for()
    assert page.locator("#range-start").is_visible()
    assert page.locator(".toast").count() == 0
    page.locator("#range-end").fill(last)
    page.get_by_role("button", name="Show these dates").click()
    page.get_by_text("Range 1 day").wait_for()


def test_the_chosen_metric_is_in_view_on_a_phone(world: World, open_as: Open) -> None:
    page = open_as("viewer", width=390)
    page.goto(f"/o/{world.slug('buyer')}/?range=7d&metric=roas", wait_until="networkidle")
    box = page.locator("#metric-roas").bounding_box()
    assert box["x"] + box["width"] <= 390


def test_the_chart_is_drawn(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?range=7d")
    bars = page.locator(".js-plotly-plot .bars .point")
    bars.first.wait_for(state="attached")
    assert bars.count() >= 1


def test_a_point_is_explained_in_the_words_of_the_page(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?start={YESTERDAY_NOON:%Y-%m-%d}&end={YESTERDAY_NOON:%Y-%m-%d}&metric=ctr")
    page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for(state="attached")
    page.locator("#trend-chart").hover()
    tip = page.locator(".chart-tip")
    tip.wait_for(state="visible")
    assert "16.67 %" in tip.inner_text()


def test_a_definition_opens_by_keyboard(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/", wait_until="networkidle")
    about = page.locator("#about-cpm")
    page.locator("#term-cpm").focus()
    about.wait_for(state="visible", timeout=5_000)
    assert "Spend per 1,000 impressions" in about.inner_text()
    page.keyboard.press("Escape")
    about.wait_for(state="hidden", timeout=5_000)


def test_a_definition_leads_to_the_explanation_by_keyboard(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/?range=7d", wait_until="networkidle")
    page.locator("#term-cpm").focus()
    page.locator("#about-cpm").wait_for(state="visible", timeout=5_000)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Explain this number"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="CPM, explained").wait_for()
    assert page.get_by_text("give exactly this").is_visible()


def test_a_state_pressed_on_the_map_shows_its_zip_codes(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/geography/?range=7d", wait_until="networkidle")
    page.locator('#map-drawn [data-name="Colorado"]').click()
    page.get_by_role("heading", name="Colorado", level=1).wait_for()
    assert page.url.endswith("?range=7d&state=CO")
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename.startswith(f"{world.slug('buyer')}-map-impressions-")


def test_reach_begins_with_the_platform_that_is_pressed(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/reach/?range=7d", wait_until="networkidle")
    assert page.locator("#build-up-table tbody th").first.inner_text().startswith("Hulu")
    page.locator("#begin-linear").click()
    page.locator("#begin-linear[aria-current]").wait_for()
    assert page.locator("#build-up-table tbody th").first.inner_text().startswith("Linear TV")
    assert "begin=linear" in page.url
    page.locator("#times-at-least").click()
    page.get_by_role("heading", name="Persons by least frequency").wait_for()
    assert "begin=linear" in page.url


def test_the_theme_stays(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": page.url}])
    page.goto(f"/o/{world.slug('buyer')}/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_figures_stand_without_javascript(world: World, open_as: Open) -> None:
    page = open_as("viewer", script=False)
    page.goto(f"/o/{world.slug('buyer')}/?range=7d")
    assert page.get_by_text("$40.00").first.is_visible()
    page.get_by_role("link", name="Campaign", exact=True).click()
    assert "by=campaign" in page.url


def test_signing_out_ends_the_session(world: World, open_as: Open, tmp_path: Path) -> None:
    page = open_as("viewer")
    page.goto("/account/logout/")
    page.locator("main button[type=submit]").first.click()
    page.goto(f"/o/{world.slug('buyer')}/")
    assert "/account/login/" in page.url


def test_a_test_event_is_judged_in_place(world: World, open_as: Open) -> None:
    page = open_as("org_admin")
    page.goto(f"/o/{world.slug('buyer')}/sources/try/", wait_until="networkidle")
    page.get_by_role("button", name="Check the event").click()
    page.get_by_role("heading", name="200 OK").wait_for()
    page.locator("#event").fill("")
    page.get_by_role("button", name="Check the event").click()
    page.get_by_text("Paste an event").wait_for()


def test_live_rows_come_by_themselves_and_pause(world: World, open_as: Open) -> None:
    page = open_as("org_admin")
    page.goto(f"/o/{world.slug('buyer')}/sources/events/", wait_until="networkidle")
    with page.expect_response(lambda answer: "/sources/events/" in answer.url):
        pass
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_text("Paused at").is_visible()
    page.get_by_role("button", name="Go on").click()
    assert page.locator("[data-live-words]").inner_text() == "Live"
