"""Writes the key of a new issue into its draft's file, and what was sent into the state.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.jira import Issue
from ticketr.sync.compare.diff import by_key
from ticketr.sync.compare.sent import from_json
from ticketr.sync.edits.drafts import DraftMatcher
from ticketr.sync.state.state import Base, IssueRow
from ticketr.tickets import parse, render_ticket, rewrite

if TYPE_CHECKING:
    from collections.abc import Collection

    from ticketr.sync.state.journal import Creation
    from ticketr.sync.state.state import State
    from ticketr.sync.workspace.editor import Editor
    from ticketr.tickets import Ticket, TicketFile


def write_key_and_record(
    editor: Editor,
    state: State,
    creation: Creation,
    name: str,
    *,
    status: str | None,
    drafts: Collection[Ticket],
) -> bool:
    """Write a key into its draft's file and the state.

    Args:
        editor: The workspace's files.
        state: The workspace's state.
        creation: An issue that is there.
        name: The file to look into, relative to the workspace.
        status: The status that the issue has; None leaves the state for later, when it is known.
        drafts: The drafts of other issues, without their tasks; its own may be among them.

    Returns:
        Whether the draft, or its key already, stands in that file.

    Raises:
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: It cannot be read as tickets.
    """
    if not write_key(editor, name, matcher_for(creation, drafts)):
        return False
    if status is not None:
        record_created(state, creation, name, status)
    return True


def write_key(editor: Editor, name: str, sought: DraftMatcher, *, least: float = 0.0) -> bool:
    """Write the key that Jira gave to a draft into its file, and see it on disk.

    Args:
        editor: The workspace's files.
        name: The file, relative to the workspace.
        sought: The draft and the key.
        least: How well a draft must fit to be the one.

    Returns:
        Whether the key stands there now; False if the draft does not.

    Raises:
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: It cannot be read as tickets.
    """

    def change(file: TicketFile) -> TicketFile | None:
        if sought.is_in(file.tickets):
            return file
        found = sought.with_key(file.tickets, least=least)
        return None if found is None else rewrite(file, dict([found]))

    return editor.change(name, change)


def record_created(state: State, creation: Creation, path: str, status: str) -> None:
    """Make what was sent the base: whatever Jira adds to it is Jira's change, not a conflict.

    Args:
        state: The state.
        creation: An issue whose key is in its file.
        path: The file, relative to the workspace.
        status: The status that the issue has. Jira begins where its workflow does, so what the
            draft says beyond it is an edit.
    """
    assert creation.id is not None
    assert creation.key is not None
    draft = read_draft(creation)
    fields = dict(draft.fields)
    if fields.pop("Status", None) and status:
        fields["Status"] = status
    issue = replace(draft, key=creation.key, fields=fields)
    row = IssueRow(Issue(creation.id, creation.key, {}), updated="", exact=True, stale=True)
    with state.batch():
        if creation.parent is None:
            state.record(creation.id, Base(path, render_ticket(issue)), [row], seen=0.0)
        elif found := state.base_of_key(creation.parent):
            head, base = found
            (parent,) = parse(base.text).tickets
            if creation.key not in by_key(parent):
                parent = replace(parent, tasks=(*parent.tasks, issue))
            rows = [*(replace(each, stale=True) for each in state.rows_of(head)), row]
            state.record(head, Base(base.path, render_ticket(parent)), rows, seen=0.0)
        if home := state.head_of(creation.key):
            state.sent.put(home, creation.key, from_json(creation.parts))
        state.creations.settle(creation, path, now=time.time())


def matcher_for(creation: Creation, drafts: Collection[Ticket] = frozenset()) -> DraftMatcher:
    """Say what draft is looked for.

    Args:
        creation: Its issue, which has a key.
        drafts: The drafts of other issues, without their tasks; its own may be among them.
    """
    assert creation.key is not None
    draft = parse(creation.draft).tickets[0]
    return DraftMatcher(creation.key, draft, creation.parent, drafts)


def read_draft(creation: Creation) -> Ticket:
    """Read the draft as it was when the issue was asked for, without its tasks."""
    return replace(parse(creation.draft).tickets[0], tasks=())
