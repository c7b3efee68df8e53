"""Changes fields in files, and adds drafts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TypeAlias

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import Call, call_in
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.files import without_root
from ticketr.app.tui.workspace import NO_COMMENTS
from ticketr.text import clean

#: Keys to name after a notice, and what each does.
Hints: TypeAlias = tuple[tuple[KeyAction, str], ...]
#: Changes of fields, each of one issue.
FieldChanges: TypeAlias = tuple[tuple[sync.IssuePlace, sync.FieldSetting], ...]
#: What can be done after a change of files.
CHANGED: Hints = (
    (KeyAction.PUSH, "shows what a push sends"),
    (KeyAction.UNDO, "takes it back"),
)


async def change_field(
    services: Services, name: str, place: sync.IssuePlace, change: sync.FieldSetting
) -> None:
    """Change a field of one issue in its file, and read the workspace again."""
    await services.change(name, _change_field, services.workspaces[name].store, place, change)


async def plan_edits(services: Services, name: str, changes: FieldChanges) -> None:
    """Plan a change of fields, and send the plan; an error is sent, too."""
    read = partial(_plan, services.workspaces[name].store, changes)
    await services.answer(call_in(name, plan_edits, changes), read)


async def carry_out_edits(
    services: Services, name: str, plan: sync.FileEditPlan, changes: FieldChanges
) -> None:
    """Change the files as planned, and read the workspace again.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        plan: The plan.
        changes: What the plan was made of.
    """
    store = services.workspaces[name].store
    asked = call_in(name, carry_out_edits, plan, changes)
    if await _write(services, asked, partial(_carry_out, store, plan)):
        services.send(messages.EditsDone(name))


async def add_ticket(
    services: Services, name: str, title: str, parent: sync.IssuePlace | None
) -> None:
    """Write a draft, read the workspace again, and name the draft.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        title: The draft's title, cleaned.
        parent: The ticket whose sub-task it is to be; None for a ticket in a file of its own.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    draft = Ticket(title, fields={"Type": services.workspaces[name].draft_type})
    await _add_drafts(services, call_in(name, add_ticket, title, parent), (draft,), parent)


async def add_from_template(
    services: Services, name: str, template: sync.Template, values: tuple[str, ...]
) -> None:
    """Write the drafts of a template into a file, read the workspace again, and name the first.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        template: The template.
        values: A value for each of its placeholders, cleaned.

    Cancellation:
        As for `add_ticket`.
    """
    names = (placeholder.name for placeholder in template.placeholders)
    drafts = template.fill(dict(zip(names, values, strict=True)))
    await _add_drafts(services, call_in(name, add_from_template, template, values), drafts, None)


async def _add_drafts(
    services: Services, asked: Call, drafts: tuple[Ticket, ...], parent: sync.IssuePlace | None
) -> None:
    name, title = asked.workspace, drafts[0].title
    store = services.workspaces[name].store
    try:
        with trio.CancelScope(shield=True):  # one short write
            path = await services.in_thread(_add, store, drafts, parent)
    except TicketrError as error:
        services.send(_not_written(asked, store, error))
        return
    await services.readers[name].read()
    services.send(messages.TicketAdded(name, path, title))
    hints = ((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back"))
    words = clean(f"{path} holds the draft{'s' * (len(drafts) > 1)}")
    services.send(messages.Told(words, is_error=False, hints=hints))


async def add_comment(services: Services, name: str, place: sync.IssuePlace, text: str) -> None:
    """Write a new comment, whose text is cleaned, into the file of an issue, and read the workspace again.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    workspace = services.workspaces[name]
    asked = call_in(name, add_comment, place, text)
    if not workspace.keeps_comments:
        services.send(messages.NotWritten(name, asked, NO_COMMENTS))
        return
    await _write(services, asked, partial(_add_comment, workspace.store, place, text))


async def _write(services: Services, asked: Call, change: Callable[[], tuple[str, Hints]]) -> bool:
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
        store = services.workspaces[asked.workspace].store
        services.send(_not_written(asked, store, error))
    else:
        is_done = True
        services.send(messages.Told(clean(words), is_error=False, hints=hints))
    await services.readers[asked.workspace].read()
    return is_done


def _not_written(asked: Call, store: sync.Store, error: TicketrError) -> messages.NotWritten:
    return messages.NotWritten(asked.workspace, asked, clean(without_root(store, error)))


def _change_field(
    store: sync.Store, place: sync.IssuePlace, change: sync.FieldSetting
) -> messages.Told:
    plan = sync.plan_file_edits(store, {place: (change,)})
    if not plan.edits:
        return messages.Told(clean(f"{change.name} is {change.text} already"), is_error=False)
    _carry_out(store, plan)
    (edit,) = plan.edits
    what = f"{edit.key or edit.title}: {edit.field} is {edit.after or 'empty'} in {edit.path}"
    return messages.Told(clean(what), is_error=False, hints=CHANGED)


def _plan(store: sync.Store, changes: FieldChanges) -> sync.FileEditPlan:
    return sync.plan_file_edits(store, {place: (change,) for place, change in changes})


def _carry_out(store: sync.Store, plan: sync.FileEditPlan) -> tuple[str, Hints]:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.carry_out_edits(store, state, plan)
    return f"{sync.count_tickets(plan.issues)} changed", CHANGED


def _add(store: sync.Store, drafts: tuple[Ticket, ...], parent: sync.IssuePlace | None) -> str:
    """Write new tickets or a sub-task; return their file."""
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        if parent is None:
            return sync.add_drafts(store, state, drafts)
        sync.add_sub_task(store, state, parent, drafts[0].title)
        return parent.path


def _add_comment(store: sync.Store, place: sync.IssuePlace, text: str) -> tuple[str, Hints]:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.add_comment(store, state, place, text)
    return f"{place.path} holds the comment", CHANGED
