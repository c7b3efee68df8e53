"""Resolves conflicts without a request to Jira. Synchronous.

The state holds Jira's version of a ticket in conflict. Both versions are merged as in a sync, except
for the parts that clash. Jira's version becomes the base, so the next push sends what differs.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ticketr.sync.compare.bases import read_ticket
from ticketr.sync.compare.diff3 import CleanChunk, compare_lines
from ticketr.sync.compare.mapping import FamilyText
from ticketr.sync.compare.merge import Side
from ticketr.sync.errors import FileFailed, NoConflict
from ticketr.sync.state.state import Base
from ticketr.sync.workspace.editor import Editor
from ticketr.sync.workspace.files import comparable
from ticketr.sync.workspace.markers import find_conflict_marker
from ticketr.sync.writing.decision import WriteOutcome
from ticketr.sync.writing.rendering import RenderedFamily
from ticketr.sync.writing.writer import FamilyWriter
from ticketr.tickets import TicketSyntaxError, parse, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ticketr.sync.state.journal import Conflict
    from ticketr.sync.state.state import IssueRow, State
    from ticketr.sync.workspace.store import Store


class Take(Enum):
    """How to resolve a conflict."""

    LOCAL = "local"
    """Keep the file's version of clashing parts; write Jira's other changes into the file."""
    REMOTE = "remote"
    """Take Jira's version of clashing parts; keep other edits, and a copy of the old text."""
    MERGE = "merge"
    """Write both versions of clashing parts into the file, between git's conflict markers."""


def resolve(store: Store, state: State, key: str, take: Take) -> str:
    """Resolve the conflict of one ticket in a locked workspace.

    Returns:
        The ticket's file, relative to the workspace.

    Raises:
        NoConflict: The ticket has none.
        FileFailed: Its file cannot be read or written.
        TicketSyntaxError: Its file cannot be read as tickets.
    """
    conflict = conflict_of(state, key)
    if conflict is None:
        raise _no_conflict(store, state, key)
    path = _path_now(store, conflict)
    rows, seen = state.rows_of_conflict(conflict)
    family = _rendered_family(conflict, rows, path)

    def writer(prefer: Side) -> FamilyWriter:
        return FamilyWriter(store, state, seen=seen, prefer=prefer)

    if take is Take.MERGE:
        _write_markers(store, family, writer(Side.LOCAL), writer(Side.REMOTE))
        with state.batch():
            state.record(conflict.head, Base(path, conflict.text), rows, seen=seen)
            state.sent.forget(conflict.head)
    else:
        _write_merged(store, family, writer(Side(take.value)))
    return path


def conflict_of(state: State, key: str) -> Conflict | None:
    """Return the conflict of the ticket with an issue, which may be newer than the last sync."""
    head, conflicts = state.head_of(key), state.conflicts.all()
    return next(
        (each for each in conflicts if each.head == head or key in _keys_in(state, each)), None
    )


def _keys_in(state: State, conflict: Conflict) -> set[str]:
    """Return the keys of the ticket's issues in Jira."""
    rows, _ = state.rows_of_conflict(conflict)
    return {conflict.key, *(row.issue.key for row in rows)}


def _no_conflict(store: Store, state: State, key: str) -> NoConflict:
    head = state.head_of(key)
    base = state.base(head) if head is not None else None
    marked = find_conflict_marker(store, base.path) if base is not None else None
    others = tuple(each.key for each in state.conflicts.all())
    return NoConflict(key, others, str(marked) if marked is not None else "")


def _rendered_family(conflict: Conflict, rows: Sequence[IssueRow], path: str) -> RenderedFamily:
    """Return Jira's version of a ticket, as a pull rendered it."""
    remote = read_ticket(conflict.text)
    assert remote is not None  # ticketr wrote it
    inexact = frozenset(row.issue.key for row in rows if not row.exact)
    text = FamilyText(remote, conflict.text, inexact)
    stale = frozenset(row.issue.id for row in rows if row.stale)
    return RenderedFamily(tuple(row.issue for row in rows), text, path, stale)


def _path_now(store: Store, conflict: Conflict) -> str:
    """Return the ticket's file, which may have been renamed.

    If no file holds the ticket, a file that cannot be read is an error: it may hold it, and a ticket
    must not be in two files.
    """
    if store.holds(conflict.path, conflict.key):
        return conflict.path
    broken: TicketSyntaxError | None = None
    for path in (each for paths in store.walk() for each in paths):
        name = store.name_of(path)
        try:
            if store.holds(name, conflict.key):
                return name
        except TicketSyntaxError as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return conflict.path


def _write_merged(store: Store, family: RenderedFamily, writer: FamilyWriter) -> None:
    """Write the merged ticket, as a sync with a preferred side does."""
    outcomes, error = writer.write([family])
    if error is not None:
        raise error
    for outcome in outcomes:
        if outcome.written in {None, WriteOutcome.KEPT} and outcome.note is not None:
            key, reason = outcome.note.key, outcome.note.reason
            raise FileFailed(store.root / outcome.path, f"write {key} into", reason)


def _write_markers(
    store: Store, family: RenderedFamily, local: FamilyWriter, remote: FamilyWriter
) -> None:
    """Write both versions into the file, between conflict markers, as git does.

    Each writer prefers another side, so their results differ only in the clashing parts.
    """

    def marked(text: str) -> str:
        file = parse(text)
        (ticket,) = file.tickets
        mine, theirs = (
            comparable(rewrite(file, {0: each.merge(family, ticket).ticket}).text).split("\n")
            for each in (local, remote)
        )
        return "\n".join(_with_markers(mine, theirs))

    path, key = family.path or "", family.issues[0].key
    if not Editor(store).rewrite(path, key, marked):
        raise FileFailed(
            store.root / path, f"find {key} in", "it is not there any more; pull again"
        )


def _with_markers(local: Sequence[str], remote: Sequence[str]) -> Iterator[str]:
    for chunk in compare_lines(local, remote):
        if isinstance(chunk, CleanChunk):
            yield from chunk.lines
        else:
            yield "<<<<<<< here"
            yield from chunk.local
            yield "======="
            yield from chunk.remote
            yield ">>>>>>> Jira"
