"""Changes fields in files, and adds drafts."""

from __future__ import annotations

from contextlib import closing
from typing import TypeAlias

import trio

from ticketr.app import sync
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.app.tui.workspace import NO_COMMENTS
from ticketr.text import clean

#: Changes of fields, each of one issue.
FieldChanges: TypeAlias = tuple[tuple[sync.IssuePlace, sync.FieldSetting], ...]
#: What can be done after a change of files.
CHANGED = (
    (KeyAction.PUSH, "shows what a push sends"),
    (KeyAction.UNDO, "takes it back"),
)


async def change_field(
    services: Services, name: str, place: sync.IssuePlace, change: sync.FieldSetting
) -> None:
    """Change a field of one issue in its file, and read the workspace again."""
    await services.change(name, _change_field, services.workspaces[name].store, place, change)


async def plan_edits(services: Services, name: str, changes: FieldChanges) -> sync.FileEditPlan:
    """Plan a change of fields."""
    return await services.in_thread(_plan, services.workspaces[name].store, changes)


async def carry_out_edits(services: Services, name: str, plan: sync.FileEditPlan) -> bool:
    """Change the files as planned, and read the workspace again."""
    await services.change(name, _carry_out, services.workspaces[name].store, plan)
    return True


async def add_ticket(
    services: Services, name: str, title: str, parent: sync.IssuePlace | None
) -> messages.Notice:
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
    return await _add_drafts(services, name, (draft,), parent)


async def add_from_template(
    services: Services, name: str, template: sync.Template, values: tuple[str, ...]
) -> messages.Notice:
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
    return await _add_drafts(services, name, drafts, None)


async def _add_drafts(
    services: Services, name: str, drafts: tuple[Ticket, ...], parent: sync.IssuePlace | None
) -> messages.Notice:
    with trio.CancelScope(shield=True):  # one short write
        path = await services.in_thread(_add, services.workspaces[name].store, drafts, parent)
    await services.readers[name].read()
    services.send(messages.TicketAdded(name, path, drafts[0].title))
    hints = ((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back"))
    words = clean(f"{path} holds the draft{'s' * (len(drafts) > 1)}")
    return messages.Notice(words, is_error=False, hints=hints)


async def add_comment(services: Services, name: str, place: sync.IssuePlace, text: str) -> None:
    """Write a new comment, whose text is cleaned, into the file of an issue, and read the workspace again.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    workspace = services.workspaces[name]
    if not workspace.keeps_comments:
        raise CallFailed(NO_COMMENTS)
    await services.change(name, _add_comment, workspace.store, place, text)


def _change_field(
    store: sync.Store, place: sync.IssuePlace, change: sync.FieldSetting
) -> messages.Notice:
    plan = sync.plan_file_edits(store, {place: (change,)})
    if not plan.edits:
        return messages.Notice(clean(f"{change.name} is {change.text} already"), is_error=False)
    _carry_out(store, plan)
    (edit,) = plan.edits
    what = f"{edit.key or edit.title}: {edit.field} is {edit.after or 'empty'} in {edit.path}"
    return messages.Notice(clean(what), is_error=False, hints=CHANGED)


def _plan(store: sync.Store, changes: FieldChanges) -> sync.FileEditPlan:
    return sync.plan_file_edits(store, {place: (change,) for place, change in changes})


def _carry_out(store: sync.Store, plan: sync.FileEditPlan) -> messages.Notice:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.carry_out_edits(store, state, plan)
    words = f"{sync.count_tickets(plan.issues)} changed"
    return messages.Notice(words, is_error=False, hints=CHANGED)


def _add(store: sync.Store, drafts: tuple[Ticket, ...], parent: sync.IssuePlace | None) -> str:
    """Write new tickets or a sub-task; return their file."""
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        if parent is None:
            return sync.add_drafts(store, state, drafts)
        sync.add_sub_task(store, state, parent, drafts[0].title)
        return parent.path


def _add_comment(store: sync.Store, place: sync.IssuePlace, text: str) -> messages.Notice:
    store.prepare()
    with store.lock(), closing(sync.State(store.state_path, store.mark)) as state:
        sync.add_comment(store, state, place, text)
    words = clean(f"{place.path} holds the comment")
    return messages.Notice(words, is_error=False, hints=CHANGED)
