"""A file from the desk to the figures, in a real browser with a real worker."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.config.launcher import eventually
from tests.e2e.test_pages import RULES
from tests.events.test_ingestor import drain
from tests.support.world import YESTERDAY_NOON, World, event

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]
Open = Callable[..., Any]
PADDING = "x" * 500


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1", "--loglevel=ERROR"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    process = subprocess.Popen([*command, *quiet], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Some 14 MB: several pieces."""
    mark, path = uuid4().hex, tmp_path / f"desk-{uuid4().hex[:6]}.ndjson"
    made = event("click", YESTERDAY_NOON, platform="hulu", campaign="from-the-desk")
    with path.open("w") as file:
        for number in range(18_000):
            file.write(json.dumps({**made, "event_id": f"{mark}-{number}", "properties": {"note": PADDING}}) + "\n")
    return path


def check(page: Any) -> None:
    for theme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # no colour is on its way
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        eventually(lambda: page.evaluate("document.getAnimations().length") == 0, what="the page to come to rest")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{page.url}, {theme}:\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url}, {width} px"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_file_is_dropped_paused_resumed_and_imported(world: World, open_as: Open, worker: None, large: Path) -> None:
    page = open_as("org_admin")
    page.goto(f"/o/{world.slug('buyer')}/files/")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 6_000_000}
    session.send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#drop-input", large)
    row = page.locator(".transfer")
    row.get_by_text(re.compile(r"([3-9]|1\d)(\.\d)? MB of 1\d\.\d MB")).wait_for()
    page.get_by_role("button", name=f"Pause {large.name}").click()
    row.get_by_text(re.compile("Paused at")).wait_for()
    check(page)
    # The tab is closed, and another day the same file is chosen again: what arrived is not sent twice.
    pieces: list[int] = []
    answers: list[str] = []
    page.on("response", lambda one: answers.append(f"{one.request.method} {one.status} {one.url}"))
    page.reload()
    session.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    page.on("request", lambda one: pieces.append(int(one.headers["upload-offset"])) if one.method == "PATCH" else None)
    page.set_input_files("#drop-input", large)
    page.wait_for_url(re.compile(r"/files/[0-9a-f-]{36}/$"), timeout=20_000)
    assert pieces[0] >= 2 * 1024 * 1024, answers
    page.get_by_role("heading", name="Preview").wait_for()
    check(page)
    page.get_by_role("button", name=re.compile(r"Import (about )?1\d,\d\d\d lines")).click()
    page.get_by_text("events are processed").wait_for(timeout=30_000)
    drain()
    accepted = page.locator(".figure", has_text="Accepted").locator(".figure-value")
    accepted.get_by_text("18,000").wait_for(timeout=10_000)
    check(page)
    page.goto(f"/o/{world.slug('buyer')}/files/")
    page.get_by_role("link", name=large.name).wait_for()
    check(page)


def test_what_cannot_be_taken_is_said_and_not_sent(world: World, open_as: Open, tmp_path: Path) -> None:
    page = open_as("org_admin")
    page.goto(f"/o/{world.slug('buyer')}/files/")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    empty, huge = tmp_path / "empty.csv", tmp_path / "huge.csv"
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(101_000_000)
    page.set_input_files("#drop-input", [empty, huge])
    page.locator(".transfer").get_by_text("The file is empty; there is nothing to import.").wait_for()
    page.locator(".transfer").get_by_text("The file has 101 MB; at most 100 MB are taken.").wait_for()
    assert sent == []
    page.get_by_role("button", name="Cancel empty.csv").click()
    assert page.locator(".transfer").count() == 1


def test_a_file_goes_up_and_in_without_javascript(world: World, open_as: Open, worker: None, tmp_path: Path) -> None:
    page = open_as("org_admin", script=False)
    page.goto(f"/o/{world.slug('buyer')}/files/")
    path = tmp_path / "plain.ndjson"
    path.write_text(json.dumps(event("click", YESTERDAY_NOON, platform="hulu", campaign="plain")) + "\n")
    page.set_input_files("#drop-input", path)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("button", name="Import 1 line").wait_for()
    page.get_by_label("Format").select_option("paths")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_text("This is not a conversion path file").wait_for()
    page.get_by_label("Format").select_option("ndjson")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("button", name="Import 1 line").click()

    def says(text: str) -> bool:
        page.reload()
        return bool(page.get_by_text(text).count())

    eventually(lambda: says("events are processed"), what="the worker to import the file")
    drain()
    accepted = page.locator(".figure", has_text="Accepted").locator(".figure-value")
    page.reload()
    assert accepted.text_content() == "1"


def test_a_report_is_mapped_by_keyboard(world: World, open_as: Open, tmp_path: Path) -> None:
    page = open_as("org_admin")
    page.goto(f"/o/{world.slug('buyer')}/files/")
    path = tmp_path / "shop.csv"
    path.write_text("Campaign,Day,Cost,Shown\nAutumn,2026-11-01,12.50,100\nWinter,2026-11-32,1,2\n")
    page.set_input_files("#drop-input", path)
    page.get_by_role("button", name="Import 2 rows").wait_for()
    check(page)
    shown = page.get_by_label("Shown", exact=True)
    assert shown.input_value() == ""
    shown.focus()
    with page.expect_response(re.compile("column-3=impressions")):
        shown.press("I")
    page.locator(".column-role.is-read", has_text="Impressions").nth(3).wait_for()
    assert page.evaluate("document.activeElement.id") == "column-3"
    assert page.locator('input[type=hidden][name="column-3"][value="impressions"]').count() == 1
