"""The key that changes a field of all chosen tickets. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ticketr.app.sync import BulkChange, Change, FieldChange, FieldSetting
from ticketr.app.tickets import is_key
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.main.changing import counts_of_values, place_of, values_of
from ticketr.app.tui.overlays.many import AskingIssues, FileEdits
from ticketr.app.tui.overlays.questions import AskingStatus, Choice, LineInput, Option
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.services.asking import ask_issues, ask_statuses
from ticketr.app.tui.services.edits import plan_edits
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clean

#: The most values of a field that are listed; any other can be typed.
MOST_VALUES = 12
#: The most tickets for which Jira is asked what they can become: one of each type and status.
MOST_ASKED = 5


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of change of the chosen tickets."""

    words: str
    field: str
    change: Change
    label: str
    nobody: str = ""  # what to call an empty value; empty if a value is required

    def problem(self, text: str) -> str:
        """Return why a text cannot be taken; empty if it can."""
        if not text and not self.nobody:
            return "It needs a text; Esc goes back"
        if self.field == "Labels" and " " in text:
            return "A label has no blanks"
        return ""


_KINDS = (
    _Kind("add a label", "Labels", Change.ADD, "label to add:"),
    _Kind("remove a label", "Labels", Change.REMOVE, "label to remove:"),
    _Kind("set the status", "Status", Change.SET, "status:"),
    _Kind("assign them", "Assignee", Change.SET, "assignee, empty for nobody:", "nobody"),
    _Kind("set the priority", "Priority", Change.SET, "priority:"),
)


#: What is done in Jira itself, to all chosen tickets that it has.
_IN_JIRA = ("move to a status", "move under a parent", "set a field", "delete with sub-tasks")


def change_chosen(state: AppState, _: float) -> Step | None:
    """Ask what to change in the chosen tickets, then for the value, then show the plan."""
    rows = _chosen_rows(state)
    if not rows:
        choose = state.keymap.hint(KeyAction.SELECT, Context.MAIN, "chooses one", before="; ")
        return state.noticed(f"Choose tickets first{choose}"), ()

    keys = tuple(row.key for row in rows if row.key)

    def chosen(state: AppState, index: int) -> Step:
        if index >= len(_KINDS):
            return _in_jira(state, rows, keys, index - len(_KINDS))
        kind = _KINDS[index]
        if kind.field == "Status":
            return _ask_statuses(state, rows, kind)
        return _values(state, rows, kind), ()

    refused = "" if keys else "Jira has none of them"
    options = tuple(Option(kind.words, "in the files; a push sends it") for kind in _KINDS)
    options += tuple(Option(text, "sent to Jira at once", refused) for text in _IN_JIRA)
    return state.opened(Choice(f"Change {_chosen_words(len(rows))}", options, chosen)), ()


def change_status(state: AppState) -> Step | None:
    """Ask for another status of the chosen tickets, then show the plan; None if none is chosen."""
    rows = _chosen_rows(state)
    kind = next(kind for kind in _KINDS if kind.field == "Status")
    return _ask_statuses(state, rows, kind) if rows else None


def _chosen_rows(state: AppState) -> tuple[ListRow, ...]:
    workspace = state.workspace
    return tuple(row for row in workspace.rows if row.id in workspace.chosen)


def _in_jira(state: AppState, rows: tuple[ListRow, ...], keys: tuple[str, ...], at: int) -> Step:
    """Ask what is needed for a change in Jira itself, then for the issues."""
    if at == 0:
        return _ask_what_they_become(state, rows, partial(_status_in_jira, keys))
    if at == 1:
        return state.opened(_parent_input(keys, "")), ()
    if at == 2:
        return state.opened(_setting_input(keys, "")), ()
    return _ask_issues(state, keys, BulkChange(delete=True))


def _status_in_jira(keys: tuple[str, ...], state: AppState, status: str) -> Step:
    return _ask_issues(state, keys, BulkChange(status=status))


