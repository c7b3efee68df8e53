"""Shows a conflict part by part, and carries out the user's choices. Synchronous.

No request is sent to Jira: the state holds Jira's version of a ticket in conflict.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.conflict_parts import (
    ConflictSource,
    ConflictView,
    Resolution,
    find_parts,
)
from ticketr.app.sync.errors import ConflictChanged, NoConflict, NotChosen
from ticketr.app.sync.resolving import OpenConflict, Resolved, open_conflict, write_merged
from ticketr.app.sync.state.state import State
from ticketr.app.sync.state.undo import UndoKind
from ticketr.app.sync.workspace.editor import Editor
from ticketr.app.sync.writing.writer import FamilyWriter, Settlement
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.store import Store


def read_conflict(store: Store, state: State, key: str) -> ConflictView:
    """Read the conflict of a ticket, which needs no lock.

    Args:
        store: The workspace's files.
        state: Its state.
        key: The key of the ticket, or of a sub-task of it.

    Raises:
        NoConflict: The ticket has none.
        FileFailed: Its file cannot be read, or does not hold the ticket any more.
        TicketSyntaxError: Its file cannot be read as tickets.
        StateFailed: The state cannot be read.
    """
    opened, local, source = _open(store, state, key)
    conflict = opened.conflict
    parts, merged = find_parts(source.versions)
    newest = max(opened.rows, key=lambda row: row.updated)
    aside = Editor(store).free_name_aside(conflict.key)
    return ConflictView(
        key=conflict.key,
        title=local.title,
        path=opened.path,
        line=local.line,
        synced=state.seen(conflict.head),
        updated=newest.updated,
        author=None,
        parts=parts,
        merged=merged,
        aside=store.name_of(aside),
        source=source,
        changed=newest.issue.key,
    )


def carry_out(store: Store, state: State, resolution: Resolution) -> Resolved:
    """Write what the user has chosen into the file, in a locked workspace.

    The ticket's text of now is put aside first, if it changes. Jira's version becomes the base, so
    that the next push sends what differs from it.

    Raises:
        NotChosen: Something remains to be chosen. As with all other errors, nothing was changed.
        ConflictChanged: The ticket's file or the conflict is not what the user has seen.
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: The file cannot be read as tickets.
        UnsafePath: A link or the like has the name of ticketr's folder.
    """
    seen = resolution.view
    if resolution.left:
        raise NotChosen(seen.key, tuple(part.name for part in resolution.left))
    opened = _open_unchanged(store, state, seen)
    settlement = Settlement(
        UndoKind.CHOSEN, resolution.lines(), keep_text=True, expected=seen.source.text
    )
    writer = FamilyWriter(store, state, seen=opened.seen, settlement=settlement)
    return write_merged(store, opened, writer)


def _open(store: Store, state: State, key: str) -> tuple[OpenConflict, Ticket, ConflictSource]:
    """Read a conflict, its ticket in the file, and what a view is made of; see `read_conflict`."""
    opened = open_conflict(store, state, key)
    text, local = _find(store, opened)
    versions = FamilyWriter(store, state, seen=opened.seen).versions(opened.family, local)
    conflict = opened.conflict
    record = hashlib.sha256(f"{conflict.text}\0{conflict.issues}".encode()).hexdigest()
    return opened, local, ConflictSource(text, record, versions)


def _find(store: Store, opened: OpenConflict) -> tuple[str, Ticket]:
    """Return a ticket in its file with its text."""
    file = store.read(opened.path)
    for span, ticket in zip(file.spans, file.tickets, strict=True):
        if opened.is_of(ticket):
            return file.text[span.start : span.end], ticket
    raise opened.missing(store)


def _open_unchanged(store: Store, state: State, seen: ConflictView) -> OpenConflict:
    """Return a conflict, after a check that the view of it is still true.

    Raises:
        ConflictChanged: It is not.
    """
    try:
        opened, _, source = _open(store, state, seen.key)
    except NoConflict:
        raise ConflictChanged(seen.key, "the conflict was settled") from None
    if opened.path != seen.path:
        raise ConflictChanged(seen.key, f"it was moved to {opened.path}")
    if source.text != seen.source.text:
        raise ConflictChanged(seen.key, f"{seen.path} was edited")
    if source != seen.source:
        raise ConflictChanged(seen.key, "Jira's version of it was read again")
    return opened
