"""Push: from edited files to Jira.

A push compares the edits in the workspace with Jira. It leaves a ticket that has changed in Jira to
the next pull, or merges it. It plans every request before it sends the first one. Then it changes
and creates issues, and reads them again: tickets side by side, parents before sub-tasks. Each ticket
succeeds or fails by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import BadRequest, NotFound
from ticketr.app.sync.edits.local_changes import TicketChanges
from ticketr.app.sync.edits.losses import AllOrTheseLosses
from ticketr.app.sync.edits.push_plan import PushPlan, make_plan_entry, route_text, select_changes
from ticketr.app.sync.edits.survey import LocalSurvey
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.outbox import wait_out_late_comments
from ticketr.app.sync.push.preparation import prepare_writes
from ticketr.app.sync.push.refresh import (
    PushAction,
    TicketToFetch,
    compare_with_jira,
    fetch_and_write,
    record_never_pulled,
)
from ticketr.app.sync.push.sending import Delivery
from ticketr.app.sync.push.tally import PushTally, unshown_route_reason
from ticketr.app.sync.push.writes import IssueWrite, TicketWrites

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.workspace.store import LocalTicket


@dataclass(frozen=True, slots=True)
class Push:
    """A push of the edits of a workspace to Jira.

    Attributes:
        session: The workspace and the site.
        tally: Counts issues as soon as they are pushed, and collects notes.
        keys_and_paths: The keys and files that were named; None for all.
        confirmed: The plan that was confirmed; None if everything may be sent. The rest is left
            alone and noted.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.
    """

    session: Session
    tally: PushTally
    keys_and_paths: frozenset[str] | None = None
    confirmed: PushPlan | None = None
    accept_loss: AllOrTheseLosses = False

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
        session, tally, keys = self.session, self.tally, self.keys_and_paths
        local_changes = await self._select_sendable(survey.local_changes)
        never_pulled = [
            local
            for local in survey.never_pulled
            if keys is None or not keys.isdisjoint((*local.ticket.keys(), local.path))
        ]
        if not local_changes and not never_pulled:
            await trio.lowlevel.checkpoint()
            return
        if session.file_fields.has_comments and not dry_run:
            await wait_out_late_comments(session)
        seen = session.jira.last_answer_site_time()
        if never_pulled and not dry_run:
            local_changes = [*local_changes, *await self._record_and_select(never_pulled, seen)]
        try:
            requests, prepared = await self._prepare(local_changes, merging=merging)
            same = requests[PushAction.ALREADY_IN_JIRA]
            if to_merge := requests[PushAction.MERGE_FIRST]:
                merged, more = await self._merge_and_prepare(to_merge, seen)
                same, prepared = [*same, *merged[PushAction.ALREADY_IN_JIRA]], [*prepared, *more]
        except (BadRequest, NotFound):
            await session.raise_if_project_is_cause()  # noqa: ASYNC120 - a cancellation wins
            raise
        new_routes: set[tuple[str, ...]] | None = None
        if self.confirmed is not None:
            shown = {entry.key: entry.statuses_between for entry in self.confirmed.entries}
            prepared = [self._without_unshown_routes(ticket, shown) for ticket in prepared]
            new_routes = {
                entry.statuses_between for entry in self.confirmed.entries if not entry.key
            }
        writes = [ticket for ticket in prepared if ticket.issues]
        tally.set_plan(
            make_plan_entry(
                ticket.local_change,
                write.issue,
                write.changes,
                write.payload.inherited,
                write.statuses_between,
            )
            for ticket in writes
            for write in ticket.issues
        )
        if dry_run:
            return
        if same:
            outcomes, _ = await fetch_and_write(session, same, seen=seen)
            tally.note_unwritten_and_older_values(outcomes)
        if writes:
            tally.show(session.progress)
            await Delivery(session, tally, writes, new_routes, seen).run()

    async def _record_and_select(
        self, never_pulled: Sequence[LocalTicket], seen: float
    ) -> Sequence[TicketChanges]:
        """Record tickets that were never pulled; return edits of moved ones, known by other keys."""
        outcomes, unavailable = await record_never_pulled(self.session, never_pulled, seen=seen)
        self.tally.fail(*unavailable)
        self.tally.note_unwritten_and_older_values(outcomes)
        keys = {outcome.family.issues[0].key for outcome in outcomes if outcome.note is None}
        survey = await self.session.survey() if keys else LocalSurvey()
        return await self._select_sendable(
            [change for change in survey.local_changes if change.local.ticket.key in keys]
        )

    async def _select_sendable(self, changes: Sequence[TicketChanges]) -> Sequence[TicketChanges]:
        """Return the changes that may be sent; note what was not confirmed, or was sent before."""
        session = self.session
        select = partial(select_changes, keys=self.keys_and_paths, confirmed=self.confirmed)
        selected, left, in_conflict = await session.in_thread(
            select, changes, session.state, session.job.prefer
        )
        stuck = {note.path for note in self.tally.result.failed if note.code is Code.BROKEN}
        left = [one for one in left if one.code is not Code.MAYBE_CREATED or one.path not in stuck]
        if left:
            self.tally.note_left_alone(*left)
        for change, note in in_conflict:
            self.tally.hold_back(note, len(change.edits_and_drafts()))
        return selected

    async def _prepare(
        self, local_changes: Sequence[TicketChanges], *, merging: bool = False
    ) -> tuple[Mapping[PushAction, Sequence[TicketToFetch]], list[TicketWrites]]:
        """Prepare a push without sending anything; note what will not be sent.

        Args:
            local_changes: The edits, in the order of the files.
            merging: See `run`.

        Returns:
            The tickets to fetch again, by the action that fetches them; and what is sent of each
            ticket.
        """
        session, tally = self.session, self.tally
        comparisons = await compare_with_jira(session, local_changes, merging=merging)
        sent = [comparison for comparison in comparisons if comparison.action is PushAction.SEND]
        writes = await prepare_writes(session, sent, self.accept_loss)
        requests: dict[PushAction, list[TicketToFetch]] = {
            PushAction.ALREADY_IN_JIRA: [],
            PushAction.MERGE_FIRST: [],
        }
        for comparison in comparisons:
            action, change = comparison.action, comparison.local_change
            if action in requests:
                requests[action].append(TicketToFetch.of(change))
            if action is PushAction.HOLD_BACK:
                tally.hold_back(comparison.unsent_part_notes[0], len(change.edits_and_drafts()))
            elif comparison.unsent_part_notes:
                tally.fail(*comparison.unsent_part_notes)
        tally.fail(*(note for ticket in writes for note in ticket.unsendable_issue_notes))
        tally.warn(*(note for ticket in writes for note in ticket.warnings))
        return requests, writes

    async def _merge_and_prepare(
        self, to_merge: Sequence[TicketToFetch], seen: float
    ) -> tuple[Mapping[PushAction, Sequence[TicketToFetch]], list[TicketWrites]]:
        """Merge tickets that have changed in Jira too, and prepare them."""
        session = self.session
        outcomes, _ = await fetch_and_write(session, to_merge, seen=seen)
        self.tally.note_unwritten_and_older_values(outcomes)
        noted = {outcome.family.issues[0].id for outcome in outcomes if outcome.note is not None}
        wanted = {request.head_id_or_key for request in to_merge} - noted
        survey = await session.survey()
        changes = [change for change in survey.local_changes if change.head_id in wanted]
        return await self._prepare(await self._select_sendable(changes))

    def _without_unshown_routes(
        self, ticket: TicketWrites, shown: Mapping[str, tuple[str, ...]]
    ) -> TicketWrites:
        """Leave out the edits whose status takes several transitions that the plan did not show.

        Args:
            ticket: The writes of a ticket.
            shown: The statuses on the way of each issue in the plan, by its key.
        """
        issues: list[IssueWrite] = []
        for write in ticket.issues:
            if write.statuses_between in {(), shown.get(write.key, ())}:
                issues.append(write)
                continue
            route = route_text(write.old_status, write.statuses_between, write.payload.status or "")
            note = Note.on(write.issue, write.path, unshown_route_reason(route), Code.NOT_IN_PLAN)
            self.tally.note_left_alone(note)
        return replace(ticket, issues=tuple(issues))
