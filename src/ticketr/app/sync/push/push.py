"""Push: from edited files to Jira.

A push compares the edits in the workspace with Jira. It leaves a ticket that has changed in Jira to
the next pull, or merges it. It plans every request before it sends the first one. Then it changes
and creates issues, and reads them again: tickets side by side, parents before sub-tasks. Each ticket
succeeds or fails by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import Created, JiraError
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.concurrency import run_in_tasks
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.planning import select_changes
from ticketr.app.sync.edits.push_plan import (
    EVERYTHING,
    UPLOAD,
    PushPlan,
    Selection,
    uploads_of,
    way_text,
)
from ticketr.app.sync.edits.survey import LocalSurvey
from ticketr.app.sync.notes import Code, Note, in_conflict
from ticketr.app.sync.push.commenting import wait_for_late_comments
from ticketr.app.sync.push.preparation import Preparation, prepare
from ticketr.app.sync.push.refresh import adopt, refresh
from ticketr.app.sync.push.sending import IssueSender
from ticketr.app.sync.push.tally import Action, PushTally, longer_way
from ticketr.app.sync.push.writes import NewIssue, TicketWrites, WantedIssue
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.writer import FamilyResult

if TYPE_CHECKING:
    from ticketr.app.sync.push.creating import Creator
    from ticketr.app.sync.session import Session


#: With fewer new issues, each is sent alone: its refusal says more.
_FEWEST = 10


class _Delivery:
    """Sends the writes of tickets, several tickets at once; see `Creator` for ``after`` and ``ways``."""

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        writes: Sequence[TicketWrites],
        *,
        after: Mapping[str, int],
        ways: Collection[tuple[str, ...]] | None = None,
    ) -> None:
        self._session = session
        self._tally = tally
        self._sender = IssueSender(session, tally)
        self._writes = writes
        # With the ID and key of a ticket that an earlier request has created.
        self._waiting: deque[tuple[TicketWrites, Created | None]] = deque(
            (write, None) for write in writes
        )
        self._after = after
        self._ways = ways
        self._drafts = frozenset(
            replace(issue.issue, tasks=()) for ticket in writes for issue in ticket.new_issues
        )
        # Many sub-tasks of new tickets are created together, once all these tickets exist.
        of_new = sum(len(write.new_subtasks) for write in writes if write.new_ticket)
        self._has_many_subtasks = of_new >= _FEWEST
        self._later: deque[tuple[TicketWrites, Created]] = deque()
        self._touched: dict[str, str] = {}

    @cached_property
    def _creator(self) -> Creator:
        from ticketr.app.sync.push.creating import Creator  # noqa: PLC0415 - only for new issues

        return Creator(
            self._session, self._tally, after=self._after, drafts=self._drafts, ways=self._ways
        )

    async def run(self) -> Mapping[str, str]:
        """Send all writes; note what Jira refuses, and continue with the rest.

        Returns:
            The file of each ticket that was created or changed, by its head's ID.

        Raises:
            TicketrError: As for `Creator.create`.

        Cancellation:
            Takes effect at once. The state holds what Jira has taken, or `recover` finds it in the
            next run.
        """
        await self._create_ahead(self._first_new_issues())
        await run_in_tasks(self._send_waiting)
        if self._drafts:
            await self._send_what_waits()
        if linked := self._sender.linked:
            others = await self._session.in_thread(_tickets_of, self._session.state, linked)
            self._touched = others | self._touched
        return self._touched

    async def _send_what_waits(self) -> None:
        """Send the rest of the new issues that exist in spite of a refusal, and what waits."""
        # The sub-tasks of tickets that exist in spite of a refusal were not sent yet.
        tickets = {id(write.new_ticket): write for write in self._writes if write.new_ticket}
        for new_issue, created in await self._creator.look_for_refused():
            if (ticket := tickets.get(id(new_issue))) is not None:
                self._waiting.append((ticket, created))
        if self._waiting:
            await run_in_tasks(self._send_waiting)
            await self._creator.look_for_refused()
        if self._later:
            await self._create_ahead(
                WantedIssue(subtask, ticket.path, created.key)
                for ticket, created in self._later
                for subtask in ticket.new_subtasks
            )
            await run_in_tasks(self._send_later)
            await self._creator.look_for_refused()

    def _first_new_issues(self) -> Iterator[WantedIssue]:
        """Yield the new issues whose parents exist, or that have none."""
        for ticket in self._writes:
            if ticket.new_ticket is not None:
                yield WantedIssue(ticket.new_ticket, ticket.path, None)
            else:
                parent = ticket.local_change.local.ticket.key
                for subtask in ticket.new_subtasks:
                    yield WantedIssue(subtask, ticket.path, parent)

    async def _create_ahead(self, wanted: Iterable[WantedIssue]) -> None:
        """Create issues in few requests, if there are many."""
        wanted = tuple(wanted)
        if len(wanted) >= _FEWEST:
            count = f"{len(wanted)} tickets"
            self._session.progress.say(f"Creating {count}...")
            await self._creator.create_ahead(wanted)

    async def _send_waiting(self) -> None:
        while self._waiting:
            ticket, created = self._waiting.popleft()
            if ticket.new_ticket is not None and created is None:
                created = await self._creator.create(ticket.new_ticket, ticket.path, parent=None)
                if created is None:
                    continue
            await self._send_rest(ticket, created)

    async def _send_rest(self, ticket: TicketWrites, created: Created | None) -> None:
        """Send the edits and new sub-tasks of a ticket that exists in Jira."""
        local_change = ticket.local_change
        if ticket.new_ticket is not None and created is not None:
            await self._sender.complete(ticket.new_ticket, created, ticket.path)
        for edit in ticket.edits:
            local_change = await self._sender.edit(edit, local_change)
        if created is not None and self._has_many_subtasks:
            self._later.append((ticket, created))
        else:
            parent = local_change.local.ticket.key if created is None else created.key
            await self._send_subtasks(ticket, parent)
        head = local_change.head if created is None else created.id
        if head is not None:
            self._touched[head] = ticket.path

    async def _send_later(self) -> None:
        while self._later:
            ticket, created = self._later.popleft()
            await self._send_subtasks(ticket, created.key)

    async def _send_subtasks(self, ticket: TicketWrites, parent: str | None) -> None:
        for subtask in ticket.new_subtasks:
            new = await self._creator.create(subtask, ticket.path, parent=parent)
            if new is not None:
                await self._sender.complete(subtask, new, ticket.path)


def _tickets_of(state: State, keys: Iterable[str]) -> dict[str, str]:
    """Return the file of the ticket of each key that is in a file, by its head's ID."""
    bases = {head: state.base(head) for key in keys if (head := state.head_of(key)) is not None}
    return {head: base.path for head, base in bases.items() if base is not None}


