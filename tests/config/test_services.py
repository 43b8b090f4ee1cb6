"""The launcher of local services: what it promises about crashes, broken folders, taken ports and clean ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from config.services import layout as layout_module
from config.services.keyring import Keyring, Ports
from config.services.layout import Layout
from config.services.orphans import find
from config.services.refusal import Refusal
from config.services.stack import Stack
from tests.config.launcher import (
    NO_CLICKHOUSE,
    Launcher,
    eventually,
    free_port,
    kill,
    nothing_left,
    postmaster,
    published,
    running,
    store,
    stored,
    waiting,
)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A state folder under a long path with spaces, as a home folder may have."""
    folder = tmp_path / ("a long name with spaces " * 5).strip() / "var"
    folder.parent.mkdir()
    yield folder
    for pid in find(folder):
        kill(pid)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder that was used and left in good order, with one row stored."""
    folder = tmp_path_factory.mktemp("pattern") / "var"
    launcher = waiting(folder)
    store(folder, "before")
    assert launcher.end() == 0
    return folder


@pytest.fixture
def used(root: Path, pattern: Path) -> Path:
    """A copy of the pattern, owners included, for one test to break."""
    subprocess.run(["cp", "-a", str(pattern), str(root)], check=True)
    return root


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_exec_gives_urls_and_passes_the_exit_status_through(root: Path) -> None:
    code = "import os, sys, psycopg; psycopg.connect(os.environ['DATABASE_URL']); sys.exit(7)"
    launcher = Launcher(root, "exec", "--data", str(root), "--", sys.executable, "-c", code, **NO_CLICKHOUSE)
    assert launcher.end() == 7, launcher.output
    nothing_left(root)
    assert not (root / "run" / "services.env").exists()


def test_the_application_role_is_bound_and_owns_nothing(root: Path) -> None:
    launcher = waiting(root)
    question = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    with psycopg.connect(published(root)["DATABASE_URL"]) as connection:
        assert connection.execute(question).fetchone() == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine ()")
    with psycopg.connect(published(root)["DATABASE_ADMIN_URL"]) as connection:
        assert connection.execute(question).fetchone() == (False, False, False, False)
    assert launcher.end() == 0


def test_passwords_are_for_their_owner_only(used: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in (used / "run").iterdir()} == {0}
    assert (used / "run").stat().st_mode & 0o077 == 0


def test_rows_survive_the_kill_of_postgres(used: Path) -> None:
    launcher = waiting(used)
    store(used, "in the second run")
    kill(postmaster(used))
    assert launcher.end(signal.SIGCONT) == 1
    assert "postgres was killed by signal 9" in launcher.output
    nothing_left(used)
    launcher = waiting(used)
    assert stored(used) == ["before", "in the second run"]
    assert launcher.end() == 0


def test_a_killed_launcher_leaves_no_process(used: Path) -> None:
    launcher = waiting(used)
    assert len(list(find(used))) > 2
    launcher.end(signal.SIGKILL)
    nothing_left(used)


def test_everything_killed_at_once_comes_back_with_its_rows(used: Path) -> None:
    launcher = waiting(used)
    store(used, "just before")
    launcher.kill_everything()
    launcher = waiting(used)
    assert stored(used) == ["before", "just before"]
    assert launcher.end() == 0


def test_a_stale_pid_file_that_names_a_living_process_does_not_matter(used: Path) -> None:
    (used / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{used}\n0\n")
    launcher = waiting(used)
    assert stored(used) == ["before"]
    assert launcher.end() == 0


def test_an_orphaned_postgres_is_stopped_first(used: Path) -> None:
    launcher = waiting(used)
    orphan = postmaster(used)
    os.kill(orphan, signal.SIGSTOP)  # it cannot notice that its launcher is gone
    launcher.end(signal.SIGKILL)
    assert orphan in list(find(used))
    os.kill(orphan, signal.SIGCONT)
    launcher = waiting(used)
    assert stored(used) == ["before"]
    assert launcher.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_leaves_no_process(used: Path, number: signal.Signals) -> None:
    launcher = waiting(used)
    os.killpg(launcher.process.pid, number)
    assert launcher.end() >= 128
    assert list(find(used)) == []
    assert "did not" not in launcher.output


@pytest.mark.parametrize("broken", ["interrupted", "empty", "partial"])
def test_a_half_made_folder_is_repaired_while_nothing_was_stored(root: Path, broken: str) -> None:
    home = root / "postgres"
    if broken == "interrupted":
        (home / "initialising" / "base").mkdir(parents=True)
    else:
        (home / "data").mkdir(parents=True)
    if broken == "partial":
        (home / "data" / "PG_VERSION").write_text("18\n")
    launcher = waiting(root)
    store(root, "works")
    assert stored(root) == ["works"]
    assert launcher.end() == 0


@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control", "."])
def test_a_damaged_folder_that_held_rows_is_refused_and_left_alone(used: Path, lost: str) -> None:
    data = used / "postgres" / "data"
    shutil.rmtree(data) if lost == "." else (data / lost).unlink()
    before = sorted(path.name for path in data.rglob("*"))
    launcher = Launcher(used, "exec", "--data", str(used), "--", "true", **NO_CLICKHOUSE)
    assert launcher.end() == 1
    assert "from a backup" in launcher.output
    assert sorted(path.name for path in data.rglob("*")) == before


def test_lost_passwords_are_set_anew(used: Path) -> None:
    shutil.rmtree(used / "run")
    launcher = waiting(used)
    assert stored(used) == ["before"]
    assert launcher.end() == 0


def test_a_service_moves_when_its_port_is_taken(used: Path, taken_port: int) -> None:
    ports = used / "run" / "ports.json"
    ports.write_text(json.dumps({"postgres": taken_port, "redis": taken_port}))
    launcher = waiting(used)
    assert stored(used) == ["before"]
    assert str(taken_port) not in published(used)["DATABASE_URL"] + published(used)["REDIS_URL"]
    assert launcher.end() == 0


def test_ports_are_kept_between_runs(used: Path) -> None:
    kept = json.loads((used / "run" / "ports.json").read_text())
    launcher = waiting(used)
    assert json.loads((used / "run" / "ports.json").read_text()) == kept
    assert launcher.end() == 0


def test_fresh_begins_with_an_empty_database(used: Path) -> None:
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_ADMIN_URL']).execute('CREATE TABLE kept ()')"
    launcher = Launcher(used, "exec", "--data", str(used), "--fresh", "--", sys.executable, "-c", code)
    assert launcher.end() == 0, launcher.output


def test_one_folder_serves_one_command(used: Path) -> None:
    first = waiting(used)
    second = Launcher(used, "exec", "--data", str(used), "--", "true", **NO_CLICKHOUSE)
    assert second.end() == 1
    assert f"in use by process {first.process.pid}" in second.output
    assert first.end() == 0


def test_run_refuses_a_taken_port_before_it_starts_anything(root: Path, taken_port: int) -> None:
    launcher = Launcher(root, "run", PORT=str(taken_port))
    assert launcher.end() == 1
    assert f"Port {taken_port} is taken by another program" in launcher.output
    assert not (root / "postgres").exists()


def test_run_refuses_a_port_that_is_no_number(root: Path) -> None:
    launcher = Launcher(root, "run", PORT="eight")
    assert launcher.end() == 1
    assert "PORT must be a number from 1 to 65535" in launcher.output


def test_a_folder_that_cannot_be_made_is_refused_in_plain_words(root: Path) -> None:
    root.write_text("a file in the way")
    launcher = Launcher(root, "run", PORT=str(free_port()))
    assert launcher.end() == 1
    assert "a file is in the way" in launcher.output
    assert "PRECISE_VAR=" in launcher.output


def test_a_full_disk_is_refused_in_plain_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_module, "LEAST_FREE_MB", 2**40)
    with pytest.raises(Refusal, match="The disk is full"):
        Layout(root).make()


def test_half_an_address_is_refused(root: Path) -> None:
    layout = Layout(root)
    layout.make()
    with pytest.raises(Refusal, match="DATABASE_URL is set, but DATABASE_ADMIN_URL is not"):
        Stack(layout, {"DATABASE_URL": "postgresql://elsewhere/precise"})


def test_services_given_by_url_are_not_started(root: Path) -> None:
    layout = Layout(root)
    layout.make()
    given = {"DATABASE_URL": "a", "DATABASE_ADMIN_URL": "b", "CLICKHOUSE_URL": "c", "REDIS_URL": "d"}
    stack = Stack(layout, given)
    assert stack.names == []
    assert stack.settings("http://localhost:1").items() >= given.items()


def test_broken_notes_count_as_lost(root: Path) -> None:
    layout = Layout(root)
    layout.make()
    (layout.run / "secrets.json").write_text('{"redis": ')
    (layout.run / "ports.json").write_text("")
    assert len(Keyring(layout).get("redis")) > 30
    assert Ports(layout).get("redis") > 0


def test_the_whole_site_starts_is_joined_and_stops(root: Path) -> None:
    port, second_port = free_port(), free_port()
    first = Launcher(root, "run", PORT=str(port), DEMO="0")
    first.wait_for("Precise: data in")  # of two that start at once, either may lead; here the first does
    second = Launcher(root, "run", PORT=str(second_port), DEMO="0")
    for launcher, number in ((first, port), (second, second_port)):
        launcher.wait_for(f"running at http://localhost:{number}")
        with urlopen(f"http://127.0.0.1:{number}/healthz", timeout=10) as answer:
            assert answer.status == 200
    for name in ("run_ingestor", "config.celery worker --loglevel=WARNING --hostname=importer"):
        (killed,) = running(root, name)
        kill(killed)
        eventually(lambda name=name, killed=killed: running(root, name) not in ([], [killed]), f"{name} stays away")
    assert "ingestor   was killed by signal 9; starting it again" in first.output
    with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert answer.status == 200
    assert first.end(signal.SIGINT) == 0, first.output
    assert second.end(signal.SIGCONT) == 1
    assert "The run that owned the services has stopped" in second.output
    nothing_left(root)
    eventually(lambda: not (root / "run" / "services.env").exists(), "services.env is left behind")
