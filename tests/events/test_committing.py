"""Group commit: one organisation's bad portion is refused alone."""

import asyncio
from uuid import uuid4

import pytest
import zstandard

from apps.events.edge.committing import GroupCommit
from apps.events.edge.http import Problem
from apps.events.log import appending, interface
from apps.events.log.interface import NotKept
from apps.events.log.models import LogRecord
from apps.orgs.public import SERVICE, Organisation, acting
from tests.support import loop
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("committed")
FORBIDDEN = """
INSERT INTO pg_catalog.pg_authid (rolname)
SELECT source FROM unnest(%b::uuid[], %b::text[], %b::int[], %b::bigint[], %b::bytea[]) AS one (a, source, b, c, d)
"""


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


def test_without_the_right_to_write_everybody_is_told_to_send_again(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restore without grants: it is nobody's own fault, so nobody gives up on it."""
    monkeypatch.setattr(appending, "INSERT", FORBIDDEN)

    async def send() -> object:
        (answer,) = await asyncio.gather(GroupCommit().keep(org.pk, "api/x", [b"{}"]), return_exceptions=True)
        return answer

    problem = loop.run(send())
    assert isinstance(problem, Problem)
    assert problem.status == 503


def test_a_large_commit_is_several_records(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "BYTES_PER_RECORD", 500_000)
    source = f"api/{uuid4().hex}"
    lines = [b"%d" % number * 100_000 for number in range(10)]

    async def send() -> None:
        await GroupCommit().keep(org.pk, source, lines)

    loop.run(send())
    with acting(SERVICE):
        found = LogRecord.objects.filter(source=source).order_by("id").values_list("payload", flat=True)
        records = [bytes(one) for one in found]
    assert [line for one in records for line in zstandard.decompress(one).split(b"\n")] == lines
    assert kept(source) == 3


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
