"""Reads and settles conflicts, and takes back what was settled."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ticketr import TicketrError
from ticketr.sync import State, carry_out, read_conflict, read_state, undo_last, undo_steps
from ticketr.text import clean
from ticketr.tui import messages

if TYPE_CHECKING:
    from ticketr.sync import ConflictView, Resolution, Store, UndoStep
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services


async def read(services: Services, effect: effects.ReadConflict) -> None:
    """Read a conflict, and send it; an error is told."""
    store = services.workspaces[effect.workspace].store
    try:
        view = await services.in_thread(_read, store, effect.key)
    except TicketrError as error:
        words = clean(str(error))
        services.send(messages.ConflictFailed(effect.workspace, effect.key, words))
    else:
        services.send(messages.ConflictRead(effect.workspace, effect.key, view))


async def settle(services: Services, effect: effects.Settle) -> None:
    """Write what was chosen into the file, and read the workspace again."""
    store = services.workspaces[effect.workspace].store
    try:
        words = await services.in_thread(_settle, store, effect.resolution)
    except TicketrError as error:
        services.send(messages.Told(clean(str(error))))
    else:
        services.send(messages.Told(clean(words), is_error=False))
    await services.readers[effect.workspace].read()


async def find_undo(services: Services, effect: effects.FindUndo) -> None:
    """Find what can be taken back, and send it; tell if there is nothing."""
    store = services.workspaces[effect.workspace].store
    try:
        step = await services.in_thread(_last_step, store)
    except TicketrError as error:
        services.send(messages.Told(clean(str(error))))
        return
    if step is None:
        services.send(messages.Told("There is nothing to take back", is_error=False))
        return
    when = datetime.fromtimestamp(step.done, UTC).astimezone()
    words = (
        f"{step.key} in {step.path}: what was written at {when:%H:%M:%S on %Y-%m-%d} goes, and the"
        " text of before comes back. The text of now is put aside. Enter does it, Esc does not."
    )
    services.send(messages.UndoFound(effect.workspace, step.key, clean(words)))


async def undo(services: Services, effect: effects.Undo) -> None:
    """Take the last replacement of a ticket's text back, and read the workspace again."""
    store = services.workspaces[effect.workspace].store
    try:
        words = await services.in_thread(_undo, store, effect.key)
    except TicketrError as error:
        services.send(messages.Told(clean(str(error))))
    else:
        services.send(messages.Told(clean(words), is_error=False))
    await services.readers[effect.workspace].read()


def _last_step(store: Store) -> UndoStep | None:
    with read_state(store) as state:
        return next(iter(undo_steps(state)), None)


def _undo(store: Store, key: str) -> str:
    with store.lock(), closing(State(store.state_path, store.mark)) as state:
        done = undo_last(store, state, key)
    aside = f"; the text of now is in {done.aside}" if done.aside else ""
    return f"{done.step.key} is as it was{aside}"


def _read(store: Store, key: str) -> ConflictView:
    with read_state(store) as state:
        return read_conflict(store, state, key)


def _settle(store: Store, resolution: Resolution) -> str:
    with store.lock(), closing(State(store.state_path, store.mark)) as state:
        done = carry_out(store, state, resolution)
    aside = f"; the text of before is in {done.aside}, u takes it back" if done.aside else ""
    return f"{done.key} is settled{aside}"
