"""Pull: from Jira's answers to files.

The road: a search gives the IDs of everything the query finds; what the state does not know, and
what Jira says has changed since, is fetched by the hundred, several requests at once; each family
is written as soon as it is whole. Every ``await`` may be cancelled: what was written stays, is
whole and is counted, and the next pull asks only for the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ticketr.sync.pull.fetch_plan import FetchPlan, make_fetch_plan, oldest_confirmation
from ticketr.sync.pull.missing import MissingIssues, handle_missing
from ticketr.sync.pull.pipeline import PullPipeline
from ticketr.sync.queries import base_query, changed_since, in_order
from ticketr.sync.threads import compute
from ticketr.sync.workspace.go_state import read_hashes
from ticketr.sync.writing.decision import WriteOutcome
from ticketr.sync.writing.writer import FamilyWriter

if TYPE_CHECKING:
    from ticketr.sync.notes import Note
    from ticketr.sync.pull.tally import Tally
    from ticketr.sync.session import Session
    from ticketr.sync.state.state import KnownIssue
    from ticketr.sync.workspace.store import TicketLocation


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did. All counts are issues, sub-tasks included, and none is in two of them.

    Attributes:
        total: issues that the query found and Jira could give.
        new: issues written into a file for the first time.
        updated: issues that were rewritten, since Jira had something newer.
        merged: issues whose local edits were joined with something newer in Jira.
        unchanged: issues that were up to date already.
        in_conflict: issues that differ from Jira's and were left so, since both sides have changed
            the same in their tickets.
        left_alone: issues in the tickets that were kept.
        kept: tickets left as they are, each with the reason.
        conflicts: tickets left as they are, since both sides have changed the same.
        failed: tickets that could not be written, or that Jira could not give, and files that
            cannot be read, each with the reason.
        inexact: keys of issues written by this pull whose description says more than Markdown
            can; Jira's own form of it is kept in the state.
        gone: tickets pulled earlier that the query no longer finds or Jira no longer gives, each
            with what became of it; their files are kept.
        pruned: keys of those whose files were moved away, since that was asked for.
        prunable: keys of those whose files would have been moved away, had that been asked for.
        recovered: keys of issues that an earlier run has made and whose drafts have them only now.
            A sync tells them of its other half.
    """

    total: int
    new: int
    updated: int
    merged: int
    unchanged: int
    in_conflict: int
    left_alone: int
    kept: tuple[Note, ...]
    conflicts: tuple[Note, ...]
    failed: tuple[Note, ...]
    inexact: tuple[str, ...]
    gone: tuple[Note, ...]
    pruned: tuple[str, ...]
    prunable: tuple[str, ...]
    recovered: tuple[str, ...]

    @property
    def done(self) -> int:
        """How many issues are in files with all that Jira has of them."""
        return self.new + self.updated + self.merged + self.unchanged

    @property
    def unwritten(self) -> int:
        """How many issues could not be written, once the pull has ended."""
        return self.total - self.done - self.in_conflict - self.left_alone


async def pull(
    session: Session,
    places: dict[str, TicketLocation],
    tally: Tally,
    *,
    full: bool = False,
    prune: bool = False,
    into: str | None = None,
) -> PullResult:
    """Bring everything that the query finds into the workspace.

    Args:
        session: the workspace and the site.
        places: where each key stands in the workspace.
        tally: counts what is settled; right at every moment.
        full: fetch every issue again, even those that have not changed.
        prune: move unedited files of issues that are gone into ticketr's own folder.
        into: the file for new tickets, relative to the workspace; None gives each one of its own.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is whole.
    """
    return await _Pull(session, tally, full=full, prune=prune, into=into).run(places)


