"""Changes fields in files, and adds drafts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TypeAlias

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.files import without_root
from ticketr.app.tui.workspace import NO_COMMENTS
from ticketr.text import clean

#: Keys to name after a notice, and what each does.
Hints: TypeAlias = tuple[tuple[KeyAction, str], ...]
#: What can be done after a change of files.
CHANGED: Hints = (
    (KeyAction.PUSH, "shows what a push sends"),
    (KeyAction.UNDO, "takes it back"),
)


async def change_field(services: Services, effect: effects.ChangeField) -> None:
    """Change a field of one issue in its file, and read the workspace again."""
    store = services.workspaces[effect.workspace].store
    is_error = True
    hints: Hints = ()
    try:
        words, hints = await services.in_thread(_change_field, store, effect.place, effect.change)
    except TicketrError as error:
        words = str(error)
    else:
        is_error = False
    services.send(messages.Told(clean(words), is_error=is_error, hints=hints))
    await services.readers[effect.workspace].read()


async def plan_edits(services: Services, effect: effects.PlanEdits) -> None:
    """Plan a change of fields, and send the plan; an error is sent, too."""
    store = services.workspaces[effect.workspace].store
    try:
        plan = await services.in_thread(_plan, store, effect.changes)
    except TicketrError as error:
        words = clean(str(error))
        services.send(messages.EditsRefused(effect.workspace, effect.changes, words))
    else:
        services.send(messages.EditsPlanned(effect.workspace, effect.changes, plan))


async def carry_out(services: Services, effect: effects.CarryOutEdits) -> None:
    """Change the files as planned, and read the workspace again."""
    store = services.workspaces[effect.workspace].store
    if await _write(services, effect, partial(_carry_out, store, effect.plan)):
        services.send(messages.EditsDone(effect.workspace))


async def add_ticket(services: Services, effect: effects.AddTicket) -> None:
    """Write a draft, read the workspace again, and name the draft.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    workspace = services.workspaces[effect.workspace]
    store, title = workspace.store, effect.title
    try:
        with trio.CancelScope(shield=True):  # one short write
            path = await services.in_thread(_add, store, effect, workspace.draft_type)
    except TicketrError as error:
        services.send(_not_written(effect, store, error))
        return
    await services.readers[workspace.name].read()
    services.send(messages.TicketAdded(workspace.name, path, title))
    hints = ((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back"))
    words = clean(f"{path} holds the draft")
    services.send(messages.Told(words, is_error=False, hints=hints))


async def add_comment(services: Services, effect: effects.AddComment) -> None:
    """Write a new comment into the file of an issue, and read the workspace again.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    workspace = services.workspaces[effect.workspace]
    if not workspace.keeps_comments:
        services.send(messages.NotWritten(workspace.name, effect, NO_COMMENTS))
        return
    write = partial(_add_comment, workspace.store, effect.place, effect.text)
    await _write(services, effect, write)


async def _write(
    services: Services, effect: effects.Typed, change: Callable[[], tuple[str, Hints]]
) -> bool:
    """Write what a user has typed or confirmed; give it back to them if that fails.

    Returns:
        Whether all of it was written.

    Cancellation:
        It is written first, which takes a moment.
    """
    is_done = False
    try:
        with trio.CancelScope(shield=True):  # leaving right after Enter must not lose it
            words, hints = await services.in_thread(change)
    except TicketrError as error:
        store = services.workspaces[effect.workspace].store
        services.send(_not_written(effect, store, error))
    else:
        is_done = True
        services.send(messages.Told(clean(words), is_error=False, hints=hints))
    await services.readers[effect.workspace].read()
    return is_done


def _not_written(
    effect: effects.Typed, store: sync.Store, error: TicketrError
) -> messages.NotWritten:
    return messages.NotWritten(effect.workspace, effect, clean(without_root(store, error)))


def _change_field(
    store: sync.Store, place: sync.IssuePlace, change: sync.FieldChange
) -> tuple[str, Hints]:
    plan = sync.plan_file_edits(store, {place: (change,)})
    if not plan.edits:
        return f"{change.field} is {change.text} already", ()
    _carry_out(store, plan)
    (edit,) = plan.edits
    what = f"{edit.key or edit.title}: {edit.field} is {edit.after or 'empty'} in {edit.path}"
    return what, CHANGED


def _plan(
    store: sync.Store, changes: Sequence[tuple[sync.IssuePlace, sync.FieldChange]]
) -> sync.FileEditPlan:
    return sync.plan_file_edits(store, {place: (change,) for place, change in changes})


def _carry_out(store: sync.Store, plan: sync.FileEditPlan) -> tuple[str, Hints]:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.carry_out_edits(store, state, plan)
    many = f"{plan.issues} ticket{'s' * (plan.issues != 1)}"
    return f"{many} changed", CHANGED


def _add(store: sync.Store, effect: effects.AddTicket, kind: str) -> str:
    """Write a new ticket or sub-task; return its file."""
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        if effect.parent is None:
            return sync.add_ticket(store, state, Ticket(effect.title, fields={"Type": kind}))
        sync.add_sub_task(store, state, effect.parent, effect.title)
        return effect.parent.path


def _add_comment(store: sync.Store, place: sync.IssuePlace, text: str) -> tuple[str, Hints]:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.add_comment(store, state, place, text)
    return f"{place.path} holds the comment", CHANGED
