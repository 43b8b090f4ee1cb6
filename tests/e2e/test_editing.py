"""Admin mode in a real browser: by mouse, keyboard and finger, without moving the page, and undone after a reload."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import Organisation
from tests.support.world import World

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def page(committed: World, open_as: Any) -> Iterator[Any]:
    """The page of the organisation, in admin mode; the organisation is what it was afterwards."""
    org = committed.orgs["buyer"]
    name = org.name
    page = open_as("org_admin")
    page.goto(f"/o/{org.slug}/about/")
    page.get_by_text("Account menu").locator("xpath=..").click()
    page.get_by_role("button", name="Admin mode").click()
    page.get_by_role("complementary", name="Admin mode").wait_for()
    page.wait_for_function("window.htmx !== undefined")
    yield page
    with acting(SERVICE):
        Organisation.objects.filter(pk=org.pk).update(name=name, time_zone="UTC")


def value(page: Any) -> Any:
    return page.locator("h1 [data-edit]")


def form(page: Any) -> Any:
    return page.get_by_role("form", name="Edit name of this organisation")


def test_double_click_edits_in_place_and_nothing_moves(page: Any, committed: World) -> None:
    box = "document.querySelector('main dl').getBoundingClientRect().top"
    before = page.evaluate(box)
    value(page).click()
    expect(form(page)).to_have_count(0)
    value(page).dblclick()
    expect(form(page)).to_be_visible()
    assert page.evaluate(box) == before
    assert Axe().run(page, options=RULES).violations_count == 0
    page.get_by_label("Name", exact=True).fill("Renamed by mouse")
    page.get_by_role("button", name="Save").click()
    expect(value(page)).to_contain_text("Renamed by mouse")
    expect(form(page)).to_have_count(0)
    assert page.evaluate(box) == before


def test_by_keyboard_alone(page: Any) -> None:
    value(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(form(page)).to_have_count(0)
    expect(value(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    expect(value(page)).to_contain_text("Typed")
    expect(value(page)).to_be_focused()
    expect(page.locator(".toast").last).to_contain_text("The name is Typed")


def test_what_is_refused_is_said_in_the_form(page: Any) -> None:
    zone = page.locator("dl [data-edit]")
    zone.focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Time zone", exact=True)
    expect(field).to_be_focused()
    field.fill("Mars/Olympus")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is not a time zone")
    expect(field).to_have_value("Mars/Olympus")
    field.fill("America/New_York")
    page.keyboard.press("Enter")
    expect(zone).to_contain_text("America/New_York")


def test_somebody_elses_change_is_shown(page: Any, committed: World) -> None:
    value(page).focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Name", exact=True)
    expect(field).to_be_focused()
    with acting(SERVICE):
        Organisation.objects.filter(pk=committed.orgs["buyer"].pk).update(name="Theirs")
    field.fill("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("changed it to Theirs meanwhile")
    page.get_by_role("button", name="Save").click()
    expect(value(page)).to_contain_text("Mine")


def test_undo_survives_a_reload_and_swaps_the_value(page: Any, committed: World) -> None:
    before = committed.orgs["buyer"].name
    value(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("To be undone")
    page.keyboard.press("Enter")
    expect(value(page)).to_contain_text("To be undone")
    page.reload()
    page.wait_for_function("window.htmx !== undefined")
    page.locator("#edits-summary").click()
    page.get_by_role("button", name="Undo name, To be undone").click()
    expect(value(page)).to_contain_text(before)
    expect(page.locator(".toast").last).to_contain_text("Undone")


def test_a_tap_edits(page: Any) -> None:
    """A finger has no double-click."""
    value(page).dispatch_event("click", {"pointerType": "touch", "detail": 1, "bubbles": True, "cancelable": True})
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
