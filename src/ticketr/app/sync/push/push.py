"""Push: from edited files to Jira.

A push compares the edits in the workspace with Jira. It leaves a ticket that has changed in Jira to
the next pull, or merges it. It plans every request before it sends the first one. Then it changes
and creates issues, and reads them again: tickets side by side, parents before sub-tasks. Each ticket
succeeds or fails by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import JiraError
from ticketr.app.sync.edits.local_changes import LocalChange
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.push_plan import PushPlan, route_text, select_changes
from ticketr.app.sync.edits.survey import LocalSurvey
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.outbox import wait_for_late_comments
from ticketr.app.sync.push.preparation import prepare
from ticketr.app.sync.push.refresh import (
    Comparison,
    PushAction,
    TicketRequest,
    adopt,
    compare_with_jira,
    refresh,
)
from ticketr.app.sync.push.sending import Delivery
from ticketr.app.sync.push.tally import PushTally, longer_route
from ticketr.app.sync.push.writes import IssueWrite, TicketWrites
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.writer import FamilyResult

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Push:
    """A push of the edits of a workspace to Jira.

    Attributes:
        session: The workspace and the site.
        tally: Counts issues as soon as they are pushed, and collects notes.
        keys: The keys and files that were named; None for all.
        confirmed: The plan that was confirmed; None if everything may be sent. The rest is left
            alone and noted.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.
    """

    session: Session
    tally: PushTally
    keys: frozenset[str] | None = None
    confirmed: PushPlan | None = None
    accept_loss: Accepted = False

    async def run(
        self, survey: LocalSurvey, *, dry_run: bool = False, merging: bool = False
    ) -> None:
        """Send the edits.

        Args:
            survey: The edits.
            dry_run: Whether to plan and check the push without sending anything.
            merging: Whether to merge tickets that have also changed in Jira, not hold them back.

        Cancellation:
            Takes effect at once, inside a running request too. The state holds what Jira has taken,
            or the next run finds it.
        """
        session, tally, keys = self.session, self.tally, self.keys
        local_changes = await self._select(survey.local_changes)
        never_pulled = [
            local
            for local in survey.never_pulled
            if keys is None or not keys.isdisjoint((*local.ticket.keys(), local.path))
        ]
        if not local_changes and not never_pulled:
            await trio.lowlevel.checkpoint()
            return
        if session.columns.comments and not dry_run:
            await wait_for_late_comments(session)
        seen = session.now()
        async with session.project_errors():
            comparisons, prepared = await self._prepare(local_changes, merging=merging)
            if to_merge := _with_action(comparisons, PushAction.MERGE_FIRST):
                merged, more = await self._merge_and_prepare(to_merge, seen)
                comparisons, prepared = [*comparisons, *merged], [*prepared, *more]
        writes = [ticket for ticket in self._confirmed(prepared) if ticket.issues]
        tally.plan(write.entry(ticket.local_change) for ticket in writes for write in ticket.issues)
        if dry_run:
            return
        # Tickets that were never pulled here, and those whose edits Jira already has.
        outcomes, unavailable = await adopt(session, never_pulled, seen=seen)
        tally.fail(*unavailable)
        known, _ = await refresh(session, _with_action(comparisons, PushAction.SAME), seen=seen)
        self._note([*outcomes, *known])
        if writes:
            tally.show(session.progress)
            shown = self.confirmed
            routes = None if shown is None else {e.between for e in shown.entries if not e.key}
            await Delivery(session, tally, writes, routes, partial(self._read_back, seen)).run()

    async def _select(self, local_changes: Sequence[LocalChange]) -> Sequence[LocalChange]:
        """Return the changes that may be sent; note what was not confirmed, or was sent before."""
        session = self.session
        select = partial(select_changes, keys=self.keys, confirmed=self.confirmed)
        selected, left, in_conflict = await session.in_thread(
            select, local_changes, session.state, session.job.prefer
        )
        stuck = {note.path for note in self.tally.result.failed if note.code is Code.BROKEN}
        self.tally.leave(
            *(note for note in left if note.code is not Code.UNCERTAIN or note.path not in stuck)
        )
        for note, writes in in_conflict:
            self.tally.hold_back(note, writes)
        return selected

    async def _prepare(
        self,
        local_changes: Sequence[LocalChange],
        *,
        merging: bool = False,
        advice: str = "pull first, or sync",
    ) -> tuple[list[Comparison], list[TicketWrites]]:
        """Prepare a push without sending anything; note what will not be sent.

        Args:
            local_changes: The edits, in the order of the files.
            merging: See `run`.
            advice: What the user can do about a ticket that is held back.

        Returns:
            How each change compares with Jira, and what is sent of each ticket.
        """
        session, tally = self.session, self.tally
        comparisons = await compare_with_jira(
            session, local_changes, merging=merging, advice=advice
        )
        sent = [comparison for comparison in comparisons if comparison.action is PushAction.SEND]
        writes = await prepare(session, sent, self.accept_loss)
        for comparison in comparisons:
            if comparison.action is PushAction.HOLD_BACK:
                tally.hold_back(comparison.notes[0], comparison.local_change.writes)
            else:
                tally.fail(*comparison.notes)
        for ticket in writes:
            tally.fail(*ticket.failed)
            tally.warn(*ticket.warnings)
        return comparisons, writes

    async def _merge_and_prepare(
        self, to_merge: Sequence[TicketRequest], seen: float
    ) -> tuple[list[Comparison], list[TicketWrites]]:
        """Merge tickets that have changed in Jira too, and prepare them."""
        session = self.session
        outcomes, _ = await refresh(session, to_merge, seen=seen)
        self._note(outcomes)
        noted = {outcome.family.issues[0].id for outcome in outcomes if outcome.note is not None}
        wanted = {request.head for request in to_merge} - noted
        survey = await session.survey()
        changes = [change for change in survey.local_changes if change.head in wanted]
        return await self._prepare(await self._select(changes), advice="sync again in a moment")

    def _confirmed(self, writes: Iterable[TicketWrites]) -> Iterator[TicketWrites]:
        """Leave out the edits whose status takes several transitions that the plan did not show."""
        if self.confirmed is None:
            yield from writes
            return
        shown = {entry.key: entry.between for entry in self.confirmed.entries}
        for ticket in writes:
            edits: list[IssueWrite] = []
            for edit in ticket.edits:
                if edit.between in {(), shown.get(edit.key, ())}:
                    edits.append(edit)
                    continue
                route = route_text(edit.status, edit.between, edit.payload.status or "")
                self.tally.leave(
                    Note.on(edit.issue, edit.path, longer_route(route), Code.UNCONFIRMED)
                )
            yield replace(ticket, edits=tuple(edits))

    async def _read_back(self, seen: float, requests: Collection[TicketRequest]) -> None:
        """Fetch tickets that were sent, and write them into their files; see `refresh`."""
        try:
            outcomes, absent = await refresh(self.session, requests, seen=seen)
        except JiraError as error:
            absent = [request.note(str(error), Code.UNREACHED) for request in requests]
        else:
            self._note(outcomes)
        self.tally.warn(
            *(
                replace(note, reason=f"it was pushed, but could not be read again: {note.reason}")
                for note in absent
                if note.code is Code.UNREACHED
            )
        )

    def _note(self, outcomes: Sequence[FamilyResult]) -> None:
        """Count the tickets that could not be written, and note the older values in the others."""
        for outcome in outcomes:
            self.tally.bring_forward(*outcome.older)
            if outcome.note is None:
                continue
            if outcome.written is WriteOutcome.CONFLICT:
                shares = [outcome.outcome_of(issue.key) for issue in outcome.family.issues]
                self.tally.hold_back(outcome.note, shares.count(WriteOutcome.CONFLICT))
            else:
                self.tally.fail(outcome.note)


def _with_action(comparisons: Iterable[Comparison], action: PushAction) -> list[TicketRequest]:
    """Return the requests that fetch the existing tickets with an action again."""
    return [
        TicketRequest.of(comparison.local_change)
        for comparison in comparisons
        if comparison.action is action and comparison.local_change.head is not None
    ]
