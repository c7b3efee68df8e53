"""Push: from edited files to Jira.

A push compares the edits in the workspace with Jira. It leaves a ticket that has changed in Jira to
the next pull, or merges it. It plans every request before it sends the first one. Then it changes
and creates issues, and reads them again. Each ticket succeeds or fails by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import JiraError
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.planning import select_changes
from ticketr.app.sync.edits.push_plan import PushPlan, way_text
from ticketr.app.sync.edits.selection import EVERYTHING, Selection
from ticketr.app.sync.edits.survey import LocalSurvey
from ticketr.app.sync.edits.write_requests import UPLOAD, uploads_of
from ticketr.app.sync.notes import Code, Note, in_conflict
from ticketr.app.sync.push.commenting import wait_for_late_comments
from ticketr.app.sync.push.delivery import Delivery
from ticketr.app.sync.push.preparation import Preparation, prepare
from ticketr.app.sync.push.refresh import adopt, refresh
from ticketr.app.sync.push.tally import Action, PushTally, longer_way
from ticketr.app.sync.push.writes import NewIssue, TicketWrites
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.decision import WriteOutcome
from ticketr.app.sync.writing.writer import FamilyResult

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


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
    never_pulled = [ticket for ticket in survey.never_pulled if selection.names(ticket.ticket)]
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
    touched = await Delivery(session, tally, plan.writes, after=after, ways=ways).run()
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
