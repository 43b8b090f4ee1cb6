"""A real web process and a real browser. Without Chromium these tests are skipped, and say how to get it."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from apps.accounts.public import set_password
from apps.orgs.public import SERVICE, acting
from tests.support.site import Site
from tests.support.world import World

# Playwright's loop runs in this thread for the rest of the session; Django would refuse queries beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
PASSWORD = "a-passphrase-for-the-browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(world: World, django_db_blocker: Any) -> Iterator[str]:
    """The address of a granian that serves the tests' own database."""
    with django_db_blocker.unblock(), acting(SERVICE):
        for user in world.personas.values():
            set_password(user=user, password=PASSWORD)
    with Site() as running:
        yield running.address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: as root, `apt-get install chromium`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_as(browser: Browser, site: str, world: World) -> Iterator[Any]:
    """A signed-in page for a persona, at a size and in a theme; what the browser complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(persona: str | None, *, width: int = 1440, theme: str = "light", script: bool = True) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            reduced_motion="reduce",  # nothing is half-way to another colour when it is looked at
            base_url=site,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        if persona is not None:
            page.goto("/account/login/")
            page.get_by_label("E-mail").fill(world.personas[persona].email)
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.locator("main button[type=submit]").first.click()
            page.wait_for_url(lambda url: "/account/login" not in url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(message: Any) -> bool:
    """Errors, and all that the Content-Security-Policy stops; a 4xx that a test asks for is the test's business."""
    asked_for = ("Failed to load resource", "Response Status Error Code 4")
    return message.type == "error" and not message.text.startswith(asked_for)
