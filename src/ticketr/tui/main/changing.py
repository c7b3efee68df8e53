"""Keys that change fields in files, and add tickets. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ticketr.sync import Change, FieldChange, IssuePlace
from ticketr.text import clean
from ticketr.tui import effects
from ticketr.tui.keymap import Context, KeyAction
from ticketr.tui.navigation import show_row
from ticketr.tui.overlays.choice import Choice, Option
from ticketr.tui.overlays.file_edits import FileEdits
from ticketr.tui.overlays.line_input import LineInput
from ticketr.tui.overlays.status import AskingStatus, status_choice
from ticketr.tui.text_input import TextInput

if TYPE_CHECKING:
    from ticketr.tui.messages import TicketAdded
    from ticketr.tui.rows import ListRow
    from ticketr.tui.state import AppState
    from ticketr.tui.step import Step
    from ticketr.tui.workspace import WorkspaceView

NO_TICKET = "Select a ticket first"


def change_status(state: AppState, _: float) -> Step | None:
    """Ask for the statuses that the issue can take; for a draft, list those of the files."""
    row, workspace = state.row, state.workspace
    if row is None or row.is_broken:
        return None
    seen = _statuses_seen(workspace)
    asking = AskingStatus(workspace.name, _place(row), row.title, row.status, seen)
    if row.key:
        return state.opened(asking), (effects.AskStatuses(workspace.name, row.key),)
    if not seen:
        edit = state.keymap.hint(KeyAction.EDIT, Context.MAIN, "edits this one", before="; ")
        return state.noticed(f"No file has a status yet{edit}"), ()
    return state.opened(status_choice(asking, seen)), ()


def add(state: AppState, _: float) -> Step | None:
    """Ask for the title of a new ticket or sub-task, then which of them it is to be."""
    workspace = state.workspace
    if not state.workspaces:
        return None
    ticket = _ticket_of(workspace, state.row)

    def taken(state: AppState, text: str) -> Step:
        title = clean(text).strip()
        if not title:
            return state.noticed("A ticket needs a title; nothing was added"), ()

        def chosen(state: AppState, index: int) -> Step:
            parent = _place(ticket) if index and ticket is not None else None
            return state, (effects.AddTicket(workspace.name, title, parent),)

        if ticket is None:
            task = Option("a sub-task", refused=NO_TICKET)
        else:
            task = Option(f"a sub-task of {ticket.key or ticket.title}", "in its file")
        options = (Option("a ticket", "in a file of its own"), task)
        return state.opened(Choice(f"Add “{title}” as", options, chosen)), ()

    return state.opened(LineInput("title:", taken)), ()


def show_added(state: AppState, added: TicketAdded) -> AppState:
    """Select a draft that was just added; a filter that hides it is taken off."""
    workspace = state.named(added.workspace)
    if workspace is None:
        return state
    title = clean(added.title)
    rows = [
        each
        for each in workspace.rows
        if each.is_draft and each.path == added.path and each.title == title
    ]
    if not rows or state.workspace.name != workspace.name:
        return state
    return show_row(state, rows[-1])


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of change of the chosen tickets."""

    words: str
    field: str
    change: Change
    label: str
    may_be_empty: bool = False

    def problem(self, text: str) -> str:
        """Return why a text cannot be taken; empty if it can."""
        if not text and not self.may_be_empty:
            return "It needs a text; Esc goes back"
        if self.field == "Labels" and " " in text:
            return "A label has no blanks"
        return ""


_KINDS = (
    _Kind("add a label", "Labels", Change.ADD, "label to add:"),
    _Kind("remove a label", "Labels", Change.REMOVE, "label to remove:"),
    _Kind("set the status", "Status", Change.SET, "status:"),
    _Kind("assign them", "Assignee", Change.SET, "assignee, empty for nobody:", may_be_empty=True),
    _Kind("set the priority", "Priority", Change.SET, "priority:"),
)


def change_chosen(state: AppState, _: float) -> Step | None:
    """Ask what to change in the chosen tickets, then for the text, then show the plan."""
    workspace = state.workspace
    rows = tuple(each for each in workspace.rows if each.id in workspace.chosen)
    if not rows:
        choose = state.keymap.hint(KeyAction.SELECT, Context.MAIN, "chooses one", before="; ")
        return state.noticed(f"Choose tickets first{choose}"), ()

    def chosen(state: AppState, index: int) -> Step:
        return state.opened(_input(rows, _KINDS[index], "")), ()

    options = tuple(Option(each.words) for each in _KINDS)
    return state.opened(Choice(f"Change {_count(len(rows))}", options, chosen)), ()


def _input(rows: tuple[ListRow, ...], kind: _Kind, text: str) -> LineInput:
    return LineInput(kind.label, partial(_taken, rows, kind), input=TextInput.of(text))


def _taken(rows: tuple[ListRow, ...], kind: _Kind, state: AppState, text: str) -> Step:
    problem = kind.problem(text.strip())
    if problem:
        return state.opened(_input(rows, kind, text)).noticed(problem, is_bad=True), ()
    change = FieldChange(kind.field, text.strip(), kind.change)
    changes = tuple((_place(row), change) for row in rows)
    name = state.workspace.name
    return state.opened(FileEdits(name, changes)), (effects.PlanEdits(name, changes),)


def _count(number: int) -> str:
    return f"{number} chosen ticket{'s' * (number != 1)}"


def _place(row: ListRow) -> IssuePlace:
    return IssuePlace(row.path, row.key, 0 if row.key else row.line)


def _ticket_of(workspace: WorkspaceView, row: ListRow | None) -> ListRow | None:
    """Return the row of the ticket of a row, which may be that of a sub-task."""
    if row is None or row.is_broken:
        return None
    return next((each for each in workspace.rows if each.order == (*row.order[:3], 0)), None)


def _statuses_seen(workspace: WorkspaceView) -> tuple[str, ...]:
    """Return the statuses in the files of a workspace, the most frequent first."""
    counts = Counter(row.status for row in workspace.rows if row.status)
    return tuple(name for name, _ in counts.most_common())