async def push(
    session: Session,
    survey: LocalSurvey,
    tally: PushTally,
    *,
    dry_run: bool = False,
    merging: bool = False,
    accept_loss: Accepted = False,
    selection: Selection = EVERYTHING,
) -> None:
    """Send the edits of a workspace to Jira.

    Args:
        session: The workspace and the site.
        survey: The edits.
        tally: Counts issues as soon as they are pushed.
        dry_run: Whether to plan and check the push without sending anything.
        merging: Whether to merge tickets that have also changed in Jira, not hold them back.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.
        selection: What may be sent. The rest is left alone and noted.

    Cancellation:
        Takes effect at once, inside a running request too. The state holds what Jira has taken,
        or the next run finds it.
    """
    local_changes = await _select(session, survey.local_changes, tally, selection)
    never_pulled = [ticket for ticket in survey.never_pulled if selection.names(ticket)]
    if not local_changes and not never_pulled:
        await trio.lowlevel.checkpoint()
        return
    if session.columns.comments and not dry_run:
        await wait_for_late_comments(session)
    seen = await session.now()
    async with session.naming_project():
        plan = await prepare(session, local_changes, merging=merging, accept_loss=accept_loss)
        _add_plan(tally, plan)
        if plan.to_merge_first:
            merged = await _merge_and_prepare(
                session, plan, tally, accept_loss, selection, seen=seen
            )
            _add_plan(tally, merged)
            plan = plan.with_merged(merged)
    if selection.confirmed is not None:
        plan = _leave_longer_ways(plan, selection.confirmed, tally)
    tally.plan(action for ticket in plan.writes for action in _actions(ticket))
    if not dry_run:
        await _record_without_sending(session, never_pulled, plan, tally, seen=seen)
        if plan.writes:
            await _send(session, plan, tally, selection.confirmed, seen=seen)


async def _select(
    session: Session,
    local_changes: Sequence[LocalChange],
    tally: PushTally,
    selection: Selection,
) -> Sequence[LocalChange]:
    """Return the changes that may be sent; note what was not confirmed, or was sent before."""
    selected = await session.in_thread(select_changes, local_changes, session.state, selection)
    stuck = {note.path for note in tally.result.failed if note.code is Code.BROKEN}
    tally.leave(
        *(
            note
            for note in selected.left
            if note.code is not Code.UNCERTAIN or note.path not in stuck
        )
    )
    clashes = await session.in_thread(session.state.clashes) if selected.in_conflict else {}
    for change in selected.in_conflict:
        reason = in_conflict(change.name, ", ".join(clashes.get(change.head or "", ())))
        tally.hold_back(Note(change.name, change.local.path, reason, Code.CONFLICT), change.writes)
    return selected.local_changes


async def _merge_and_prepare(
    session: Session,
    plan: Preparation,
    tally: PushTally,
    accept_loss: Accepted,
    selection: Selection,
    *,
    seen: float,
) -> Preparation:
    """Merge the tickets that have changed in Jira too, and prepare them."""
    outcomes, _ = await refresh(session, plan.to_merge_first, seen=seen, added_keys=plan.added_keys)
    _add_notes(tally, outcomes)
    noted = {outcome.family.issues[0].id for outcome in outcomes if outcome.note is not None}
    wanted = plan.to_merge_first.keys() - noted
    survey = await session.survey()
    changes = [change for change in survey.local_changes if change.head in wanted]
    merged = await _select(session, changes, tally, selection)
    return await prepare(session, merged, advice="sync again in a moment", accept_loss=accept_loss)


