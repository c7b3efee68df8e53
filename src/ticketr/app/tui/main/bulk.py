"""Keys that change, open or copy the chosen tickets, else the selected one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ticketr.app import sync
from ticketr.app.tui.effects import JobKind, JobRequest, call, call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.main.changing import counts_of_values, place_of, sheet_if_row_is_open
from ticketr.app.tui.overlays.questions import Choice, LineInput, Loading, Option, YesNoQuestion
from ticketr.app.tui.overlays.review import Deletion, FileEdits
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.services import outside
from ticketr.app.tui.services.asking import (
    ask_allowed_values_and_if_all,
    ask_bulk_issues,
    ask_statuses,
)
from ticketr.app.tui.services.edits import change_field
from ticketr.app.tui.services.jobs import ask_to_attach, key_or_each_of_count, start_job
from ticketr.app.tui.state import AppState, Handler, Panel, Step
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clean

PARENT_FIELD = "Parent"
NO_TICKET_HAS_FIELD_MESSAGE = "No ticket here has a {} yet"
#: The most tickets that are opened in the browser without a question.
MAX_BROWSER_TABS_WITHOUT_QUESTION = 5
#: The most tickets for which Jira is asked what they can become: one of each type and status.
MAX_NEXT_STATUS_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class _FieldToEdit:
    """A field that a key changes.

    Attributes:
        menu_label: Its line in the menu of changes: what the key does.
        name: The field's name, in files.
        empty_label: What to call an empty value; empty if a value is required.
        unlisted_value_note: What a value is that is not listed; empty if only listed ones can be taken.
        is_listed_by_jira: Whether Jira lists its values.
        is_list: Whether it has several values: one more is added, or one is removed.
    """

    menu_label: str
    name: str
    empty_label: str = ""
    unlisted_value_note: str = "not among those that are known here"
    is_listed_by_jira: bool = True
    is_list: bool = False

    @property
    def is_list_or_sprint(self) -> bool:
        """Whether its line in a file may hold several values: that of the sprint has past ones, too."""
        return self.is_list or self.name == "Sprint"


#: The fields that have a key of their own.
FIELD_BY_ACTION = {
    KeyAction.ASSIGN: _FieldToEdit("assign", "Assignee", "nobody"),
    KeyAction.LABELS: _FieldToEdit(
        "add or remove a label",
        "Labels",
        unlisted_value_note="a new label",
        is_listed_by_jira=False,
        is_list=True,
    ),
    KeyAction.PRIORITY: _FieldToEdit("set the priority", "Priority"),
    KeyAction.SPRINT: _FieldToEdit(
        "move to a sprint", "Sprint", "no sprint", unlisted_value_note="", is_listed_by_jira=False
    ),
    KeyAction.PARENT: _FieldToEdit(
        "set the parent", "Parent", "no parent", unlisted_value_note="", is_listed_by_jira=False
    ),
    KeyAction.FIX_VERSION: _FieldToEdit("add or remove a fix version", "Fix Version", is_list=True),
}
#: Fields with several values that have no key of their own.
_KEYLESS_MULTI_VALUE_FIELDS = frozenset(("Components",))
#: Fields that no line of a file changes, or that have a key of their own.
_EXCLUDED_FIELDS = frozenset(
    ("Status", "Type", *(field.name for field in FIELD_BY_ACTION.values()))
)
_NEXT_PUSH_TEXT = "with the next push"


@dataclass(frozen=True, slots=True)
class _Targets:
    """The tickets that a key changes: the chosen ones, else the selected one."""

    rows: tuple[ListRow, ...]
    are_chosen: bool = False

    @property
    def description(self) -> str:
        """What they are called."""
        if self.are_chosen:
            return f"{len(self.rows)} chosen ticket{'s' * (len(self.rows) != 1)}"
        return self.rows[0].key or self.rows[0].title_or_error

    @property
    def issue_keys(self) -> tuple[str, ...]:
        """The keys of those that Jira has."""
        return tuple(row.key for row in self.rows if row.key)

    def edit_selected_or_plan_chosen(self, state: AppState, change: sync.FieldSetting) -> Step:
        """Change the file of the selected ticket at once; for chosen ones, open the plan."""
        name = state.workspace.name
        if not self.are_chosen:
            return state, (call_in(name, change_field, place_of(self.rows[0]), change),)
        changes = tuple((place_of(row), change) for row in self.rows)
        plan = FileEdits(name, changes)
        return state.opened(plan), (plan.plan_request,)


def on_targets(step: Callable[[AppState, _Targets], Step]) -> Handler:
    """Return what takes a step with the chosen tickets, else with the selected one."""

    def handle(state: AppState, _: float) -> Step | None:
        workspace, row = state.workspace, state.selected_row
        if workspace.chosen_ids and state.focus is Panel.TICKETS:
            rows = tuple(row for row in workspace.rows if row.id in workspace.chosen_ids)
            return step(state, _Targets(rows, are_chosen=True))
        return None if row is None or row.is_broken else step(state, _Targets((row,)))

    return handle


def _on_issue_keys(step: Callable[[AppState, tuple[str, ...], float], Step]) -> Handler:
    """Return what takes a step with the keys of the tickets; drafts have none."""

    def handle(state: AppState, now: float) -> Step | None:
        def with_keys(state: AppState, targets: _Targets) -> Step:
            if targets.issue_keys:
                return step(state, targets.issue_keys, now)
            does = "shows what a push would create"
            push = state.keymap.hint(KeyAction.PUSH, Context.MAIN, does, before="; ")
            return state.with_notice(f"Jira does not have this ticket yet{push}"), ()

        return on_targets(with_keys)(state, now)

    return handle


def choose_change(state: AppState, targets: _Targets) -> Step:
    """Ask what to change in the tickets."""
    refused = "" if targets.issue_keys else "Jira has none of them"
    options = (
        *(
            Option(field.menu_label, _NEXT_PUSH_TEXT, value=partial(choose_value, field=field))
            for field in FIELD_BY_ACTION.values()
        ),
        Option("set the status", _NEXT_PUSH_TEXT, value=choose_status),
        Option("set another field", _NEXT_PUSH_TEXT, value=_choose_keyless_field),
        Option("delete with sub-tasks", "in Jira, at once", refused, _load_and_show_deletion_plan),
    )

    def on_choose(state: AppState, change: Callable[[AppState, _Targets], Step]) -> Step:
        return change(state, targets)

    return state.opened(Choice(f"Change {targets.description}", options, on_choose)), ()


@_on_issue_keys
def ask_file_to_attach(state: AppState, keys: tuple[str, ...], _: float) -> Step:
    """Ask for the path of a file to attach."""
    name = state.workspace.name

    def on_accept(state: AppState, text: str) -> Step:
        if not text.strip():
            return state.with_notice("Nothing was attached"), ()
        return state, (call_in(name, ask_to_attach, keys, text),)

    return state.opened(LineInput(f"file for {key_or_each_of_count(keys)}:", on_accept)), ()


@_on_issue_keys
def ask_work_to_log(state: AppState, keys: tuple[str, ...], now: float) -> Step:
    """Ask for a time and a text, then whether to log that on the tickets in Jira."""
    name = state.workspace.name

    def on_accept(state: AppState, text: str) -> Step | str:
        try:
            spent, words = sync.split_time_and_text(text)
        except sync.UnsendableWorkOrComment as error:
            return clean(str(error))
        requests = [
            JobRequest(JobKind.WORKLOG, (key,), {"key": key, "time_spent": spent, "comment": words})
            for key in keys
        ]
        effects = tuple(call_in(name, start_job, request) for request in requests)
        on = f"“{clean(words)}” " if words else ""
        question = f"{spent} {on}is logged on {key_or_each_of_count(keys)} in Jira at once."
        ask = YesNoQuestion("Log work", f"{question} Enter does it, Esc does not.", effects, now)
        return state.opened(ask), ()

    line = LineInput("time, and a text:", on_accept, examples="2h wrote the tests")
    return state.opened(line), ()


@_on_issue_keys
def open_in_browser(state: AppState, keys: tuple[str, ...], now: float) -> Step:
    """Open the tickets in the browser; many after a question."""
    effect = call_in(state.workspace.name, outside.open_browser, keys)
    if len(keys) <= MAX_BROWSER_TABS_WITHOUT_QUESTION:
        return state, (effect,)
    words = f"{len(keys)} tickets are opened in the browser. Enter does it, Esc does not."
    return state.opened(YesNoQuestion("Open", words, (effect,), now)), ()


@_on_issue_keys
def copy_keys(state: AppState, keys: tuple[str, ...], _: float) -> Step:
    """Copy the keys of the tickets in one line, as commands and commit messages take them."""
    what = keys[0] if len(keys) == 1 else f"the keys of {len(keys)} tickets"
    return state, (call(outside.copy_text, " ".join(keys), what),)


@_on_issue_keys
def copy_addresses(state: AppState, keys: tuple[str, ...], _: float) -> Step:
    """Copy the addresses of the tickets in a browser, one a line."""
    return state, (call_in(state.workspace.name, outside.copy_addresses, keys),)


def _choose_keyless_field(state: AppState, targets: _Targets) -> Step:
    """Choose among the fields of the tickets that have no key of their own, then the value."""
    names = {name for row in state.workspace.rows for name in row.candidate.fields}
    options = tuple(Option(clean(name), value=name) for name in sorted(names - _EXCLUDED_FIELDS))

    def on_choose(state: AppState, name: str) -> Step:
        field = _FieldToEdit("", name, "nothing", is_list=name in _KEYLESS_MULTI_VALUE_FIELDS)
        return choose_value(state, targets, field)

    title = f"Set a field of {targets.description}"
    choice = Choice(title, options, on_choose, unlisted_value_note="as its line in a file")
    return state.opened(choice), ()


def choose_value(state: AppState, targets: _Targets, field: _FieldToEdit, typed: str = "") -> Step:
    """List the values of a field: those of the tickets at once, Jira's when it has answered."""
    name = state.workspace.name
    if field.name == PARENT_FIELD and any(row.depth for row in targets.rows):
        words = "The parent of a sub-task is the ticket of its file; move it in Jira instead"
        return state.with_notice(words), ()

    def on_accept(state: AppState, value: str) -> Step:
        text = value.strip()
        if field.name == "Labels" and " " in text:
            step = choose_value(state, targets, field, value)
            return step[0].with_notice("A label has no blanks", is_bad=True), step[1]
        has_it = field.is_list and all(text in _current_values(row, field) for row in targets.rows)
        how = (
            (sync.ListAction.REMOVE if has_it else sync.ListAction.ADD)
            if field.is_list
            else sync.ListAction.REPLACE
        )
        return targets.edit_selected_or_plan_chosen(state, sync.FieldSetting(field.name, text, how))

    options_of = partial(_value_options, state, targets, field)
    key = next((row.key for row in (*targets.rows, *state.workspace.rows) if row.key), "")
    asking = (
        call_in(name, ask_allowed_values_and_if_all, (key, field.name))
        if field.is_listed_by_jira and key
        else None
    )
    choice = Choice(
        f"{clean(field.name)} of {targets.description}",
        options_of(()),
        on_accept,
        input=TextInput.of(typed),
        unlisted_value_note=field.unlisted_value_note,
        options_request=asking,
        options_and_if_all=lambda answer: (options_of(answer[0]) if answer[0] else (), answer[1]),
    )
    if not choice.options and not choice.unlisted_value_note:
        return state.with_notice(NO_TICKET_HAS_FIELD_MESSAGE.format(field.name)), ()
    return state.opened(choice), (asking,) if asking else ()


