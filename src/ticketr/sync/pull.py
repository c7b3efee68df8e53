"""Pull: from Jira's answers to files, as one job of the queue.

The road: a search gives the IDs of everything the query finds; what the state does not know, and
what Jira says has changed since, is fetched by the hundred, several requests at once; each family
is written as soon as it is whole. Every ``await`` may be cancelled: what was written stays, is
whole and is counted, and the next pull asks only for the rest.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import trio

from ticketr.config import STATE_FOLDER
from ticketr.jira import open_jira
from ticketr.sync.assembly import CONCURRENCY, Assembly, OnWritten
from ticketr.sync.editing import Written
from ticketr.sync.mapping import Columns
from ticketr.sync.state import State
from ticketr.sync.store import Place, Store
from ticketr.sync.survey import (
    Survey,
    base_query,
    changed_since,
    compare,
    in_order,
    merge_places,
    oldest_sight,
)
from ticketr.sync.tally import Tally
from ticketr.sync.threads import CHUNK, ThreadRunner, chunks
from ticketr.sync.writer import FamilyWriter, Note

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr import JobContext
    from ticketr.jira import Credentials, JiraClient
    from ticketr.jira.transport import Transport
    from ticketr.sync.merge import Side
    from ticketr.sync.state import Known


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did. All counts are issues, sub-tasks included.

    Attributes:
        total: issues that the query found and Jira could give.
        new: issues written into a file for the first time.
        updated: issues in tickets that were rewritten, since Jira had something newer.
        merged: issues in tickets whose local edits were joined with something newer in Jira.
        unchanged: issues that were up to date already.
        kept: tickets left as they are, each with the reason.
        conflicts: tickets left as they are, since both sides have changed the same.
        failed: tickets that could not be written, each with the reason.
        inexact: keys of issues written by this pull whose description says more than Markdown
            can; Jira's own form of it is kept in the state.
        gone: keys pulled earlier that the query no longer finds; their files are kept.
    """

    total: int
    new: int
    updated: int
    merged: int
    unchanged: int
    kept: tuple[Note, ...]
    conflicts: tuple[Note, ...]
    failed: tuple[Note, ...]
    inexact: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True)
class PullJob:
    """A job that pulls tickets into a workspace.

    Jobs of one workspace must not run at once: submit them with the workspace as ``key``. Between
    processes a lock sees to that.

    Args:
        root: the workspace's folder.
        credentials: the site and the login.
        project: the key of the project to pull; needed unless ``jql`` is given.
        jql: a query of the user's own, instead of a whole project.
        full: fetch every issue again, even those that have not changed.
        prefer: who wins where both sides have changed the same; None makes it a conflict.
        transport: another way to reach the site than httpx.
        on_written: called, on Trio's thread, with tickets that were just written and their files.
        run_sync: how blocking work is run.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is whole.
    """

    root: Path
    credentials: Credentials
    project: str | None = None
    jql: str | None = None
    full: bool = False
    prefer: Side | None = None
    transport: Transport | None = None
    on_written: OnWritten = field(default=lambda _: None)
    run_sync: ThreadRunner = field(default=trio.to_thread.run_sync)

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return "Pull by query" if self.project is None else f"Pull {self.project}"

    async def execute(self, context: JobContext) -> PullResult:
        """Run the pull; the queue calls this."""
        tally = Tally()
        try:
            result = await _Pull(self, context, tally).run()
        except Exception as error:
            reason = str(error) or type(error).__name__
            context.report(current=tally.done, message=f"Pull failed: {reason}")
            raise
        except BaseException:  # a cancellation, alone or in a group
            words = f"Cancelled: {tally.done}/{tally.total} tickets pulled"
            context.report(current=tally.done, message=words)
            raise
        done = tally.done
        context.report(current=done, total=done, message=f"Pull complete: {done} tickets")
        return result


