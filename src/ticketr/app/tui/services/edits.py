"""Changes fields in files, and adds drafts."""

from __future__ import annotations

from typing import TypeAlias

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
    await services.change(name, _change_field, place, change)


async def plan_edits(services: Services, name: str, changes: FieldChanges) -> sync.FileEditPlan:
    """Plan a change of fields."""
    return await services.in_thread(_plan, services.workspaces[name].store, changes)


async def carry_out_edits(services: Services, name: str, plan: sync.FileEditPlan) -> bool:
    """Change the files as planned, and read the workspace again."""
    await services.change(name, _carry_out, plan)
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
    path = ""

    def add(store: sync.Store, state: sync.State) -> None:
        nonlocal path
        if parent is None:
            path = sync.add_drafts(store, state, drafts)
        else:
            path = parent.path
            sync.add_sub_task(store, state, parent, drafts[0].title)

    await services.change(name, add)
    services.send(messages.TicketAdded(name, path, drafts[0].title))
    hints = ((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back"))
    words = clean(f"{path} holds the draft{'s' * (len(drafts) > 1)}")
    return messages.Notice(words, is_error=False, hints=hints)


async def add_comment(services: Services, name: str, place: sync.IssuePlace, text: str) -> None:
    """Write a new comment, whose text is cleaned, into the file of an issue, and read the workspace again.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    if not services.workspaces[name].keeps_comments:
        raise CallFailed(NO_COMMENTS)
    await services.change(name, _add_comment, place, text)


def _plan(store: sync.Store, changes: FieldChanges) -> sync.FileEditPlan:
    return sync.plan_file_edits(store, {place: (change,) for place, change in changes})


def _change_field(
    store: sync.Store, state: sync.State, place: sync.IssuePlace, change: sync.FieldSetting
) -> messages.Notice:
    plan = sync.plan_file_edits(store, {place: (change,)})
    if not plan.edits:
        return messages.Notice(clean(f"{change.name} is {change.text} already"), is_error=False)
    sync.carry_out_edits(store, state, plan)
    (edit,) = plan.edits
    what = f"{edit.key or edit.title}: {edit.field} is {edit.after or 'empty'} in {edit.path}"
    return messages.Notice(clean(what), is_error=False, hints=CHANGED)


def _carry_out(store: sync.Store, state: sync.State, plan: sync.FileEditPlan) -> messages.Notice:
    sync.carry_out_edits(store, state, plan)
    words = f"{sync.count_tickets(plan.issues)} changed"
    return messages.Notice(words, is_error=False, hints=CHANGED)


def _add_comment(
    store: sync.Store, state: sync.State, place: sync.IssuePlace, text: str
) -> messages.Notice:
    sync.add_comment(store, state, place, text)
    words = clean(f"{place.path} holds the comment")
    return messages.Notice(words, is_error=False, hints=CHANGED)
