"""Undoes replacements of the text of a ticket in its file. Synchronous.

The file, the base and the conflict become what they were before the replacement. No request is
sent to Jira.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.sync.compare.diff import find_changes_by_key, read_ticket
from ticketr.app.sync.errors import CannotUndo, NothingToUndo
from ticketr.app.sync.state.undo import DRAFT_KEY, Undoable, UndoStep, digest_of
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.sync.workspace.files import wrap_errors
from ticketr.app.tickets import TicketSyntaxError, parse

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import State
    from ticketr.app.sync.workspace.store import Store


@dataclass(frozen=True, slots=True)
class UndoneChange:
    """A change that was taken back, in one ticket or in several.

    Attributes:
        steps_and_backup_paths: What was taken back, the latest first; each with the file that has the ticket's text
            from before the undo, relative to the workspace, or with an empty text if that was the
            same.
        failed: Why a ticket of the change was not; one error each.
    """

    steps_and_backup_paths: tuple[tuple[UndoStep, str], ...]
    failed: tuple[TicketrError, ...] = ()


def read_undo_log(state: State, key: str | None = None) -> tuple[UndoStep, ...]:
    """Return the replacements that can be undone, the latest first.

    Args:
        state: The state of the workspace.
        key: The ticket, or a sub-task of it; None for all tickets.
    """
    head = state.head_id_of(key) if key is not None else None
    steps = state.undo.all_latest_first()
    return tuple(step for step in steps if key in {None, step.key} or step.head_id == head)


def find_last_step(state: State, key: str | None = None) -> UndoStep:
    """Return the latest replacement, of a ticket or of all.

    Raises:
        NothingToUndo: There is nothing.
    """
    for step in read_undo_log(state, key):
        return step
    raise NothingToUndo(key, tuple(dict.fromkeys(step.key for step in read_undo_log(state))))


def undo_and_keep_copies(store: Store, state: State, steps: Iterable[UndoStep]) -> UndoneChange:
    """Undo the steps of a change, in a locked workspace.

    A ticket in which that is not possible does not keep the others.

    Args:
        store: The workspace's files.
        state: Its state.
        steps: The steps, the latest first; at least one.

    Raises:
        CannotUndo: Each ticket of the change, its file or Jira's version has changed since. As with
            all other errors, nothing was changed.
        FileFailed: No file of the change can be read or written.
        WrongFileKind: A link or the like has the name of ticketr's folder.
    """
    done: list[tuple[UndoStep, str]] = []
    failed: list[TicketrError] = []
    for step in steps:
        try:
            done.append((step, undo_step_and_keep_copy(store, state, step)))
        except TicketrError as error:
            failed.append(error)
    if not done:
        raise failed[0]
    return UndoneChange(tuple(done), tuple(failed))


def steps_of_same_change(state: State, step: UndoStep) -> tuple[UndoStep, ...]:
    """Return the steps of the change that a step belongs to, the latest first.

    A change of fields in several tickets has a step for each; every other step stands alone.
    """
    if step.kind is not Undoable.CHANGED_IN_APP:
        return (step,)
    return tuple(
        other
        for other in state.undo.all_latest_first()
        if (other.kind, other.done_at) == (step.kind, step.done_at)
    )


def require_last_undoable_change(store: Store, state: State) -> tuple[UndoStep, ...]:
    """Return the steps of the latest change that can be undone now, the latest first.

    Of each ticket only the latest step counts; drafts, which have no keys, are told apart by their
    texts.

    Raises:
        NothingToUndo: No replacement is known.
        CannotUndo: Every ticket, its file or Jira's version has changed since; the latest one's error.
        FileFailed: The file cannot be read.
    """
    latest: dict[str | int, UndoStep] = {}
    for step in read_undo_log(state):
        latest.setdefault(step.number if step.key == DRAFT_KEY else step.key, step)
    possible: list[UndoStep] = []
    failed: list[TicketrError] = []
    for step in latest.values():
        try:
            _require_undoable(store, state, step)
        except TicketrError as error:
            failed.append(error)
        else:
            possible.append(step)
    if not possible:
        raise failed[0] if failed else NothingToUndo(None, ())
    return tuple(step for step in steps_of_same_change(state, possible[0]) if step in possible)


def _require_undoable(store: Store, state: State, step: UndoStep) -> None:
    """Raise the error that `undo_step_and_keep_copy` would."""
    _require_same_state(state, step)
    with wrap_errors(store.root / step.path, "read"):
        text = store.read_bytes(step.path).decode()
    if step.kind is not Undoable.ADDED:
        _restore_text(text, step)
    elif text != step.after:
        raise _added_file_changed_error(step)


def _require_same_state(state: State, step: UndoStep) -> None:
    if state.undo.ticket_state_digest(step.head_id) != step.state_digest_after:
        raise CannotUndo(
            step.key, f"{step.key} was pulled, pushed or resolved since", step.copy_path
        )


def _added_file_changed_error(step: UndoStep) -> CannotUndo:
    return CannotUndo(step.key, f"{step.path} was edited, pushed or removed since", step.copy_path)


def undo_step_and_keep_copy(store: Store, state: State, step: UndoStep) -> str:
    """Undo one replacement of a ticket's text, in a locked workspace.

    It has to be the latest one of its ticket. The text that it has written is put aside first.

    Returns:
        The file with that text, relative to the workspace; empty if the old text was there.

    Raises:
        CannotUndo: The ticket, its file or Jira's version has changed since. As with all other
            errors, nothing was changed.
        FileFailed: The file cannot be read or written.
        WrongFileKind: A link or the like has the name of ticketr's folder.
    """
    _require_same_state(state, step)
    undo = _move_to_trash if step.kind is Undoable.ADDED else _write_back_and_keep_copy
    aside = undo(store, step)
    with state.batch():
        state.undo.restore_ticket_state(step.head_id, step.state_before)
        if step.kind is Undoable.SYNC:
            # What comes back is an edit, also an older value that the pull has replaced.
            base, now = state.base(step.head_id), read_ticket(step.before)
            before = read_ticket(base.jira_text) if base is not None else None
            if before is not None and now is not None:
                state.older.mark_as_edits(find_changes_by_key(before, now))
            # So that the next pull fetches what it has to merge.
            state.mark_stale(issue.id for issue in state.issues_of(step.head_id))
        state.undo.remove(step)
    return aside


def _move_to_trash(store: Store, step: UndoStep) -> str:
    """Move a file that was added into ticketr's own folder.

    Returns:
        Its path there, relative to the workspace.
    """
    aside = FileEditor(store).move_to_trash_if_same(step.path, None, step.after)
    if aside is None:
        raise _added_file_changed_error(step)
    return store.relative_path(aside)


def _write_back_and_keep_copy(store: Store, step: UndoStep) -> str:
    """Put the old text of a ticket back into its file.

    Returns:
        The file with the text that was there, relative to the workspace; empty for none.
    """
    editor = FileEditor(store)
    aside = ""

    def old(text: str) -> str:
        nonlocal aside
        new = _restore_text(text, step)
        if new != text:
            key = None if step.key == DRAFT_KEY else step.key
            aside = store.relative_path(editor.put_in_trash(key, step.after))
        return new

    if not editor.try_change_text_durably(step.path, old):
        raise CannotUndo(step.key, f"{step.path} is not there any more", step.copy_path)
    return aside


def _restore_text(text: str, step: UndoStep) -> str:
    """Return the text of a file with the old text of the ticket.

    A file that is as it was left need not hold tickets: conflict markers may be in it.

    Raises:
        CannotUndo: The ticket has another text now.
    """
    is_same = digest_of(text) == step.file_digest_after
    start = step.start_offset
    start, end = (start, start + len(step.after)) if is_same else _ticket_span(text, step)
    if text[start:end] not in {step.before, step.after}:
        raise CannotUndo(step.key, f"{step.key} was edited in {step.path} since", step.copy_path)
    return f"{text[:start]}{step.before}{text[end:]}"


def _ticket_span(text: str, step: UndoStep) -> tuple[int, int]:
    """Return where the ticket begins and ends in a file; nowhere if it is not there."""
    try:
        file = parse(text, source=step.path)
    except TicketSyntaxError as error:
        reason = f"{step.path} was edited since, and cannot be read: {error}"
        raise CannotUndo(step.key, reason, step.copy_path) from None
    spans = (
        (span.start, span.stop)
        for span, ticket in zip(file.text_slices, file.tickets, strict=True)
        if ticket.key == step.key or (ticket.key is None and file.text[span] == step.after)
    )
    return next(spans, (0, 0))
