"""Push: from edited files to Jira.

A push compares the edits in the workspace with Jira. It leaves a ticket that has changed in Jira to
the next pull, or merges it. It plans every request before it sends the first one. Then it changes
and creates issues, and reads them again: tickets side by side, parents before sub-tasks. Each ticket
succeeds or fails by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from ticketr.app.sync.push.refresh import Comparison, PushAction, adopt, compare_with_jira, refresh
from ticketr.app.sync.push.sending import Delivery
from ticketr.app.sync.push.tally import PushTally, longer_route
from ticketr.app.sync.push.writes import IssueWrite, TicketWrites
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.writer import FamilyResult

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a push will do with each local change.

    Attributes:
        comparisons: How each compares with Jira.
        writes: What the push sends of each ticket.
    """

    comparisons: tuple[Comparison, ...]
    writes: tuple[TicketWrites, ...]

    def files(self, action: PushAction) -> dict[str, str]:
        """Return the files of the tickets with an action, by the IDs of their heads."""
        return {
            comparison.local_change.head: comparison.local_change.local.path
            for comparison in self.comparisons
            if comparison.action is action and comparison.local_change.head is not None
        }

    @property
    def added_keys(self) -> dict[str, tuple[str, ...]]:
        """The keys that were added to a ticket's file since the last sync, by its head's ID."""
        changes = (comparison.local_change for comparison in self.comparisons)
        return {
            change.head: change.added_keys
            for change in changes
            if change.head is not None and change.added_keys
        }


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
            plan = await self._prepare(local_changes, merging=merging)
            if plan.files(PushAction.MERGE_FIRST):
                merged = await self._merge_and_prepare(plan, seen)
                plan = Preparation(
                    plan.comparisons + merged.comparisons, plan.writes + merged.writes
                )
        writes = [ticket for ticket in self._confirmed(plan.writes) if ticket.issues]
        tally.plan(write.entry(ticket.local_change) for ticket in writes for write in ticket.issues)
        if dry_run:
            return
        # Tickets that were never pulled here, and those whose edits Jira already has.
        outcomes, unavailable = await adopt(session, never_pulled, seen=seen)
        tally.fail(*unavailable)
        same = plan.files(PushAction.SAME)
        known, _ = await refresh(session, same, seen=seen, added_keys=plan.added_keys)
        self._note([*outcomes, *known])
        if writes:
            tally.show(session.progress)
            shown = self.confirmed
            shown_routes = (
                None if shown is None else {e.between for e in shown.entries if not e.key}
            )
            read_back = partial(self._read_back, plan.added_keys, seen)
            await Delivery(session, tally, writes, shown_routes, read_back).run()

    async def _select(self, local_changes: Sequence[LocalChange]) -> Sequence[LocalChange]:
        """Return the changes that may be sent; note what was not confirmed, or was sent before."""
        session = self.session
        select = partial(select_changes, keys=self.keys, confirmed=self.confirmed)
        selected = await session.in_thread(select, local_changes, session.state, session.job.prefer)
        stuck = {note.path for note in self.tally.result.failed if note.code is Code.BROKEN}
        self.tally.leave(
            *(
                note
                for note in selected.left
                if note.code is not Code.UNCERTAIN or note.path not in stuck
            )
        )
        for note, writes in selected.in_conflict:
            self.tally.hold_back(note, writes)
        return selected.local_changes

    async def _prepare(
        self,
        local_changes: Sequence[LocalChange],
        *,
        merging: bool = False,
        advice: str = "pull first, or sync",
    ) -> Preparation:
        """Prepare a push without sending anything; note what will not be sent.

        Args:
            local_changes: The edits, in the order of the files.
            merging: See `run`.
            advice: What the user can do about a ticket that is held back.
        """
        session, tally = self.session, self.tally
        comparisons = await compare_with_jira(
            session, local_changes, merging=merging, advice=advice
        )
        sent = [comparison for comparison in comparisons if comparison.action is PushAction.SEND]
        writes = await prepare(session, sent, self.accept_loss)
        failed: list[Note] = []
        for comparison in comparisons:
            if comparison.action is PushAction.HOLD_BACK:
                tally.hold_back(comparison.notes[0], comparison.local_change.writes)
            else:
                failed += comparison.notes
        failed += (note for ticket in writes for note in ticket.failed)
        tally.fail(*failed)
        tally.warn(*(note for ticket in writes for note in ticket.warnings))
        return Preparation(tuple(comparisons), tuple(writes))

    async def _merge_and_prepare(self, plan: Preparation, seen: float) -> Preparation:
        """Merge the tickets that have changed in Jira too, and prepare them."""
        session, to_merge = self.session, plan.files(PushAction.MERGE_FIRST)
        outcomes, _ = await refresh(session, to_merge, seen=seen, added_keys=plan.added_keys)
        self._note(outcomes)
        noted = {outcome.family.issues[0].id for outcome in outcomes if outcome.note is not None}
        wanted = to_merge.keys() - noted
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

    async def _read_back(
        self,
        added_keys: Mapping[str, tuple[str, ...]],
        seen: float,
        touched: Mapping[str, str],
    ) -> None:
        """Fetch tickets that were sent, and write them into their files; see `refresh`."""
        session = self.session
        try:
            outcomes, unavailable = await refresh(
                session, touched, seen=seen, added_keys=added_keys
            )
        except JiraError as error:
            unread = dict.fromkeys(touched, str(error))
        else:
            self._note(outcomes)
            unread = {
                head: absent.reason
                for head, absent in unavailable.items()
                if absent.code is Code.UNREACHED
            }
        if not unread:
            return
        known = await session.in_thread(session.state.known)
        for head, reason in unread.items():
            if head in known:
                words = f"it was pushed, but could not be read again: {reason}"
                self.tally.warn(Note(known[head].key, touched[head], words, Code.UNREACHED))

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
