"""Which worker does what: nothing that must be done by the minute waits behind a file."""

import pytest
from django.conf import settings

from config.celery import app
from config.services.site import WORKERS

SHORT = 600


@pytest.fixture(scope="module", autouse=True)
def tasks() -> None:
    app.loader.import_default_modules()


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_what_may_take_long_has_a_queue_of_its_own() -> None:
    ours = {name: task for name, task in app.tasks.items() if name.startswith("apps.")}
    long = {name for name, task in ours.items() if (task.time_limit or settings.CELERY_TASK_TIME_LIMIT) > SHORT}
    assert {"apps.events.tasks.import_upload", "apps.events.tasks.look_at_watched_source"} <= long
    assert {queue_of(name) for name in long} == {"imports"}
    beaten = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {queue_of(name) for name in beaten} == {"celery"}


def test_each_queue_has_its_worker() -> None:
    assert {queue for queue, _ in WORKERS.values()} == set(settings.CELERY_TASK_QUEUES)


def test_what_is_done_often_does_not_pile_up() -> None:
    often = {name: one for name, one in settings.CELERY_BEAT_SCHEDULE.items() if one["schedule"] <= 3600}
    assert often
    assert [name for name, one in often.items() if not 0 < one["options"]["expires"] <= one["schedule"]] == []
