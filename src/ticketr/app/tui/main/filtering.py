"""The key that filters: the line to type, and queries of Jira. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ticketr.app import tickets
from ticketr.app.config import SavedListView
from ticketr.app.tui.effects import ServiceCall, call_in
from ticketr.app.tui.messages import CallEnded
from ticketr.app.tui.overlays.questions import Choice, LineInput, Loading, Option
from ticketr.app.tui.services.asking import ask_match_count_and_local_keys
from ticketr.app.tui.services.files import remember_list_view
from ticketr.app.tui.state import FOLLOW_AT_ONCE_TIME, AppState, Panel, Step
from ticketr.app.tui.text_input import TextInput
from ticketr.app.tui.workspace import NO_FILTER, WorkspaceView
from ticketr.text import clean, clip

#: What a filter begins with that is a query in Jira's language.
JQL_PREFIX = "jql:"
_FILTER_LABEL = "filter:"
#: The hint beside an empty filter, which lists the words of filters.
_FILTER_EXAMPLES = "words  status=Done  @person  edited"
#: The most cells of a filter that is named in a sentence.
MAX_FILTER_CELLS_IN_NOTICE = 40


def ask_filter(state: AppState, _: float) -> Step | None:
    """Show only some tickets, as the filter is typed; Esc brings the filter before back."""
    if state.focus is Panel.WORKSPACES:
        return None
    return state.opened(_filter_input(state.workspace, state.workspace.filter.text)), ()


def _filter_input(before: WorkspaceView, text: str, problem: str = "") -> LineInput:
    """Return the line for a filter of a workspace, which Esc shows as it was before."""

    def on_change(state: AppState, text: str) -> AppState:
        if jql_of(text) is not None:
            return replace(on_cancel(state), notice="Enter asks Jira")
        try:
            wanted = tickets.parse_filter(text, state.workspace.filter_names)
        except tickets.InvalidFilter as error:
            return replace(state, notice=clean(str(error)))
        workspace = replace(state.workspace, filter=wanted, top=0)
        state = replace(state.with_workspace(workspace), follow_selection_at=FOLLOW_AT_ONCE_TIME)
        count = workspace.filtered_position_and_count[1]
        return replace(state, notice=f"{count} of {len(workspace.rows)}")

    def on_cancel(state: AppState) -> AppState:
        shown = replace(
            state.workspace,
            filter=before.filter,
            selected_row_key_order=before.selected_row_key_order,
            top=before.top,
        )
        return replace(state.with_workspace(shown), follow_selection_at=FOLLOW_AT_ONCE_TIME)

    def on_accept(state: AppState, text: str) -> Step | str:
        if jql_of(text) == "":
            return "A query of Jira follows jql:"
        try:
            return apply_filter_or_query_jira(state, text)
        except tickets.InvalidFilter as error:
            return clean(str(error))

    def on_tab(state: AppState) -> Step:
        return _choose_query_alias(on_cancel(state))

    return LineInput(
        _FILTER_LABEL,
        on_accept,
        on_change,
        on_cancel,
        TextInput.of(text),
        on_tab,
        _FILTER_EXAMPLES,
        problem,
    )


def _reopen_filter(state: AppState, workspace: str, text: str, problem: str) -> Step:
    """Open the line for a filter again with what was typed, and say why it was not taken.

    Args:
        state: The state.
        workspace: The name of the workspace; if another one is shown, the notice quotes the text.
        text: What was typed.
        problem: Why it was not taken.
    """
    if state.workspace.name != workspace:
        return state.with_notice(f"{problem}: {text}", is_bad=True), ()
    return state.opened_below_others(_filter_input(state.workspace, text, problem)), ()


def apply_filter_or_query_jira(state: AppState, text: str) -> Step:
    """Show only the tickets of a filter; a query of Jira is asked first.

    Raises:
        InvalidFilter: The text is not a filter.
    """
    workspace = state.workspace
    jql = jql_of(text)
    wanted = (
        workspace.filter if jql is not None else tickets.parse_filter(text, workspace.filter_names)
    )
    workspace = replace(workspace, filter=wanted, top=0)
    state = replace(state.with_workspace(workspace), follow_selection_at=FOLLOW_AT_ONCE_TIME)
    if jql is None:
        return state, (call_to_save_view(workspace),)
    name = workspace.name

    def on_failure(state: AppState, answer: CallEnded) -> Step:
        return _reopen_filter(state, name, f"{JQL_PREFIX} {jql}", answer.problem)

    def on_answer_or_problem(state: AppState, answer: Any, problem: str, _: float) -> Step:
        if problem:
            return _reopen_filter(state, name, f"{JQL_PREFIX} {jql}", f"Not filtered: {problem}")
        count, keys = answer
        shown = tickets.Filter(f"{JQL_PREFIX} {clean(jql)}", (tickets.KeysTerm(keys),))
        state = replace(
            state.with_workspace_changes(name, filter=shown, top=0),
            follow_selection_at=FOLLOW_AT_ONCE_TIME,
        )
        missing = f", {count - len(keys)} of them not pulled" if count > len(keys) else ""
        return state.with_notice(f"Jira has found {count}{missing}"), ()

    query = replace(call_in(name, ask_match_count_and_local_keys, jql), step_on_failure=on_failure)
    asking = Loading(query, "Filter", "Asking Jira which tickets match...", on_answer_or_problem)
    return state.opened(asking), (query,)


def remove_filter(state: AppState) -> Step:
    """Remove the filter; the selected ticket stays selected."""
    words = f"All tickets are shown, no longer only {clip(state.workspace.filter.text, MAX_FILTER_CELLS_IN_NOTICE)}"
    row = state.selected_row
    selected = row.key_order if row is not None else state.workspace.selected_row_key_order
    workspace = replace(state.workspace, filter=NO_FILTER, selected_row_key_order=selected)
    return state.with_workspace(workspace).with_notice(words), (call_to_save_view(workspace),)


def _choose_query_alias(state: AppState) -> Step:
    """Choose among the names for queries."""
    queries = state.workspace.query_by_alias
    if not queries:
        return state.with_notice("No query has a name yet; ticketr alias names one"), ()
    options = tuple(
        Option(clean(f"@{name}"), clean(queries[name]), value=f"{JQL_PREFIX} @{name}")
        for name in sorted(queries)
    )
    return state.opened(Choice("Filter", options, apply_filter_or_query_jira)), ()


def jql_of(text: str) -> str | None:
    """Return the query of a filter in Jira's language; None for any other filter."""
    begin, colon, rest = text.strip().partition(":")
    return rest.strip() if f"{begin.lower()}{colon}" == JQL_PREFIX else None


def call_to_save_view(workspace: WorkspaceView) -> ServiceCall:
    """Return the call that stores how a list is shown."""
    text = workspace.filter.text
    # The answer of Jira is not stored, and the app makes no request when it starts.
    kept = "" if jql_of(text) is not None else text
    memory = SavedListView(kept, workspace.sort, workspace.hidden_columns)
    return call_in(workspace.name, remember_list_view, memory)