def _leave_longer_ways(plan: Preparation, confirmed: PushPlan, tally: PushTally) -> Preparation:
    """Leave out the edits whose status takes several transitions that the plan did not show."""
    shown = {entry.key: entry.between for entry in confirmed.entries}
    writes: list[TicketWrites] = []
    for ticket in plan.writes:
        longer = [edit for edit in ticket.edits if edit.between != shown.get(edit.key, ())]
        longer = [edit for edit in longer if edit.between]
        for edit in longer:
            way = way_text(edit.status, edit.between, edit.payload.status or "")
            tally.leave(Note.on(edit.issue, ticket.path, longer_way(way), Code.UNCONFIRMED))
        edits = tuple(edit for edit in ticket.edits if edit not in longer)
        if edits or ticket.new_issues:
            writes.append(replace(ticket, edits=edits))
    return replace(plan, writes=tuple(writes))


async def _record_without_sending(
    session: Session,
    never_pulled: Sequence[LocalTicket],
    plan: Preparation,
    tally: PushTally,
    *,
    seen: float,
) -> None:
    """Record tickets that were never pulled here, and tickets whose edits Jira already has."""
    outcomes, unavailable = await adopt(session, never_pulled, seen=seen)
    tally.fail(*unavailable)
    same, _ = await refresh(session, plan.already_in_jira, seen=seen, added_keys=plan.added_keys)
    _add_notes(tally, [*outcomes, *same])


async def _send(
    session: Session,
    plan: Preparation,
    tally: PushTally,
    confirmed: PushPlan | None,
    *,
    seen: float,
) -> None:
    """Send the writes, then fetch the tickets again."""
    tally.show(session.progress)
    after = await _highest_numbers(session, plan.writes)
    ways = None if confirmed is None else {e.between for e in confirmed.entries if not e.key}
    touched = await _Delivery(session, tally, plan.writes, after=after, ways=ways).run()
    try:
        outcomes, unavailable = await refresh(
            session, touched, seen=seen, added_keys=plan.added_keys
        )
    except JiraError as error:
        unread = dict.fromkeys(touched, str(error))
    else:
        _add_notes(tally, outcomes)
        unread = {
            head: note.reason for head, note in unavailable.items() if note.code is Code.UNREACHED
        }
    if unread:
        tally.warn(*await _unread_notes(session, touched, unread))


async def _unread_notes(
    session: Session, touched: Mapping[str, str], unread: Mapping[str, str]
) -> list[Note]:
    """Return a note for each pushed ticket that could not be fetched again."""
    known = await session.in_thread(session.state.known)
    return [
        Note(
            known[head].key,
            touched[head],
            f"it was pushed, but could not be read again: {reason}",
            Code.UNREACHED,
        )
        for head, reason in unread.items()
        if head in known
    ]


async def _highest_numbers(session: Session, writes: Sequence[TicketWrites]) -> dict[str, int]:
    """Return the highest number in each project's keys; a new issue gets a higher number."""
    highest: dict[str, int] = {}
    for project in {issue.project for ticket in writes for issue in ticket.new_issues}:
        key = await session.jira.newest_key(project)
        number = key.rpartition("-")[2] if key else ""
        highest[project] = int(number) if number.isdecimal() else 0
    return highest


def _add_plan(tally: PushTally, plan: Preparation) -> None:
    tally.fail(*plan.failed)
    tally.warn(*plan.warnings)
    for back in plan.held_back:
        tally.hold_back(back.note, back.writes)


def _add_notes(tally: PushTally, outcomes: Sequence[FamilyResult]) -> None:
    """Count the tickets that could not be written to their files."""
    for outcome in outcomes:
        if outcome.note is None:
            continue
        if outcome.written is WriteOutcome.CONFLICT:
            shares = [outcome.outcome_of(issue.key) for issue in outcome.family.issues]
            tally.hold_back(outcome.note, shares.count(WriteOutcome.CONFLICT))
        else:
            tally.fail(outcome.note)


def _actions(ticket: TicketWrites) -> Iterator[Action]:
    if ticket.new_ticket is not None:
        yield _creation(ticket.new_ticket, ticket)
    for edit in ticket.edits:
        changes = _changes(edit.changes, ticket)
        yield Action("update", edit.key, edit.issue.title, ticket.path, changes, edit.between)
    for subtask in ticket.new_subtasks:
        yield _creation(subtask, ticket)


def _creation(new: NewIssue, ticket: TicketWrites) -> Action:
    changes = _changes(draft_changes(new.issue), ticket)
    shown = ticket.local_change.inherited_text
    inherited = ((change.name, "", shown(change)) for change in new.payload.inherited)
    return Action("create", "", new.issue.title, ticket.path, (*changes, *inherited))


def _changes(changes: Sequence[Change], ticket: TicketWrites) -> tuple[tuple[str, str, str], ...]:
    files = uploads_of(changes, ticket.local_change.pictures)
    own = ((change.name, change.old_shown, change.new_shown) for change in changes)
    return (*own, *((UPLOAD, "", words) for words in files))