class _Pull:
    """One run of a pull."""

    def __init__(self, job: PullJob, context: JobContext, tally: Tally) -> None:
        self._job = job
        self._context = context
        self._tally = tally
        self._in_thread = job.run_sync
        self._store = Store(job.root, STATE_FOLDER)

    async def run(self) -> PullResult:
        self._say("Connecting to Jira...")
        await self._in_thread(self._store.prepare)
        with self._store.lock():
            state = await self._in_thread(State, self._store.own / "state.db")
            try:
                return await self._pull(state)
            finally:
                with trio.CancelScope(shield=True):  # closing one file is soon done
                    await self._in_thread(state.close)

    async def _pull(self, state: State) -> PullResult:
        job = self._job
        await self._in_thread(state.check_site, job.root, job.credentials.site)
        places = await self._scan()
        known = await self._in_thread(state.known)
        async with open_jira(
            job.credentials,
            transport=job.transport,
            max_concurrency=CONCURRENCY,
            on_wait=self._waiting,
        ) as jira:
            await jira.myself()  # tells whether the login is good, before anything else is asked
            # Only now: a mistyped address must not own the folder.
            await self._in_thread(state.claim_site, job.credentials.site)
            columns = Columns.of(await jira.fields())
            survey, seen = await self._survey(jira, known, places)
            writer = FamilyWriter(self._store, state, seen=seen, prefer=job.prefer)
            assembly = Assembly(
                jira,
                state,
                writer,
                columns=columns,
                places=places,
                survey=survey,
                known=known,
                tally=self._tally,
                progress=self._progress,
                on_written=self._job.on_written,
                in_thread=self._in_thread,
            )
            await assembly.run()
        await self._in_thread(lambda: state.confirm(survey.found, seen=seen))
        return self._result(survey)

    async def _scan(self) -> dict[str, Place]:
        """Find the tickets in the workspace, before anything is asked or written."""
        places: dict[str, Place] = {}
        walk = self._store.walk()
        # A folder may hold far more than tickets, a whole home for one.
        while folders := await self._in_thread(lambda: list(islice(walk, CHUNK))):
            for chunk in chunks([path for paths in folders for path in paths], CHUNK):
                merge_places(places, await self._in_thread(self._store.places, chunk))
        return places

    async def _survey(
        self, jira: JiraClient, known: dict[str, Known], places: dict[str, Place]
    ) -> tuple[Survey, float]:
        job = self._job
        where = "Jira" if job.project is None else f"project {job.project}"
        self._say(f"Querying {where}...")
        query = base_query(job.project, job.jql)
        search = await jira.search_ids(in_order(query))
        now = search.server_date.timestamp() if search.server_date else time.time()
        sight = None if job.full else oldest_sight(search.ids, known, places)
        if job.full or sight is None:
            changed = search.ids
        else:
            changed = (await jira.search_ids(changed_since(query, seen=sight, now=now))).ids
        survey = compare(
            search.ids, changed, known, places, project=job.project if job.jql is None else None
        )
        fresh = set(survey.found).difference(survey.wanted)
        self._tally.found(survey.found, fresh, known=known)
        self._say(f"Found {len(survey.found)} tickets")
        return survey, now

    def _progress(self) -> None:
        tally = self._tally
        self._context.report(current=tally.done, total=tally.total, message="Pulling tickets")

    def _waiting(self, seconds: float, reason: str) -> None:
        self._say(f"Waiting {math.ceil(seconds)}s: {reason}")

    def _say(self, message: str) -> None:
        self._context.report(current=self._tally.done, message=message)

    def _result(self, survey: Survey) -> PullResult:
        tally = self._tally
        return PullResult(
            total=tally.total,
            new=tally.count(Written.NEW),
            updated=tally.count(Written.UPDATED),
            merged=tally.count(Written.MERGED),
            unchanged=tally.count(Written.UNCHANGED),
            kept=tuple(tally.kept.values()),
            conflicts=tuple(tally.conflicts.values()),
            failed=tuple(tally.failed.values()),
            inexact=tuple(sorted(tally.inexact)),
            gone=survey.gone,
        )
