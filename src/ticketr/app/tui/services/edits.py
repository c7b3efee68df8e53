"""Changes files: fields, drafts, comments and conflicts; takes changes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from ticketr.app import sync
from ticketr.app.tickets import Ticket, is_key
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.app.tui.workspace import COMMENTS_NOT_KEPT_MESSAGE
from ticketr.text import clean

#: Changes of fields, each of one issue.
IssueFieldPairs: TypeAlias = tuple[tuple[sync.IssuePlace, sync.FieldSetting], ...]
#: The most tickets of a change that are named.
MAX_NAMED_TICKETS = 5
#: What can be done after a change of files.
AFTER_CHANGE_HINTS = (
    (KeyAction.PUSH, "shows what a push sends"),
    (KeyAction.UNDO, "takes it back"),
)


async def change_field(
    services: Services, name: str, place: sync.IssuePlace, change: sync.FieldSetting
) -> None:
    """Change a field of one issue in its file, and read the workspace again."""

    def change_file(store: sync.Store, state: sync.State) -> messages.Notice:
        plan = sync.plan_file_edits(store, {place: change})
        if not plan.edits:
            return messages.Notice(clean(f"{change.name} is {change.text} already"), is_error=False)
        sync.carry_out_edits(store, state, plan)
        (edit,) = plan.edits
        what = f"{edit.key or edit.title}: {edit.field} is {edit.value_after or 'empty'} in {edit.path}"
        return messages.Notice(clean(what), is_error=False, hints=AFTER_CHANGE_HINTS)

    await services.change(name, change_file)


async def plan_edits(services: Services, name: str, changes: IssueFieldPairs) -> sync.FileEditPlan:
    """Plan a change of fields."""
    store = services.workspaces[name].store
    return await services.in_thread(sync.plan_file_edits, store, dict(changes))


async def carry_out_edits(services: Services, name: str, plan: sync.FileEditPlan) -> Literal[True]:
    """Change the files as planned, and read the workspace again."""

    def change_files(store: sync.Store, state: sync.State) -> messages.Notice:
        sync.carry_out_edits(store, state, plan)
        words = f"{sync.count_tickets(plan.issue_count)} changed"
        return messages.Notice(words, is_error=False, hints=AFTER_CHANGE_HINTS)

    await services.change(name, change_files)
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
    draft = Ticket(title, fields={"Type": services.workspaces[name].default_draft_type})
    return await _add_drafts(services, name, (draft,), parent)


async def add_drafts_from_template(
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
            path = sync.add_drafts_in_new_file(store, state, drafts)
        else:
            path = parent.path
            sync.add_sub_task(store, state, parent, drafts[0].title)

    await services.change(name, add)
    services.send_message(messages.DraftAdded(name, path, drafts[0].title))
    hints = ((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back"))
    words = clean(f"{path} holds the draft{'s' * (len(drafts) > 1)}")
    return messages.Notice(words, is_error=False, hints=hints)


async def add_comment_to_file(
    services: Services, name: str, place: sync.IssuePlace, text: str
) -> None:
    """Write a new comment, whose text is cleaned, into the file of an issue, and read the workspace again.

    Cancellation:
        What was typed is written first, which takes a moment.
    """
    if not services.workspaces[name].keeps_comments:
        raise CallFailed(COMMENTS_NOT_KEPT_MESSAGE)

    def add(store: sync.Store, state: sync.State) -> messages.Notice:
        sync.add_comment(store, state, place, text)
        words = clean(f"{place.path} holds the comment")
        return messages.Notice(words, is_error=False, hints=AFTER_CHANGE_HINTS)

    await services.change(name, add)


async def read_conflict(services: Services, name: str, key: str) -> sync.ConflictView:
    """Read a conflict."""
    return await services.read(name, lambda store, state: sync.read_conflict(store, state, key))


async def resolve(services: Services, name: str, resolution: sync.Resolution) -> None:
    """Write what was chosen into the file, and read the workspace again.

    Cancellation:
        What was chosen is written first, which takes a moment.
    """

    def carry_out(store: sync.Store, state: sync.State) -> messages.Notice:
        done = sync.carry_out(store, state, resolution)
        aside = f"; the text that it had is in {done.aside}" if done.aside else ""
        forward = "".join(f"; {note.reason.partition('. ')[0]}" for note in done.brought_forward)
        hints = ((KeyAction.UNDO, "takes it back"),) if done.aside else ()
        words = clean(f"{done.key} is resolved{forward}{aside}")
        return messages.Notice(words, is_error=False, hints=hints)

    await services.change(name, carry_out)


async def ask_to_undo(services: Services, name: str) -> messages.YesNoAsked | messages.Notice:
    """Find what can be taken back, and ask whether to do so; tell if there is nothing, and why."""
    try:
        steps = await services.read(name, sync.require_last_undoable_change)
    except (sync.NothingToUndo, sync.CannotUndo) as error:
        why = f": {error.reason}" if isinstance(error, sync.CannotUndo) else ""
        return messages.Notice(clean(f"There is nothing to take back{why}"), is_error=False)
    words = clean(_undo_question(steps))
    return messages.YesNoAsked("Take back", words, (call_in(name, undo, steps),))


def _undo_question(steps: Sequence[sync.UndoStep]) -> str:
    """Return what taking a change back would do, as a question."""
    step = steps[0]
    when = f"{datetime.fromtimestamp(step.done_at, UTC).astimezone():%H:%M:%S on %Y-%m-%d}"
    if step.kind is sync.Undoable.ADDED:
        does = f"{step.path}, which was added at {when}, is removed. Its text is kept in .ticketr/trash."
    else:
        where = f"{step.key} in {step.path}" if len(steps) == 1 else _changed_ticket_names(steps)
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

    def take_back(store: sync.Store, state: sync.State) -> messages.Notice:
        undone = sync.undo_and_keep_copies(store, state, steps)
        done, failed = undone.steps_and_backup_paths, undone.failed
        step, aside = done[0]
        if failed:
            words = f"{len(done)} taken back, {len(failed)} not: {failed[0]}"
        elif len(done) > 1:
            words = f"{_changed_ticket_names([step for step, _ in done])} are as they were"
        elif step.kind is sync.Undoable.ADDED:
            words = f"{step.path} is gone; its text is in {aside}"
        else:
            where = f"; the text that it had is in {aside}" if aside else ""
            words = f"{step.key} is as it was{where}"
        return messages.Notice(clean(words), is_error=bool(failed))

    await services.change(name, take_back)


def _changed_ticket_names(steps: Sequence[sync.UndoStep]) -> str:
    """Return the tickets of a change in the order in which they were changed, not too many."""
    paths_and_keys = ((step.path, step.key) for step in reversed(steps))
    names = [*dict.fromkeys(key if is_key(key) else path for path, key in paths_and_keys)]
    more = f" and {len(names) - MAX_NAMED_TICKETS} more" if len(names) > MAX_NAMED_TICKETS else ""
    return f"{', '.join(names[:MAX_NAMED_TICKETS])}{more}"