def pull_result(tally: Tally, missing: MissingIssues | None = None) -> PullResult:
    """Say what a pull has done until now.

    Args:
        tally: what it has counted.
        missing: What became of tickets that the query no longer finds, once that is known.
    """
    missing = missing or MissingIssues()
    return PullResult(
        total=tally.total,
        new=tally.count(WriteOutcome.NEW),
        updated=tally.count(WriteOutcome.UPDATED),
        merged=tally.count(WriteOutcome.MERGED),
        unchanged=tally.count(WriteOutcome.UNCHANGED),
        in_conflict=tally.count(WriteOutcome.CONFLICT),
        left_alone=tally.count(WriteOutcome.KEPT),
        kept=tuple(tally.kept.values()),
        conflicts=tuple(tally.conflicts.values()),
        failed=(*tally.broken, *tally.failed.values()),
        inexact=tuple(sorted(tally.inexact)),
        gone=(*tally.vanished.values(), *missing.notes),
        pruned=missing.pruned,
        prunable=missing.prunable,
        recovered=tuple(tally.recovered),
    )


class _Pull:
    """One run of a pull."""

    def __init__(
        self, session: Session, tally: Tally, *, full: bool, prune: bool, into: str | None
    ) -> None:
        self._session = session
        self._tally = tally
        self._full = full
        self._prune = prune
        self._into = into
        self._other_columns = False

    async def run(self, places: dict[str, TicketLocation]) -> PullResult:
        session = self._session
        columns = session.columns.names
        self._other_columns = await session.in_thread(
            session.state.site_record.take_columns, columns
        )
        known = await session.in_thread(session.state.known)
        plan, seen = await self._make_plan(known, places)
        writer = FamilyWriter(
            session.store,
            session.state,
            seen=seen,
            prefer=session.job.prefer,
            prefer_from_file=session.job.prefer_from_file,
            into=self._into,
            hashes=await session.in_thread(read_hashes, session.store.root),
        )
        await PullPipeline(
            session,
            writer,
            places=places,
            plan=plan,
            known=known,
            tally=self._tally,
            progress=self._progress,
        ).run()
        await session.in_thread(lambda: session.state.confirm(plan.found, seen=seen))
        missing = await handle_missing(session, plan.missing, places, now=seen, prune=self._prune)
        if session.job.jql is None:
            await session.in_thread(self._forget, known, set(plan.found), places)
        return pull_result(self._tally, missing)

    def _forget(
        self, known: dict[str, KnownIssue], found: set[str], places: dict[str, TicketLocation]
    ) -> None:
        """Forget tickets that neither the project has any more nor any file."""
        session = self._session
        left = {each.head for each in known.values() if each.id in found or each.key in places}
        keys = {each.key for each in known.values()}
        # Somebody may have written the new key of one that was moved where the old one stood.
        unknown = {place.path for key, place in places.items() if key not in keys}
        for each in known.values():
            mine = each.key.startswith(f"{session.job.project}-")
            if mine and each.id == each.head and each.id not in left:
                base = session.state.base(each.id)
                if base is None or base.path not in unknown:
                    session.state.forget(each.id)

    async def _make_plan(
        self, known: dict[str, KnownIssue], places: dict[str, TicketLocation]
    ) -> tuple[FetchPlan, float]:
        session, job = self._session, self._session.job
        by_project = job.jql is None
        session.progress.say(f"Querying {f'project {job.project}' if by_project else 'Jira'}...")
        query = base_query(job.project, job.jql)
        async with session.naming_project():
            search = await session.jira.search_ids(in_order(query))
        now = search.server_date.timestamp() if search.server_date else time.time()
        # Of tens of thousands of tickets this takes as long as converting a text.
        in_thread, work = session.in_thread, len(search.ids) + len(known)
        sight = None
        if not self._full:
            sight = await compute(in_thread, work, oldest_confirmation, search.ids, known, places)
        if sight is None:
            changed = search.ids
        else:
            changed = (await session.jira.search_ids(changed_since(query, seen=sight, now=now))).ids
        project = job.project if by_project else None
        look = partial(make_fetch_plan, search.ids, changed, known, places, project=project)
        plan = await compute(in_thread, work, look)
        fresh = set(plan.found).difference(plan.wanted)
        self._tally.found(plan.found, fresh, known=known)
        count = len(plan.found)
        why = "; the list of fields has changed, so all are fetched" if self._other_columns else ""
        session.progress.say(f"Found {count} ticket{'' if count == 1 else 's'}{why}")
        return plan, now

    def _progress(self) -> None:
        self._session.progress.move(self._tally.done, self._tally.total, "Pulling tickets")
