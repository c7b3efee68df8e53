"""Writes the key of a new issue into its draft's file, and the issue into the state.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import CorePart, by_key
from ticketr.app.sync.compare.mapping import LINK_FIELD
from ticketr.app.sync.compare.sent import from_json
from ticketr.app.sync.edits.drafts import DraftMatcher
from ticketr.app.sync.edits.uncertain import matcher_for, read_draft
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import Base, IssueRow, State
from ticketr.app.tickets import Ticket, TicketFile, parse, render_ticket, rewrite

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.editor import Editor


def write_key_and_record(
    editor: Editor,
    state: State,
    creation: Creation,
    name: str,
    *,
    status: str | None,
    drafts: Collection[Ticket],
) -> bool:
    """Write the key of a new issue into its draft's file, and the issue into the state.

    Args:
        editor: Writes the file.
        state: The workspace's state.
        creation: The new issue.
        name: The file that may hold its draft, relative to the workspace.
        status: The status of the issue. If it is None, the caller must call `record_created` once
            the status is known.
        drafts: See `matcher_for`.

    Returns:
        Whether the draft or the key is in that file.

    Raises:
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: The file cannot be parsed.
    """
    if not write_key(editor, name, matcher_for(creation, drafts)):
        return False
    if status is not None:
        record_created(state, creation, name, status)
    return True


def unwritten_key_note(creation: Creation, path: str, problem: TicketrError) -> Note:
    """Note a new issue whose key cannot be written into its draft's file."""
    reason = f"it was created, but its key is not in its file: {problem}; the next run tries again"
    return Note(creation.key or "", path, reason, Code.BROKEN)


def write_key(editor: Editor, name: str, matcher: DraftMatcher, *, least: float = 0.0) -> bool:
    """Write the key of a new issue into its draft's file, and sync the file to disk.

    Returns:
        Whether the key is in the file now; False if the draft is not found.

    Raises:
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: The file cannot be parsed.
    """

    def change(file: TicketFile) -> TicketFile | None:
        if matcher.is_in(file.tickets):
            return file
        match = matcher.with_key(file.tickets, least=least)
        return None if match is None else rewrite(file, dict([match]))

    return editor.change(name, change)


def record_created(state: State, creation: Creation, path: str, status: str) -> None:
    """Record the draft that was sent as the base, so that Jira's additions are not a conflict.

    Args:
        state: The workspace's state.
        creation: A new issue whose key is in its file.
        path: The file, relative to the workspace.
        status: The issue's status in Jira. If the draft has another one, that is an edit.
    """
    assert creation.id is not None
    assert creation.key is not None
    draft = read_draft(creation)
    fields = dict(draft.fields)
    if fields.pop("Status", None) and status:
        fields["Status"] = status
    parts = from_json(creation.parts)
    # Pictures of files are text until the issue exists.
    described = next((part.text for part in parts if part.part is CorePart.DESCRIPTION), None)
    if described is not None:
        draft = replace(draft, description=described)
    later = {part.part for part in parts if part.field == LINK_FIELD}
    fields = {name: text for name, text in fields.items() if name not in later}
    # Its comments, links and pictures are sent once it exists.
    issue = replace(draft, key=creation.key, fields=fields, comments=())
    row = IssueRow(Issue(creation.id, creation.key, {}), updated="", exact=True, stale=True)
    with state.batch():
        if creation.parent is None:
            state.record(creation.id, Base(path, render_ticket(issue)), [row], seen=0.0)
        elif texts := state.base_of_key(creation.parent):
            head, base = texts
            (parent,) = parse(base.text).tickets
            if creation.key not in by_key(parent):
                parent = replace(parent, tasks=(*parent.tasks, issue))
            rows = [*(replace(row, stale=True) for row in state.rows_of(head)), row]
            state.record(head, Base(base.path, render_ticket(parent)), rows, seen=0.0)
        if home := state.head_of(creation.key):
            state.sent.put(home, creation.key, parts)
        state.creations.mark_written(creation, path, now=time.time())
