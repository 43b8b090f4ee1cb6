"""Group commit: what arrives while one commit is under way goes into the next, all of it at once."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

import structlog

from apps.events.edge import gauges
from apps.events.edge.http import Problem
from apps.events.log.chosen import event_log
from apps.events.log.interface import NotKept, Portion

log = structlog.get_logger()
# Waiting this long, in seconds, gathers enough events for a commit to be worth its cost under load.
LINGER = 0.002
# A commit that takes longer, in seconds, counts as failed: its senders are told, and the connection is given up.
PATIENCE = 20
# More than this uncommitted, and senders are told to wait.
MOST_BYTES = 64_000_000


class Commit:
    """Lines that are going to be kept together. Only when one portion of them is refused are they told apart."""

    def __init__(self) -> None:
        self.lines: dict[tuple[UUID, str], list[bytes]] = {}
        self.size = 0
        self._waiting: list[asyncio.Future[bool]] = []
        self.kept_alone: set[tuple[UUID, str]] = set()
        self.refused: set[tuple[UUID, str]] = set()

    @property
    def portions(self) -> list[Portion]:
        return [Portion(org_id, source, lines) for (org_id, source), lines in self.lines.items()]

    def done(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[bool]:
        """Whether the lines were kept, once that is known. A future for each who waits, so that one may give up."""
        future = loop.create_future()
        self._waiting.append(future)
        return future

    def tell(self, *, is_kept: bool) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(is_kept)


class GroupCommit:
    def __init__(self) -> None:
        self._writer = event_log().edge_writer()
        self._open = Commit()
        self._wanted = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def keep(self, org_id: UUID, source: str, lines: Sequence[bytes]) -> None:
        """Returns once the lines are in the log, on disk; raises `Problem` when they are not."""
        if not lines:
            return
        commit, size = self._open, sum(map(len, lines))
        if commit.size and commit.size + size > MOST_BYTES:
            raise _not_kept("more arrives than can be written")
        commit.lines.setdefault((org_id, source), []).extend(lines)
        commit.size += size
        if self._loop is None:  # looked up once: each look-up is a system call
            self._loop = asyncio.get_running_loop()
        self._wanted.set()
        if self._worker is None or self._worker.done():
            self._worker = self._loop.create_task(self._work())
        if await commit.done(self._loop) or (org_id, source) in commit.kept_alone:
            return
        raise _refused() if (org_id, source) in commit.refused else _not_kept("the log cannot be written now")

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(LINGER)
            self._wanted.clear()
            commit, self._open = self._open, Commit()
            is_kept = False
            try:
                async with asyncio.timeout(PATIENCE):
                    is_kept = await self._write(commit)
            except Exception as error:  # whatever it was: who waits is told, and the next commit goes on
                gauges.FAILED.inc()
                foreseen = isinstance(error, NotKept | TimeoutError)
                log.warning("edge.commit_failed", error=str(error), bytes=commit.size, exc_info=not foreseen)
            finally:
                commit.tell(is_kept=is_kept)

    async def _write(self, commit: Commit) -> bool:
        """Whether all of it was kept; otherwise the commit says what was."""
        try:
            with gauges.COMMITS.time():
                await self._writer.append(commit.portions)
        except NotKept as error:
            if not error.is_refused:
                raise
            log.warning("edge.commit_refused", error=str(error), portions=len(commit.lines))
            await self._write_apart(commit)
            return False
        gauges.LINES.inc(sum(map(len, commit.lines.values())))
        return True

    async def _write_apart(self, commit: Commit) -> None:
        """The log refused something of this commit: find out what, so that nobody suffers for another organisation."""
        for (org_id, source), lines in commit.lines.items():
            try:
                await self._writer.append([Portion(org_id, source, lines)])
            except NotKept as error:
                if not error.is_refused:
                    raise
                gauges.REFUSED.inc()
                log.warning("edge.portion_refused", org=str(org_id), error=str(error), lines=len(lines))
                commit.refused.add((org_id, source))
            else:
                commit.kept_alone.add((org_id, source))
                gauges.LINES.inc(len(lines))


def _refused() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN,
        "not_taken",
        "Nothing of this was kept: the log takes no events of this organisation. It may have been closed; ask whoever "
        "gave you the key.",
    )


def _not_kept(why: str) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "not_kept", f"Nothing of this was kept: {why}. Send it again.", retry_after=1
    )
