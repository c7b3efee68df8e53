"""Finds out what happened to issues that a pull no longer finds, and prunes their files.

No file is deleted because its issue is missing. Only a pull with ``prune`` moves unedited
files into ticketr's own folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import by_key, changes, read_ticket
from ticketr.app.sync.concurrency import PAGE, chunks
from ticketr.app.sync.notes import Code, Note, not_given
from ticketr.app.sync.queries import OVERLAP
from ticketr.app.sync.state.state import Base, KnownIssue
from ticketr.app.sync.workspace.files import attempt, comparable
from ticketr.app.tickets import Ticket, TicketFile, render_ticket, rewrite

if TYPE_CHECKING:
    from ticketr.app.sync.pull.tally import Tally
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.workspace.store import TicketLocation

#: What a note says of an issue that Jira no longer has.
_DELETED = "it was deleted in Jira, or you may no longer see it"
_EDITED = f"{_DELETED}; it was edited here, or its file holds more than it"


async def handle_missing(
    session: Session,
    missing: Sequence[KnownIssue],
    locations: Mapping[str, TicketLocation],
    tally: Tally,
    *,
    now: float,
    prune: bool,
) -> None:
    """Ask Jira what has happened to issues that a project no longer has.

    Args:
        session: The workspace and the site.
        missing: The issues.
        locations: The location of each key.
        tally: Takes a note on each that is not removed, and what is.
        now: Jira's clock. An issue that was created a moment ago may not be in the search yet.
        prune: Whether to remove deleted issues that were not edited: a ticket with its file if
            the file holds nothing else, a sub-task with its lines.
    """
    lost: list[KnownIssue] = []
    reasons: dict[str, tuple[str, Code]] = {}
    for chunk in chunks(missing, PAGE):
        answer = await session.jira.bulk_fetch(
            [issue.id for issue in chunk], fields=["created"], partly=True
        )
        there = {issue.id: issue for issue in answer.issues}
        for known in chunk:
            if known.id in answer.failed:
                words = not_given(answer.failed[known.id])
                reasons[known.key] = f"the query no longer finds it, and {words}", Code.UNREACHED
            elif (issue := there.get(known.id)) is None:
                lost.append(known)
            elif issue.key != known.key:
                words = f"Jira calls it {issue.key} now; it was moved to another project"
                reasons[known.key] = words, Code.MOVED
            elif not _is_new(issue, now):
                reasons[known.key] = "the query no longer finds it", Code.UNMATCHED
    removable, stuck = await _prune(session, lost, locations, is_dry=not prune)
    for known in lost:
        if known.key in stuck:
            words = f"{_DELETED}; {stuck[known.key]}"
            tally.fail(Note(known.key, locations[known.key].path, words, Code.BROKEN))
        elif not prune or known.key not in removable:
            reasons[known.key] = (
                _DELETED if known.key in removable else _EDITED,
                Code.MISSING,
            )
    keys = [known.key for known in lost if known.key in removable]
    tally.add_gone(
        [
            Note(known.key, locations[known.key].path, *reasons[known.key])
            for known in missing
            if known.key in reasons
        ],
        pruned=keys if prune else (),
        prunable=() if prune else keys,
    )


def _is_new(issue: Issue, now: float) -> bool:
    try:
        created = datetime.fromisoformat(str(issue.fields.get("created")))
    except ValueError:  # a server may say anything
        return False
    return now - created.timestamp() < OVERLAP * 60


async def _prune(
    session: Session,
    lost: Sequence[KnownIssue],
    locations: Mapping[str, TicketLocation],
    *,
    is_dry: bool,
) -> tuple[set[str], dict[str, TicketrError]]:
    """Move away what Jira no longer has; a ticket goes with its sub-tasks.

    Args:
        session: The workspace.
        lost: The issues.
        locations: The location of each key.
        is_dry: Whether to find out only what could be moved.

    Returns:
        The keys of what was moved, and why files could not be read or written, by the key of the
        issue that was to be moved.
    """
    heads = {issue.id: issue for issue in lost if issue.id == issue.head}
    pruned: set[str] = set()
    stuck: dict[str, TicketrError] = {}
    for issue in lost:
        location = locations[issue.key]
        if issue.id in heads:
            change = partial(_prune_file, session, issue, location.path, is_dry=is_dry)
            gone = {one.key for one in lost if one.head == issue.id}
        elif issue.head not in heads:
            change = partial(_prune_task, session, issue, location, is_dry=is_dry)
            gone = {issue.key}
        else:
            continue
        outcome = await session.in_thread(attempt, change)
        if outcome is True:
            pruned |= gone
        elif isinstance(outcome, TicketrError) and not is_dry:
            stuck[issue.key] = outcome
    return pruned, stuck


def _find_unedited_task(
    session: Session, location: TicketLocation, key: str, known: Ticket
) -> Ticket | None:
    """Return a sub-task in its file, if it was not edited there."""
    here = {local.ticket.key: local.ticket for local in session.store.local(location.path)}
    return _unedited(here.get(location.head), key, known)


def _prune_file(session: Session, issue: KnownIssue, path: str, *, is_dry: bool) -> bool:
    """Move a file away and forget its issues, so that a restored issue comes as a new one."""
    base = session.state.base(issue.id)
    if base is None or session.store.refusal(path):
        return False
    if is_dry:
        return comparable(session.store.read(path).text) == comparable(base.text)
    if session.editor.remove(path, issue.key, base.text) is None:
        return False
    session.state.forget(issue.id)
    return True


def _prune_task(
    session: Session, task: KnownIssue, location: TicketLocation, *, is_dry: bool
) -> bool:
    """Remove a sub-task's lines from its ticket's file, and from the ticket's base."""
    state = session.state
    base = state.base(task.head)
    before = read_ticket(base.text) if base else None
    known = by_key(before).get(task.key) if before else None
    if base is None or before is None or known is None:
        return False
    if is_dry:
        return _find_unedited_task(session, location, task.key, known) is not None
    if not _remove_lines(session, location, task.key, known):
        return False
    rows = state.rows_of(task.head)
    rest = [row for row in rows if row.issue.id != task.id]
    dead = [row for row in rows if row.issue.id == task.id]
    seen = state.known()[task.head].seen
    with state.batch():
        left = Base(base.path, render_ticket(_without_task(before, task.key)))
        state.record(task.head, left, rest, seen=seen)
        # Under a head of its own it can be forgotten by itself.
        state.record(task.id, Base(base.path, ""), dead, seen=seen)
    state.forget(task.id)
    return True


def _remove_lines(session: Session, location: TicketLocation, key: str, known: Ticket) -> bool:
    """Remove an unedited task's lines from a file, and keep a copy of them."""
    task = _find_unedited_task(session, location, key, known)
    if task is None:
        return False
    session.editor.put_aside(key, render_ticket(task))

    def less(file: TicketFile) -> TicketFile | None:
        for at, ticket in enumerate(file.tickets):
            if ticket.key == location.head and _unedited(ticket, key, known) is not None:
                return rewrite(file, {at: _without_task(ticket, key)})
        return None  # it was edited a moment ago

    return session.editor.change(location.path, less)


def _unedited(ticket: Ticket | None, key: str, known: Ticket) -> Ticket | None:
    """Return a task of a ticket if it has not changed since the last sync."""
    tasks = ticket.tasks if ticket else ()
    here = next((task for task in tasks if task.key == key), None)
    return None if here is None or here.remarks or changes(known, here) else here


def _without_task(ticket: Ticket, key: str) -> Ticket:
    return replace(ticket, tasks=tuple(task for task in ticket.tasks if task.key != key))
