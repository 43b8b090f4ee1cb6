"""The page System: what is up, what waits, what failed and is run again, flags, storage."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app, shared_task
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisAway

from apps.console.models import FailedTask
from apps.console.system import runs, services
from apps.console.system.jobs import list_jobs
from apps.console.system.storage import CACHED
from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import GENERATED_DATA, AuditEntry, Flag, Organisation
from tests.support.world import World

pytestmark = pytest.mark.django_db
SYSTEM = "/console/system/"


@shared_task(name="tests.fails")
def fails(what: str, **more: str) -> None:
    raise ValueError(f"cannot {what}\x00")


@shared_task(name="tests.works")
def works(what: str) -> str:
    return what


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.fixture
def failed(world: World) -> FailedTask:
    fails.delay("fly", why="no wings")
    return FailedTask.objects.get(name="tests.fails")


def test_services_answer_with_their_versions(world: World, as_persona: Any) -> None:
    page = as_persona("super_admin").get(SYSTEM)
    found = {one.name: one for one in page.context["services"]}
    assert all(found[name].is_up and found[name].version for name in ("PostgreSQL", "ClickHouse", "Redis", "Web"))
    # The tests run neither an ingestor nor a worker.
    assert not found["Ingestor"].is_up
    assert found["PostgreSQL"].milliseconds > 0


def test_a_service_that_is_away_is_told_and_does_not_take_the_page_with_it(
    world: World, as_persona: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise RedisAway("Connection refused")

    client = as_persona("super_admin")
    monkeypatch.setattr(services, "redis", Away)
    page = client.get(SYSTEM)
    assert page.status_code == 200
    found = {one.name: one for one in page.context["services"]}
    assert (found["Redis"].is_up, found["Redis"].detail) == (False, "Connection refused")
    assert page.context["queues"] == [("celery", None), ("imports", None)]


def test_waiting_tasks_are_counted(world: World, as_persona: Any) -> None:
    before = dict(services.count_queues())["celery"]
    runs.redis().lpush("celery", "waits")
    try:
        assert dict(as_persona("super_admin").get(SYSTEM).context["queues"])["celery"] == (before or 0) + 1
    finally:
        runs.redis().lrem("celery", 1, "waits")


def test_a_failed_task_is_kept_with_its_reason_and_runs_again_once(
    failed: FailedTask, world: World, as_persona: Any, django_capture_on_commit_callbacks: Any
) -> None:
    client = as_persona("super_admin")
    page = client.get(SYSTEM).content.decode()
    assert "ValueError: cannot fly" in page
    assert (failed.args, failed.kwargs) == (["fly"], {"why": "no wings"})
    path = f"{SYSTEM}tasks/{failed.pk}/"
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(path, {"what": "retry"}).status_code == 302
    # It failed anew, under an id of its own; the first one is seen to.
    assert [one.pk == failed.pk for one in runs.list_failed() if one.name == "tests.fails"] == [False]
    assert client.post(path, {"what": "retry"}).status_code == 404
    with acting(SERVICE):
        assert AuditEntry.objects.get(action="task.retried", target=f"task/{failed.pk}").detail == {
            "name": "tests.fails"
        }


def test_dismissed_it_is_gone_and_one_that_the_code_forgot_does_not_run(
    failed: FailedTask, world: World, as_persona: Any
) -> None:
    client = as_persona("super_admin")
    assert client.post(f"{SYSTEM}tasks/{failed.pk}/", {"what": "dismiss"}).status_code == 302
    assert failed.pk not in {one.pk for one in runs.list_failed()}
    old = FailedTask.objects.create(id=uuid4(), name="apps.gone.tasks.gone", error="x")
    assert client.post(f"{SYSTEM}tasks/{old.pk}/").status_code == 409
    assert client.post(f"{SYSTEM}tasks/{uuid4()}/").status_code == 404
    # Refused, it is still to be seen to.
    assert old.pk in {one.pk for one in runs.list_failed()}


def test_markup_in_an_error_is_text(world: World, as_persona: Any) -> None:
    fails.delay("<script>alert(1)</script>")
    assert "<script>alert" not in as_persona("super_admin").get(SYSTEM).content.decode()


def test_runs_are_noted_and_late_jobs_told() -> None:
    works.delay("well")
    seen = runs.last_runs()["tests.works"]
    assert not seen.failed
    fails.delay("fly")
    assert runs.last_runs()["tests.fails"].failed
    now = datetime.now(UTC)
    name = settings.CELERY_BEAT_SCHEDULE["seal-audit"]["task"]
    for age, late in ((30, False), (300, True)):
        known = {name: runs.Run(now - timedelta(seconds=age), 0.1, False)}
        assert {job.task: job.is_late for job in list_jobs(known, now)}[name] is late


def test_what_redis_has_of_another_version_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        def hgetall(self, name: str) -> Any:
            raise RedisAway

    monkeypatch.setattr(runs, "redis", Empty)
    assert runs.last_runs() == {}


def test_a_flag_is_for_everybody_nobody_or_the_chosen(world: World, as_persona: Any) -> None:
    client, org, path = as_persona("super_admin"), world.orgs["rival"], f"{SYSTEM}flags/{GENERATED_DATA}/"

    def is_on() -> bool:
        with acting(SERVICE):
            return Organisation.objects.get(pk=org.pk).shows_generated

    assert client.post(path, {"what": "on", "slug": org.slug}).status_code == 302
    assert is_on()
    assert client.post(path, {"what": "on", "slug": org.slug}).status_code == 409
    assert client.post(path, {"what": "for", "for": "nobody"}).status_code == 302
    assert not is_on()
    assert client.post(path, {"what": "for", "for": "chosen"}).status_code == 302
    assert client.post(path, {"what": "off", "slug": org.slug}).status_code == 302
    assert not is_on()
    for sent, status in (
        ({"what": "for", "for": "me"}, 400), ({}, 400), ({"what": "on", "slug": "nowhere"}, 404),
        ({"what": "on", "slug": "\x00"}, 400),
    ):  # fmt: skip
        assert client.post(path, sent).status_code == status
    assert client.post(f"{SYSTEM}flags/there-is-none/", {"what": "for", "for": "everyone"}).status_code == 404
    assert Flag.objects.get(name=GENERATED_DATA).everyone is None
    assert as_persona("org_admin").post(path, {"what": "for", "for": "everyone"}).status_code == 403


def test_storage_comes_by_itself_and_names_what_is_kept(world: World, as_persona: Any) -> None:
    cache.delete(CACHED)
    client = as_persona("super_admin")
    assert "storage" not in client.get(SYSTEM).context
    fragment = client.get(SYSTEM, headers={"HX-Request": "true", "HX-Target": "storage-card"})
    assert "<html" not in fragment.content.decode()
    rows = {row["kept"].slug: row["kept"] for row in fragment.context["storage"]["rows"]}
    assert rows[world.slug("buyer")].events == 11
    assert rows[world.slug("buyer")].schema_size > 0
    # Without JavaScript, by a link.
    assert client.get(SYSTEM, {"show": "storage"}).context["storage"]["rows"]


def test_trace_and_arguments_survive_what_json_cannot(world: World) -> None:
    runs._keep_failure(
        sender=fails, task_id=str(uuid4()), exception=ValueError("x" * 10_000), args=[datetime(2026, 1, 1)], kwargs=None
    )
    kept = FailedTask.objects.get(name="tests.fails")
    assert len(kept.error) == 400
    assert json.dumps(kept.args) == '["2026-01-01 00:00:00"]'