def _value_options(
    state: AppState, targets: _Targets, field: _FieldToEdit, listed: tuple[str, ...]
) -> tuple[Option, ...]:
    """Return the values to choose from: the user and the present values first.

    Args:
        state: The state.
        targets: The tickets that are to be changed.
        field: The field.
        listed: The values that Jira lists; none if it has not answered or lists none.
    """
    workspace = state.workspace
    counts = counts_of_values(workspace.rows, field.name, is_list=field.is_list_or_sprint)
    if field.name == PARENT_FIELD:  # no ticket is its own parent
        for row in targets.rows:
            counts.pop(row.key or "", None)
    me = workspace.filter_names.app_user_name if field.name == "Assignee" else ""
    present = Counter(value for row in targets.rows for value in _current_values(row, field))
    ids = {row.id for row in targets.rows}
    tickets = (row for row in workspace.rows if row.key and not row.depth and row.id not in ids)
    titles = {row.key: row.title_or_error for row in tickets} if field.name == PARENT_FIELD else {}
    longest = max(map(len, titles), default=0)

    def facts(value: str) -> str:
        if present[value] == len(targets.rows):
            return "Enter removes it" if field.is_list else "now"
        if value == me:
            return "me"
        tickets = sync.count_tickets(counts[value]) if value in counts else ""
        is_here = tickets and field.is_listed_by_jira and value not in listed
        return f"in {tickets} here" if is_here else tickets

    values = dict.fromkeys([*filter(None, [me]), *present, *(listed or counts), *titles])
    options = [
        Option(
            clean(f"{value:{longest}}  {titles[value]}" if value in titles else value),
            facts(value),
            value=value,
        )
        for value in values
    ]
    if field.empty_label:
        options.append(Option(field.empty_label, value=""))
    return tuple(options)


