"""Explore in a real browser: choosing, drilling, paging and copying keep the address and the keyboard's place."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.world import World

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


def test_what_is_chosen_is_shown_and_in_the_address(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/explore/?range=7d", wait_until="networkidle")
    page.locator("#by-2").focus()
    page.locator("#by-2").select_option("campaign")
    page.get_by_role("heading", name="By platform and campaign", exact=True).wait_for()
    expect(page.locator("#by-2")).to_be_focused()
    page.locator("#columns-summary").click()
    page.get_by_label("Revenue").uncheck()
    page.get_by_label("Frequency").check()
    page.get_by_role("button", name="Show these columns").click()
    page.locator("#sort-frequency").wait_for()
    assert page.locator("#sort-revenue").count() == 0
    assert "metric=frequency" in page.url
    page.locator("#sort-frequency").click()
    page.locator("th[aria-sort=descending] #sort-frequency").wait_for()
    assert "sort=-frequency" in page.url
    page.locator("#chart-clicks").click()
    page.get_by_role("heading", name="Clicks by platform and campaign").wait_for()
    assert "sort=-frequency" in page.url
    page.reload()
    page.get_by_role("heading", name="Clicks by platform and campaign").wait_for()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Frequency")


def test_from_platform_to_campaign_and_back(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/explore/?range=7d", wait_until="networkidle")
    page.get_by_role("link", name="Hulu").press("Enter")
    page.get_by_role("heading", name="By campaign", exact=True).wait_for()
    assert page.get_by_role("link", name="Platform: Hulu").is_visible()
    page.go_back()
    page.get_by_role("heading", name="By platform", exact=True).wait_for()


def test_lines_over_time_are_drawn_and_saved(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/explore/?range=7d&grain=day", wait_until="networkidle")
    page.locator("#explore-plot .scatterlayer .point").first.wait_for(state="attached")
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename.endswith(".png")
    with page.expect_download() as saved:
        page.get_by_role("link", name="XLSX").click()
    assert saved.value.suggested_filename.endswith(".xlsx")


def test_what_cannot_be_is_explained_where_it_was_chosen(world: World, open_as: Open) -> None:
    page = open_as("viewer")
    page.goto(f"/o/{world.slug('buyer')}/explore/?range=7d&grain=week", wait_until="networkidle")
    page.locator("#compare").select_option("previous")
    page.get_by_text("By week nothing is compared").wait_for()
    page.locator("#grain").select_option("day")
    page.get_by_role("heading", name="By platform and day", exact=True).wait_for()


def test_it_all_works_without_script(world: World, open_as: Open) -> None:
    page = open_as("viewer", script=False)
    page.goto(f"/o/{world.slug('buyer')}/explore/?range=7d&platform=hulu")
    page.locator("#by-1").select_option("campaign")
    page.get_by_role("button", name="Show", exact=True).click()
    assert page.get_by_role("heading", name="By campaign", exact=True).is_visible()
    assert "platform=hulu" in page.url
    assert page.get_by_text("curl").count() == 1