def _parent_input(keys: tuple[str, ...], text: str) -> LineInput:
    def taken(state: AppState, text: str) -> Step:
        parent = text.strip().upper()
        if not is_key(parent):
            words = "The key of a ticket is needed, such as DEMO-1; Esc goes back"
            return state.opened(_parent_input(keys, text)).noticed(words, is_bad=True), ()
        return _ask_issues(state, keys, BulkChange(parent=parent))

    return LineInput("key of the parent:", taken, input=TextInput.of(text))


def _setting_input(keys: tuple[str, ...], text: str) -> LineInput:
    def taken(state: AppState, text: str) -> Step:
        setting = FieldSetting.read(text.strip())
        if setting is None:
            words = "Write it like Priority=High, Labels+=urgent or Labels-=old; Esc goes back"
            return state.opened(_setting_input(keys, text)).noticed(words, is_bad=True), ()
        return _ask_issues(state, keys, BulkChange(settings=(setting,)))

    return LineInput("field=value:", taken, input=TextInput.of(text))


def _ask_issues(state: AppState, keys: tuple[str, ...], change: BulkChange) -> Step:
    name = state.workspace.name
    return state.opened(AskingIssues(name, keys, change)), (call_in(name, ask_issues, keys),)


def _ask_statuses(state: AppState, rows: tuple[ListRow, ...], kind: _Kind) -> Step:
    """Ask Jira what the tickets can become; for drafts alone, list the statuses of the files."""
    if not any(row.key for row in rows):
        return _values(state, rows, kind), ()
    return _ask_what_they_become(state, rows, partial(_open_plan, rows, kind))


def _ask_what_they_become(
    state: AppState, rows: tuple[ListRow, ...], taken: Callable[[AppState, str], Step]
) -> Step:
    alike: dict[tuple[str, str], ListRow] = {}
    for row in rows:
        if row.key:
            alike.setdefault((row.candidate.fields.get("Type", ""), row.status), row)
    asked = {row.key: row.status for row in list(alike.values())[:MOST_ASKED]}
    name = state.workspace.name
    seen = values_of(state.workspace.rows, "Status")
    title = f"Status of {_chosen_words(len(rows))}"
    asking = AskingStatus(name, title, asked, seen, taken)
    return state.opened(asking), (call_in(name, ask_statuses, tuple(asked)),)


def _values(state: AppState, rows: tuple[ListRow, ...], kind: _Kind) -> AppState:
    """List the values that the tickets of the workspace have, and a line to type another one."""
    among = rows if kind.change is Change.REMOVE else state.workspace.rows
    counts = counts_of_values(among, kind.field, is_list=kind.field == "Labels")
    values = tuple(counts)[:MOST_VALUES]
    if not values:
        return state.opened(_value_input(rows, kind, ""))
    options = [Option(clean(value), _ticket_words(counts[value])) for value in values]
    if kind.nobody:
        options.append(Option(kind.nobody))
        values = (*values, "")
    options.append(Option("another one…", "to type"))

    def chosen(state: AppState, index: int) -> Step:
        if index == len(values):
            return state.opened(_value_input(rows, kind, "")), ()
        return _open_plan(rows, kind, state, values[index])

    return state.opened(Choice(kind.words.capitalize(), tuple(options), chosen))


def _value_input(rows: tuple[ListRow, ...], kind: _Kind, text: str) -> LineInput:
    return LineInput(kind.label, partial(_take_typed, rows, kind), input=TextInput.of(text))


def _take_typed(rows: tuple[ListRow, ...], kind: _Kind, state: AppState, text: str) -> Step:
    problem = kind.problem(text.strip())
    if problem:
        return state.opened(_value_input(rows, kind, text)).noticed(problem, is_bad=True), ()
    return _open_plan(rows, kind, state, text)


def _open_plan(rows: tuple[ListRow, ...], kind: _Kind, state: AppState, text: str) -> Step:
    change = FieldChange(kind.field, text.strip(), kind.change)
    changes = tuple((place_of(row), change) for row in rows)
    name = state.workspace.name
    return state.opened(FileEdits(name, changes)), (call_in(name, plan_edits, changes),)


def _chosen_words(number: int) -> str:
    return f"{number} chosen ticket{'s' * (number != 1)}"


def _ticket_words(number: int) -> str:
    return f"{number} ticket{'s' * (number != 1)}"
