"""Reads and resolves conflicts, and takes back what was resolved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ticketr.app import sync
from ticketr.app.tickets import is_key
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.context import Services
from ticketr.text import clean

#: The most tickets of a change that are named.
MOST_NAMES = 5


async def read_conflict(services: Services, name: str, key: str) -> sync.ConflictView:
    """Read a conflict."""
    return await services.in_thread(_read, services.workspaces[name].store, key)


async def resolve(services: Services, name: str, resolution: sync.Resolution) -> None:
    """Write what was chosen into the file, and read the workspace again.

    Cancellation:
        What was chosen is written first, which takes a moment.
    """
    await services.change(name, _resolve, resolution)


async def find_undo(services: Services, name: str) -> messages.QuestionAsked | messages.Notice:
    """Find what can be taken back, and ask whether to do so; tell if there is nothing, and why."""
    store = services.workspaces[name].store

    def last_steps() -> tuple[sync.UndoStep, ...]:
        with sync.read_state(store) as state:
            return sync.undoable_steps(store, state)

    try:
        steps = await services.in_thread(last_steps)
    except (sync.NothingToUndo, sync.CannotUndo) as error:
        why = f": {error.reason}" if isinstance(error, sync.CannotUndo) else ""
        return messages.Notice(clean(f"There is nothing to take back{why}"), is_error=False)
    return messages.QuestionAsked(
        "Take back", clean(_question(steps)), (call_in(name, undo, steps),)
    )


def _question(steps: Sequence[sync.UndoStep]) -> str:
    """Return what taking a change back would do, as a question."""
    step = steps[0]
    when = f"{datetime.fromtimestamp(step.done, UTC).astimezone():%H:%M:%S on %Y-%m-%d}"
    if step.kind is sync.UndoKind.ADDED:
        does = f"{step.path}, which was added at {when}, is removed. Its text is kept in .ticketr/trash."
    else:
        where = f"{step.key} in {step.path}" if len(steps) == 1 else _names(steps)
        does = (
            f"{where}: the text that was there before {when} comes back."
            " The present text is kept in .ticketr/trash."
        )
    return f"{does} Enter does it, Esc does not."


async def undo(services: Services, name: str, steps: Sequence[sync.UndoStep]) -> None:
    """Take back the steps of a change, and read the workspace again.

    Cancellation:
        It is taken back first, which takes a moment.
    """
    await services.change(name, _undo, steps)


def _undo(store: sync.Store, state: sync.State, steps: Sequence[sync.UndoStep]) -> messages.Notice:
    """Take a change back; return what was done."""
    undone = sync.undo_change(store, state, steps)
    done, failed = undone.done, undone.failed
    if failed:
        words = f"{len(done)} taken back, {len(failed)} not: {failed[0]}"
    elif len(done) > 1:
        words = f"{_names([undone.step for undone in done])} are as they were"
    elif done[0].step.kind is sync.UndoKind.ADDED:
        words = f"{done[0].step.path} is gone; its text is in {done[0].aside}"
    else:
        aside = f"; the text that it had is in {done[0].aside}" if done[0].aside else ""
        words = f"{done[0].step.key} is as it was{aside}"
    return messages.Notice(clean(words), is_error=bool(failed))


def _names(steps: Sequence[sync.UndoStep]) -> str:
    """Return the tickets of a change in the order in which they were changed, not too many."""
    paths_and_keys = ((step.path, step.key) for step in reversed(steps))
    names = [*dict.fromkeys(key if is_key(key) else path for path, key in paths_and_keys)]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _read(store: sync.Store, key: str) -> sync.ConflictView:
    with sync.read_state(store) as state:
        return sync.read_conflict(store, state, key)


def _resolve(store: sync.Store, state: sync.State, resolution: sync.Resolution) -> messages.Notice:
    """Resolve a conflict; return what was done, and whether it can be taken back."""
    done = sync.carry_out(store, state, resolution)
    aside = f"; the text that it had is in {done.aside}" if done.aside else ""
    forward = "".join(f"; {note.reason.partition('. ')[0]}" for note in done.brought_forward)
    hints = ((KeyAction.UNDO, "takes it back"),) if done.aside else ()
    return messages.Notice(
        clean(f"{done.key} is resolved{forward}{aside}"), is_error=False, hints=hints
    )
