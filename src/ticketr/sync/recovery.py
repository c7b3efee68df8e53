"""Finds issues that Jira was asked to create when the answer, or this program, was lost.

Jira has no way to say "create this once". So each new issue carries a random marker in its own
properties, and what was asked for is on disk before it is asked. Whatever happens then, the
issue can be found: among the keys that follow the highest one from before, which are read as they
are now, not as the search index has them.

What cannot be promised: an issue that Jira creates later than `SessionJob.settle` seconds after
it was asked for would be created twice. Jira's own gateway gives up long before that.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ticketr.jira import Issue
from ticketr.sync.session import PAGE
from ticketr.sync.state import Base, Row
from ticketr.tickets import parse, render_ticket

if TYPE_CHECKING:
    from ticketr.sync.journal import Creation
    from ticketr.sync.session import Session
    from ticketr.sync.state import State
    from ticketr.tickets import Ticket

#: The entity property that holds the marker.
PROPERTY = "ticketr.created"


async def recover(session: Session) -> bool:
    """Settle what a killed or cut-off run has left: find its issues, write their keys.

    Args:
        session: the workspace and the site.

    Returns:
        Whether there was anything, so that files may have changed.

    Cancellation:
        Takes effect at once; what is not settled yet is left for the next time.
    """
    left = await session.in_thread(session.state.creations.all)
    for creation in left:
        if creation.key is None:
            found = await look_up(session, creation)
            if found is None:  # it certainly never came to be: the draft is simply a draft
                await session.in_thread(session.state.creations.forget, creation.marker)
                continue
            creation = found  # noqa: PLW2901
        await _write_key_somewhere(session, creation)
    return bool(left)


async def look_up(session: Session, creation: Creation) -> Creation | None:
    """Find out whether an issue that was asked for is there, once that is certain.

    Args:
        session: the workspace and the site.
        creation: what was asked for.

    Returns:
        The same with its ID and key, which are on disk then; None if it does not exist.

    Raises:
        JiraError: it could not be found out.

    Cancellation:
        Takes effect at once, also while waiting for a late request to be carried out.
    """
    await _let_settle(session, creation)
    number = creation.after
    while True:
        keys = [f"{creation.project}-{number + step}" for step in range(1, PAGE + 1)]
        answer = await session.jira.bulk_fetch(keys, fields=["summary"], properties=[PROPERTY])
        for issue in answer.issues:
            if issue.properties.get(PROPERTY) == creation.marker:
                found = creation.answered(issue.id, issue.key)
                await session.in_thread(session.state.creations.put, found)
                return found
        if not answer.issues:  # a hundred keys that nobody has: the project ends here
            return None
        number += PAGE


async def _let_settle(session: Session, creation: Creation) -> None:
    """Wait until a request that is still on its way must have been carried out or lost."""
    since = time.time() - creation.sent
    left = session.job.settle - max(0.0, since)  # a clock that was set back must not wait for days
    if left > 0:
        session.progress.wait(left, f'finding out whether "{creation.title}" was created')
        await trio.sleep(left)


async def _write_key_somewhere(session: Session, creation: Creation) -> None:
    """Write a key into its draft, which may have been moved to another file since."""
    assert creation.key is not None
    answer = await session.jira.bulk_fetch([creation.key], fields=["status"])
    if not answer.issues:  # deleted again, so the draft is simply a draft
        await session.in_thread(session.state.creations.forget, creation.marker)
        return
    status = status_of(answer.issues[0])
    names = {creation.path: None}
    await session.visit_files(
        lambda paths: names.update(dict.fromkeys(map(session.store.name_of, paths)))
    )
    for name in names:
        if await session.in_thread(note_key, session, creation, name, status):
            return
    # The draft is gone, or was rewritten: the issue comes with the next pull.
    await session.in_thread(session.state.creations.forget, creation.marker)


def note_key(session: Session, creation: Creation, name: str, status: str) -> bool:
    """Write a key into its draft's file and the state; on a worker thread.

    Args:
        session: the workspace.
        creation: an issue that is there.
        name: the file to look into, relative to the workspace.
        status: the status that the issue has.

    Returns:
        Whether the draft, or its key already, stands in that file.
    """
    assert creation.key is not None
    draft = read_draft(creation)
    if not session.store.holds(name, creation.key) and not session.editor.write_key(
        name, draft, creation.key, parent=creation.parent
    ):
        return False
    fields = dict(draft.fields)
    if (
        "Status" in fields and status
    ):  # Jira begins where its workflow does; what the file says is an edit
        fields["Status"] = status
    _record(session.state, creation, replace(draft, key=creation.key, fields=fields), name)
    return True


def read_draft(creation: Creation) -> Ticket:
    """Read the draft as it was when the issue was asked for, without its tasks."""
    return parse(creation.draft).tickets[0]


def _record(state: State, creation: Creation, issue: Ticket, path: str) -> None:
    """Make what was sent the base: whatever Jira adds to it is Jira's change, not a conflict."""
    assert creation.id is not None
    assert creation.key is not None
    row = Row(Issue(creation.id, creation.key, {}), updated="", exact=True, stale=True)
    with state.batch():
        if creation.parent is None:
            state.record(creation.id, Base(path, render_ticket(issue)), [row], seen=0.0)
        elif found := state.base_of_key(creation.parent):
            head, base = found
            (parent,) = parse(base.text).tickets
            family = replace(parent, tasks=(*parent.tasks, issue))
            rows = [*(replace(each, stale=True) for each in state.rows_of(head)), row]
            state.record(head, Base(base.path, render_ticket(family)), rows, seen=0.0)
        state.creations.forget(creation.marker)


def status_of(issue: Issue) -> str:
    """Give the name of an issue's status; empty where Jira does not tell."""
    status = issue.fields.get("status")
    name = status.get("name") if isinstance(status, dict) else None
    return name if isinstance(name, str) else ""
