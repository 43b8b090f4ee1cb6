"""`make run`: services, preparation, the site; or, beside a running one, one more web process on another port."""

import os
import time
from contextlib import ExitStack

from config import env
from config.services import child, screen
from config.services.keyring import is_free
from config.services.layout import Layout
from config.services.lock import Lock
from config.services.orphans import stop_orphans
from config.services.refusal import Refusal
from config.services.screen import say, step
from config.services.signals import pause
from config.services.site import Site, accounts, watch
from config.services.stack import Stack, given_settings

JOIN_PATIENCE = 180.0


def run(layout: Layout, port: int) -> None:
    """Returns only by an exception: Refusal, or Interrupted when somebody stops it."""
    layout.make()
    with Lock(layout) as lock:
        if lock.held:
            _lead(layout, port)
        else:
            _join(layout, lock, port)


def _lead(layout: Layout, port: int) -> None:
    layout.ready_mark.unlink(missing_ok=True)
    stop_orphans(layout.root)
    _demand_port(port)
    say(f"Precise: data in {layout.root}, logs in {layout.log}")
    stack = Stack(layout, given_settings())
    with ExitStack() as rest:
        with step("services", f"starting {_listed(stack)}", f"{_listed(stack)} are ready"):
            rest.enter_context(stack)
        settings = stack.settings(_base_url(port))
        stack.publish(settings)
        site = Site(layout, settings)
        rest.callback(_stop, site)
        with step("databases", "bringing tables and demonstration data up to date", "up to date"):
            site.prepare(demo=_wants_demo())
        with step("site", "starting the web process", "web answers"):
            site.serve(port)
            site.wait_until_healthy(port)
        site.work()  # after the web process, which somebody waits for: a Django start takes a processor for a second
        layout.ready_mark.touch()
        _summary(layout, settings["BASE_URL"])
        while True:
            watch(stack.children)
            site.look_after()
            pause(0.25)


def _join(layout: Layout, lock: Lock, port: int) -> None:
    with step("services", "waiting for the run that is starting in this folder", "those of the run beside this one"):
        _await_leader(layout, lock)
    running = dict(line.split("=", 1) for line in layout.service_file.read_text().splitlines() if "=" in line)
    _demand_port(port, running.get("BASE_URL"))
    site = Site(layout, {**running, "BASE_URL": _base_url(port)})
    with ExitStack() as rest:
        rest.callback(_stop, site)
        site.serve(port)
        with step("site", "starting one more web process", "web answers"):
            site.wait_until_healthy(port)
        _summary(layout, _base_url(port))
        while not lock.take():
            site.look_after()
            pause(0.5)
        raise Refusal("The run that owned the services has stopped, so this one stops too.")


def _await_leader(layout: Layout, lock: Lock) -> None:
    deadline = time.monotonic() + JOIN_PATIENCE
    while not layout.ready_mark.exists():
        if lock.take():
            raise Refusal("The run that was starting in this folder has stopped. Start again.")
        if time.monotonic() > deadline:
            raise Refusal(
                f"Another process holds {layout.root}, but brings no site up. `make stop` stops it; then start again."
            )
        pause(0.1)


def _stop(site: Site) -> None:
    screen.say()
    with step("stop", "stopping the site and the services", "the site has stopped"):
        child.stop_all(site.children)


def _summary(layout: Layout, address: str) -> None:
    say(f"\nPrecise is running at {address}\n")
    if text := accounts(layout.demo_accounts):
        say(f"{text}\n")
    say("Ctrl-C stops everything.\n")


def _demand_port(port: int, running: str | None = None) -> None:
    try:
        if is_free(port):
            return
    except PermissionError:
        raise Refusal(f"Port {port} is kept for root. Take one above 1023: PORT=9000 make run") from None
    whose = f"the site that already runs at {running}" if running == _base_url(port) else "another program"
    raise Refusal(f"Port {port} is taken by {whose}. Take another one: PORT={port + 1000} make run")


def _base_url(port: int) -> str:
    return os.environ.get("BASE_URL") or f"http://localhost:{port}"


def _wants_demo() -> bool:
    return env.flag("DEMO", default=True)


def _listed(stack: Stack) -> str:
    titles = {"postgres": "PostgreSQL", "clickhouse": "ClickHouse", "redis": "Redis"}
    return ", ".join(titles[name] for name in stack.names) or "services elsewhere"