def _current_values(row: ListRow, field: _FieldToEdit) -> tuple[str, ...]:
    """Return the values that a ticket has in a field."""
    return tuple(counts_of_values((row,), field.name, is_list=field.is_list_or_sprint))


def _load_and_show_deletion_plan(state: AppState, targets: _Targets) -> Step:
    """Ask Jira for tickets, then show what deleting them would do."""
    name, keys = state.workspace.name, targets.issue_keys

    def on_answer_or_problem(state: AppState, issues: Any, problem: str, now: float) -> Step:
        if problem or not issues:
            words = f"Nothing was deleted: {problem or 'Jira has none of them'}"
            return state.with_notice(words, is_bad=True), ()
        return state.opened_below_others(Deletion(name, plan=issues, shown_at=now)), ()

    request = call_in(name, ask_bulk_issues, keys)
    words = f"Asking Jira for {sync.count_tickets(len(keys))}..."
    return state.opened(Loading(request, "Delete in Jira", words, on_answer_or_problem)), (request,)


def choose_status(state: AppState, targets: _Targets) -> Step:
    """List the statuses that tickets can take, as Jira says, else those of the files."""

    def on_accept(state: AppState, status: str) -> Step:
        return targets.edit_selected_or_plan_chosen(state, sync.FieldSetting("Status", status))

    alike: dict[tuple[str, str], ListRow] = {}
    for row in targets.rows:
        if row.key or not targets.issue_keys:
            alike.setdefault((row.candidate.fields.get("Type", ""), row.status), row)
    issues = {row.key: row.status for row in list(alike.values())[:MAX_NEXT_STATUS_REQUESTS]}
    row = targets.rows[0]
    sheet = None if targets.are_chosen else sheet_if_row_is_open(state, row)
    edits = (edit.before for edit in sheet.edits if edit.part_name == "Status") if sheet else ()
    synced = next(iter(edits), "")
    now = "" if targets.are_chosen or not row.status else f", now {row.status}"
    request = (
        call_in(state.workspace.name, ask_statuses, tuple(issues)) if targets.issue_keys else None
    )
    seen = {"": tuple(counts_of_values(state.workspace.rows, "Status"))}
    choice = Choice(
        f"Status of {targets.description}{now}",
        _all_status_options(issues, synced, seen) if any(seen.values()) else (),
        on_accept,
        options_request=request,
        options_and_if_all=lambda statuses: (_all_status_options(issues, synced, statuses), True),
        waiting_text="Asking Jira..." if request else "",
        close_notice_if_no_values="Jira allows no other status from here",
    )
    if request is None and not choice.options:
        return state.with_notice(NO_TICKET_HAS_FIELD_MESSAGE.format("Status")), ()
    return state.opened(choice), (request,) if request else ()


def _all_status_options(
    status_by_key: Mapping[str, str], synced: str, allowed_by_key: Mapping[str, tuple[str, ...]]
) -> tuple[Option, ...]:
    """Return the statuses to choose from.

    Args:
        status_by_key: The status of each issue, as the file has it.
        synced: The status at the last sync, not cleaned, if the file has another one.
        allowed_by_key: The statuses that each issue can take.
    """
    listed = [name for names in allowed_by_key.values() for name in names]
    if synced and all(text.casefold() != synced.casefold() for text in listed):
        listed.append(synced)

    def facts(name: str) -> str:
        has = {key for key, text in status_by_key.items() if text.casefold() == name.casefold()}
        if has == set(status_by_key):
            return "now"
        if name == synced:
            return "at the last sync"
        others = allowed_by_key.items()
        refused = [key for key, names in others if name not in names and key not in has]
        more = f" and {len(refused) - 1} more" if refused[1:] else ""
        return f"not for {refused[0]}{more}" if refused else ""

    return tuple(Option(clean(name), facts(name), value=name) for name in dict.fromkeys(listed))
