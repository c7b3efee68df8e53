"""Shows conflicts part by part, and resolves them without a request to Jira. Synchronous.

The state holds Jira's version of a ticket in conflict. Both versions are merged as in a sync, except
for the parts that clash. Jira's version becomes the base, so the next push sends what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from ticketr.app.sync.compare import conflict_parts
from ticketr.app.sync.compare.diff import Side, Versions, read_ticket
from ticketr.app.sync.compare.diff3 import compare_lines
from ticketr.app.sync.compare.mapping import TicketAndText, updated_at
from ticketr.app.sync.edits.survey import take_survey
from ticketr.app.sync.errors import ConflictChanged, FileFailed, NoConflict, PartsNotChosen
from ticketr.app.sync.notes import Note
from ticketr.app.sync.state.journal import Conflict
from ticketr.app.sync.state.state import State
from ticketr.app.sync.state.undo import TextReplacement, Undoable, digest_of
from ticketr.app.sync.workspace.editor import FileEditor, find_conflict_marker
from ticketr.app.sync.workspace.files import lf_and_chomp
from ticketr.app.sync.workspace.store import Store
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import RenderedFamily, renamed_keys
from ticketr.app.sync.writing.writer import (
    ConflictSettlement,
    FamilyWriter,
    older_values_replaced_notes,
    record_written,
)
from ticketr.app.tickets import Ticket, TicketFile, TicketSyntaxError, parse, rewrite


class Take(Enum):
    """How to resolve a conflict; ``local``, ``remote`` and ``merge`` are older names."""

    MINE = "mine"
    """Keep the file's version of clashing parts; write Jira's other changes into the file."""
    JIRA = "jira"
    """Take Jira's version of clashing parts; keep other edits, and a copy of the old text."""
    BOTH = "both"
    """Write both versions of clashing parts into the file, between git's conflict markers."""

    @classmethod
    def _missing_(cls, value: object) -> Take | None:
        older = {"local": cls.MINE, "remote": cls.JIRA, "merge": cls.BOTH}
        return older.get(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A conflict that was resolved.

    Attributes:
        key: The key of the ticket.
        path: Its file, relative to the workspace.
        aside: The file with the ticket's text of before, relative to the workspace; empty if the
            text has not changed.
        can_undo: Whether an undo takes it back.
        brought_forward: A note on each issue in whose file older values were replaced by Jira's.
    """

    key: str
    path: str
    aside: str
    can_undo: bool = True
    brought_forward: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict with all that the state holds of it.

    Attributes:
        conflict: The conflict.
        seen_at_jira_time: When it was seen, by Jira's clock.
        path: The ticket's file now, relative to the workspace.
        jira_family: The ticket in Jira, as a pull rendered it.
    """

    conflict: Conflict
    seen_at_jira_time: float
    path: str
    jira_family: RenderedFamily

    def missing_ticket_error(self, store: Store) -> FileFailed:
        """Return the error for a file that does not hold the ticket."""
        return FileFailed(
            store.root / self.path,
            f"find {self.conflict.key} in",
            "it is not there any more; pull again",
        )


def resolve(store: Store, state: State, key: str, take: Take) -> Resolved:
    """Resolve the conflict of one ticket in a locked workspace.

    If it has none, `Take.MINE` makes edits of the values that are older than the last pull.

    Raises:
        NoConflict: The ticket has none.
        FileFailed: Its file cannot be read or written.
        TicketSyntaxError: Its file cannot be read as tickets.
    """
    if take is Take.MINE and conflict_of(state, key) is None:
        for change in take_survey(store, state).local_changes:
            older = {
                issue_key: values
                for issue_key, values in change.older_values_in_file.items()
                if key in {issue_key, change.key_or_title}
            }
            if older:
                state.older.mark_as_edits(older)
                return Resolved(key, change.local.path, "", can_undo=False)
    opened = read_open_conflict(store, state, key)

    def writer(prefer: Side) -> FamilyWriter:
        side_taken = Undoable.TOOK_MINE if prefer is Side.LOCAL else Undoable.TOOK_JIRA
        settlement = ConflictSettlement(side_taken)
        return FamilyWriter(
            store, state, seen=opened.seen_at_jira_time, prefer=prefer, settlement=settlement
        )

    if take is Take.BOTH:
        return _write_markers(store, state, opened, writer(Side.LOCAL), writer(Side.REMOTE))
    return _write_merged(store, opened, writer(Side.LOCAL if take is Take.MINE else Side.REMOTE))


def read_open_conflict(store: Store, state: State, key: str) -> OpenConflict:
    """Read the conflict of a ticket.

    Args:
        store: The workspace's files.
        state: Its state.
        key: The key of the ticket, or of a sub-task of it.

    Raises:
        NoConflict: The ticket has none.
        FileFailed: A file cannot be read.
        TicketSyntaxError: A file that may hold the ticket cannot be read as tickets.
    """
    conflict = conflict_of(state, key)
    if conflict is None:
        raise _no_conflict_error(store, state, key)
    path = _current_or_recorded_path(store, conflict)
    rows, seen = state.jira_rows_of_conflict(conflict)
    remote = read_ticket(conflict.remote_text)
    assert remote is not None  # ticketr wrote it
    texts = tuple(state.site_record.rich_text_ids().items())
    text = TicketAndText(remote, conflict.remote_text, frozenset(), texts)
    stale = frozenset(row.issue.id for row in rows if row.is_stale)
    family = RenderedFamily(tuple(row.issue for row in rows), text, path, stale)
    return OpenConflict(conflict, seen, path, family)


def conflict_of(state: State, key: str) -> Conflict | None:
    """Return the conflict of the ticket with an issue, which may be newer than the last sync."""
    head = state.head_id_of(key)
    for conflict in state.conflicts.all():
        if conflict.head_id == head or conflict.key == key:
            return conflict
        rows, _ = state.jira_rows_of_conflict(conflict)
        if any(row.issue.key == key for row in rows):
            return conflict
    return None


def _no_conflict_error(store: Store, state: State, key: str) -> NoConflict:
    known = state.head_id_and_base_of(key)
    marked = find_conflict_marker(store, known[1].path) if known is not None else None
    if marked is not None:
        return NoConflict(f"{key} has no conflict any more, but {marked}")
    if others := ", ".join(conflict.key for conflict in state.conflicts.all()):
        return NoConflict(f"{key} has no conflict; these have: {others}")
    return NoConflict(f"{key} has no conflict, nor has any other ticket here")


def _current_or_recorded_path(store: Store, conflict: Conflict) -> str:
    """Return the ticket's file, which may have been renamed.

    If no file holds the ticket, a file that cannot be read is an error: it may hold it, and a ticket
    must not be in two files.
    """
    if store.holds_key(conflict.path, conflict.key):
        return conflict.path
    broken: TicketSyntaxError | None = None
    for name in chain.from_iterable(store.walk()):
        try:
            if store.holds_key(name, conflict.key):
                return name
        except TicketSyntaxError as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return conflict.path


def _write_merged(store: Store, opened: OpenConflict, writer: FamilyWriter) -> Resolved:
    """Write the merged ticket, as a sync with a preferred side does.

    Raises:
        FileFailed: The file cannot be written, or holds something else.
    """
    outcomes, error = writer.write([opened.jira_family])
    if error is not None:
        raise error
    (result,) = outcomes
    if result.outcome in {None, WriteOutcome.KEPT} and result.note is not None:
        key, reason = result.note.key, result.note.reason
        raise FileFailed(store.root / opened.path, f"write {key} into", reason)
    forward = result.older_values_replaced_notes
    return Resolved(opened.conflict.key, opened.path, result.copy_path, brought_forward=forward)


def _write_markers(
    store: Store, state: State, opened: OpenConflict, local: FamilyWriter, remote: FamilyWriter
) -> Resolved:
    """Write both versions into the file, between conflict markers, as git does.

    Each writer prefers another side, so their results differ only in the clashing parts.
    """
    conflict, family, editor = opened.conflict, opened.jira_family, FileEditor(store)
    forward: tuple[Note, ...] = ()
    replacement: TextReplacement | None = None

    def marked(file: TicketFile) -> str | None:
        nonlocal forward, replacement
        keys = [ticket.key for ticket in file.tickets]
        if conflict.key not in keys:
            return None
        span = file.text_slices[keys.index(conflict.key)]
        here = file.text[span]
        text = lf_and_chomp(here)
        alone = parse(text)
        merges = [writer.merge(family, alone.tickets[0]) for writer in (local, remote)]
        forward = older_values_replaced_notes(
            opened.path, merges[0].older_values_replaced, is_resolved=True
        )
        mine, theirs = (
            lf_and_chomp(rewrite(alone, {0: merged.ticket}).text).split("\n") for merged in merges
        )
        end = "\r\n" if "\r\n" in here else "\n"
        after = end.join(_lines_with_markers(mine, theirs)) + here[len(here.rstrip("\r\n")) :]
        aside = (
            store.relative_path(editor.put_in_trash(conflict.key, here)) if after != here else ""
        )
        whole = f"{file.text[: span.start]}{after}{file.text[span.stop :]}"
        replacement = TextReplacement(span.start, here, after, digest_of(whole), aside)
        return whole

    if not editor.try_change_durably(opened.path, marked) or replacement is None:
        raise opened.missing_ticket_error(store)
    with state.batch():
        record_written(
            state,
            family,
            opened.path,
            seen=opened.seen_at_jira_time,
            kind=Undoable.TOOK_BOTH_WITH_MARKERS,
            replacement=replacement,
        )
    return Resolved(conflict.key, opened.path, replacement.copy_path, brought_forward=forward)


def _lines_with_markers(local: Sequence[str], remote: Sequence[str]) -> Iterator[str]:
    for chunk in compare_lines(local, remote):
        if chunk.are_sides_same:
            yield from chunk.local
        else:
            yield "<<<<<<< here"
            yield from chunk.local
            yield "======="
            yield from chunk.remote
            yield ">>>>>>> Jira"


def read_conflict(store: Store, state: State, key: str) -> conflict_parts.ConflictView:
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
    opened = read_open_conflict(store, state, key)
    text, local, versions = _read_text_ticket_and_versions(store, state, opened)
    conflict = opened.conflict
    parts, merged = conflict_parts.find_parts(versions)
    newest = max(opened.jira_family.issues, key=updated_at)
    known = state.known_issues_by_id().get(conflict.head_id)
    aside = FileEditor(store).find_free_trash_path(conflict.key)
    return conflict_parts.ConflictView(
        key=conflict.key,
        title=local.title,
        path=opened.path,
        title_line=local.line,
        synced_at=known.seen_at if known is not None else None,
        updated=updated_at(newest),
        last_changed_by=None,
        parts=parts,
        one_sided_changes=merged,
        planned_copy_path=store.relative_path(aside),
        ticket_text_in_file=text,
        versions=versions,
        last_changed_issue_key=newest.key,
    )


def carry_out(store: Store, state: State, resolution: conflict_parts.Resolution) -> Resolved:
    """Write what the user has chosen into the file, in a locked workspace.

    The ticket's text of now is put aside first, if it changes. Jira's version becomes the base, so
    that the next push sends what differs from it.

    Raises:
        PartsNotChosen: Something remains to be chosen. As with all other errors, nothing was changed.
        ConflictChanged: The ticket's file or the conflict is not what the user has seen.
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: The file cannot be read as tickets.
        WrongFileKind: A link or the like has the name of ticketr's folder.
    """
    seen = resolution.view
    if resolution.undecided_parts:
        names = ", ".join(part.name for part in resolution.undecided_parts)
        raise PartsNotChosen(
            f"{seen.key}: {len(resolution.undecided_parts)} left to choose: {names}"
        )
    opened = _open_unchanged(store, state, seen)
    settlement = ConflictSettlement(
        Undoable.TOOK_BY_PART,
        resolution.lines_by_place,
        always_copies_text=True,
        expected_text=seen.ticket_text_in_file,
    )
    writer = FamilyWriter(store, state, seen=opened.seen_at_jira_time, settlement=settlement)
    return _write_merged(store, opened, writer)


def _read_text_ticket_and_versions(
    store: Store, state: State, opened: OpenConflict
) -> tuple[str, Ticket, Versions]:
    """Return a ticket's text in its file, the ticket, and the versions that a view is made of."""
    file, key = store.read_file(opened.path), opened.conflict.key
    former = {new: old for old, new in renamed_keys(state, opened.jira_family).items()}
    for span, ticket in zip(file.text_slices, file.tickets, strict=True):
        if ticket.key in {key, former.get(key, key)}:
            writer = FamilyWriter(store, state, seen=opened.seen_at_jira_time)
            text = file.text[span]
            return text, ticket, writer.versions_to_merge(opened.jira_family, ticket)
    raise opened.missing_ticket_error(store)


def _open_unchanged(store: Store, state: State, seen: conflict_parts.ConflictView) -> OpenConflict:
    """Return a conflict, after a check that the view of it is still true.

    Raises:
        ConflictChanged: It is not.
    """
    try:
        opened = read_open_conflict(store, state, seen.key)
    except NoConflict:
        raise ConflictChanged(seen.key, "the conflict was resolved") from None
    if opened.path != seen.path:
        raise ConflictChanged(seen.key, f"it was moved to {opened.path}")
    text, _, versions = _read_text_ticket_and_versions(store, state, opened)
    if text != seen.ticket_text_in_file:
        raise ConflictChanged(seen.key, f"{seen.path} was edited")
    if versions != seen.versions:
        raise ConflictChanged(seen.key, "Jira's version of it was read again")
    return opened
