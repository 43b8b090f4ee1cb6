"""Group commit: one organisation's bad portion is refused alone."""

import asyncio
from uuid import uuid4

import pytest

from apps.events.edge.committing import GroupCommit
from apps.events.edge.http import Problem
from apps.events.log.interface import NotKept
from apps.events.log.models import LogRecord
from apps.orgs.public import SERVICE, Organisation, acting
from tests.support import loop
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def org(committed: World) -> Organisation:
    return committed.orgs["other_owner"]


def kept(source: str) -> int:
    with acting(SERVICE):
        found = LogRecord.objects.filter(source=source)
        count = int(found.count())
        found.delete()
        return count


def test_a_portion_that_the_log_refuses_takes_no_other_with_it(org: Organisation) -> None:
    """As when an organisation was closed between the look at its key and the commit."""
    source = f"api/{uuid4().hex}"

    async def send_together() -> list[object]:
        commits = GroupCommit()
        together = [commits.keep(one, source, [b"{}"]) for one in (org.pk, uuid4(), org.pk)]
        return list(await asyncio.gather(*together, return_exceptions=True))

    first, refused, last = loop.run(send_together())
    assert first is last is None
    assert isinstance(refused, Problem)
    assert (refused.status, b"not_taken" in refused.body) == (403, True)
    assert kept(source) == 1  # what is of one organisation and source is one record


def test_when_the_log_does_not_answer_everybody_is_told_to_send_again(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"api/{uuid4().hex}"

    async def send_together() -> list[object]:
        commits = GroupCommit()

        async def fail(*_: object) -> None:
            raise NotKept("away")

        monkeypatch.setattr(commits._writer, "append", fail)
        together = [commits.keep(one, source, [b"{}"]) for one in (org.pk, uuid4())]
        return list(await asyncio.gather(*together, return_exceptions=True))

    problems = loop.run(send_together())
    assert [isinstance(one, Problem) and one.status for one in problems] == [503, 503]
    assert kept(source) == 0
