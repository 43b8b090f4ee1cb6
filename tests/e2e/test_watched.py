"""The grid of hours in a real browser: one stop for the Tab key, arrows within, explained on focus and on hover."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.events.models import WatchedSource
from tests.support.watched import entered
from tests.support.world import World

pytestmark = pytest.mark.browser


@pytest.fixture
def hours(committed: World) -> World:
    """Three hours of the buyer's watched folder, the middle one failed. It has these only, whenever it is asked for."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    with entered(committed.orgs["buyer"]):
        source = WatchedSource.objects.get(pk=committed.watched)
        source.files.all().delete()
        for back, state in ((26, "imported"), (25, "resting"), (24, "imported")):
            hour = now - timedelta(hours=back)
            source.files.create(
                path=f"{hour:%d/%H}", version="1", size=1, hour=hour, is_hour_named=True, state=state,
                arrived_at=hour, found_at=hour, error="It is cut off." if state == "resting" else "",
            )  # fmt: skip
    return committed


@pytest.mark.parametrize("width", [1440, 390])
def test_the_grid_is_walked_by_keys_and_each_hour_is_explained(
    width: int, hours: World, open_as: Callable[..., Any]
) -> None:
    page = open_as("org_admin", width=width)
    page.goto(f"/o/{hours.slug('buyer')}/sources/watched/{hours.watched}/", wait_until="networkidle")
    assert page.locator(".hour[popovertarget][tabindex='0']").count() == 1
    failed = page.locator(".hour-failed[popovertarget]")
    failed.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    first = page.evaluate("document.activeElement.textContent")
    assert ": received." in first
    failed.focus()
    about = page.locator(f"#{failed.get_attribute('popovertarget')}")
    about.wait_for(state="visible")
    page.keyboard.press("End")
    about.wait_for(state="hidden")
    point_at(failed)
    about.wait_for(state="visible")
    assert "1 file, 1 failed" in about.inner_text()


def test_scrolling_neither_swallows_an_explanation_nor_hides_what_the_keyboard_reached(
    hours: World, open_as: Callable[..., Any]
) -> None:
    page = open_as("org_admin", width=390)
    page.goto(f"/o/{hours.slug('buyer')}/sources/watched/{hours.watched}/", wait_until="networkidle")
    failed = page.locator(".hour-failed[popovertarget]")
    about = page.locator(f"#{failed.get_attribute('popovertarget')}")
    failed.evaluate("""cell => document.addEventListener("pointerover", event => {
        if (event.target.closest(".hour") === cell) dispatchEvent(new Event("scroll"));
    })""")  # late, from what brought the cell under the pointer
    point_at(failed)
    about.wait_for(state="visible")
    page.evaluate("dispatchEvent(new Event('scroll'))")
    about.wait_for(state="hidden")
    page.keyboard.press("Tab")
    failed.focus()
    about.wait_for(state="visible")
    page.evaluate("dispatchEvent(new Event('scroll'))")
    assert about.is_visible()


def point_at(cell: Any) -> None:
    """The mouse comes to the cell from elsewhere, and finds it where neither the top bar nor a popover covers it."""
    cell.page.mouse.move(0, 0)
    cell.evaluate("""async cell => {
        cell.scrollIntoView({block: "center"});
        await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
    }""")
    cell.hover()


def test_the_grid_stands_as_a_table_too(hours: World, open_as: Callable[..., Any]) -> None:
    page = open_as("org_admin", script=False)
    page.goto(f"/o/{hours.slug('buyer')}/sources/watched/{hours.watched}/")
    page.get_by_text("View as table").click()
    assert page.get_by_role("region", name="Completeness: table").get_by_text("Failed").first.is_visible()
