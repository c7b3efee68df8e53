"""Which function handles which key of the main screen. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ticketr.app.tui.effects import JobKind, JobRequest, call, call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.main import bulk, changing, filtering, moving, searching
from ticketr.app.tui.main.palette import Palette
from ticketr.app.tui.main.searching import end_search_in_ticket
from ticketr.app.tui.overlays.conflict import ConflictScreen
from ticketr.app.tui.overlays.first_run import FirstRun, open_new_token_form
from ticketr.app.tui.overlays.jobs import Jobs
from ticketr.app.tui.overlays.pages import Diff, Help
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.services import files, jobs, outside, setting_up
from ticketr.app.tui.services.edits import ask_to_undo
from ticketr.app.tui.state import AppState, Handler, Panel, Step, unhide_and_select_row


def main_screen_step(state: AppState, action: KeyAction, now: float) -> Step | None:
    """Return the step of a key on the main screen; None if it does nothing now.

    A key whose action is not possible now says why, where more is known than that.
    """
    handler = _HANDLER_BY_ACTION.get(action)
    if handler is None:
        return moving.move(state, action, now)
    step = handler(state, now)
    if step is None:
        words, other, does = _REASON_BY_ACTION.get(action, _SELECT_FIRST_REASON)
        hint = "" if other is None else state.keymap.hint(other, Context.MAIN, does, before="; ")
        return state.with_notice_swallowing_keys(f"{words}{hint}", now), ()
    return step


def cancel_job_or_go_back(state: AppState) -> Step | None:
    """Drop what waits for the workspace, or cancel the named job, else go back; None for nothing."""
    if state.job_to_cancel is not None:
        return state, (call(jobs.cancel_job, state.job_to_cancel),)
    if state.focus is Panel.DETAIL and (ended := end_search_in_ticket(state)) is not None:
        return ended, ()
    if state.focus is not Panel.TICKETS:
        return replace(state, focus=Panel.TICKETS, is_detail_wide=False), ()
    workspace = state.workspace
    if workspace.search_query_words:  # its marks
        return state.with_workspace(replace(workspace, search="")), ()
    if workspace.chosen_ids:
        return state.with_workspace(replace(workspace, chosen_ids=frozenset())), ()
    if workspace.filter.text:
        return filtering.remove_filter(state)
    return None


def _start_pull(state: AppState, now: float) -> Step:
    workspace = state.workspace
    if workspace.is_folder_gone:  # a job would make it again, perhaps below an unmounted disk
        again = state.keymap.hint(KeyAction.RELOAD, Context.MAIN, "reads it again", before="; ")
        return state.with_notice(f"{workspace.opening_problem}{again}", is_bad=True), ()
    return state, (call_in(workspace.name, jobs.start_job, JobRequest(JobKind.PULL)),)


def _open_this_or_next_conflict(state: AppState, now: float) -> Step | None:
    row, workspace = state.selected_row, state.workspace
    if row is None or row.is_broken:
        return None
    if row.head_key not in workspace.conflicts_by_key:
        # The ticket with a conflict that comes next in the order of the keys, else the first.
        conflicts = workspace.conflicts_by_key
        rows = [other for other in workspace.rows if other.key and other.key in conflicts]
        after = (other for other in rows if other.key_order > row.key_order)
        if rows:
            other = next(after, rows[0])
            return _open_this_or_next_conflict(
                replace(unhide_and_select_row(state, other), follow_selection_at=now), now
            )
        pull = state.keymap.hint(KeyAction.PULL, Context.MAIN, "asks Jira", before="; ")
        return state.with_notice(f"This ticket has no conflict that is known here{pull}"), ()
    screen = ConflictScreen(workspace.name, row.head_key)
    return state.opened(screen), (screen.request,)


def _workspace_service_handler(function: Callable[[Any, str], object], notice: str = "") -> Handler:
    """Return what calls a service for the workspace that is shown, and says so."""
    return lambda state, _: (
        state.with_notice(notice) if notice else state,
        (call_in(state.workspace.name, function),),
    )


def _log_in(state: AppState, _: float) -> Step:
    read = call_in(state.workspace.name, setting_up.read_login_form_values)
    return state, (replace(read, step_on_success=open_new_token_form),)


def _open_diff(state: AppState, now: float) -> Step | None:
    row = state.selected_row
    sheet = changing.sheet_if_row_is_open(state, row) if row is not None else None
    if row is not None and sheet is None:  # the one before is still shown
        return state.with_notice(f"{row.id} is still being read"), ()
    if sheet is None or sheet.error:
        return None
    if not sheet.edits:
        what = "Jira does not have it yet" if not sheet.key else "it is as at the last sync"
        return state.with_notice(f"Nothing to compare: {what}"), ()
    return state.opened(Diff(state.workspace.name, sheet)), ()


def _open_plan(state: AppState, _: float, *, kind: JobKind) -> Step:
    plan = Plan(state.workspace.name, kind)
    return state.opened(plan), (plan.plan_request,)


_SELECT_FIRST_REASON = ("Select a ticket first", None, "")
_SEARCH_FIRST_REASON = ("Nothing was searched yet", KeyAction.SEARCH, "searches")
_TO_TICKETS_HINT = (KeyAction.PANEL_2, "goes to them")
_CANNOT_CHOOSE_REASON = ("Only tickets in the list that can be read are chosen", *_TO_TICKETS_HINT)
#: Why an action is not possible, where its handler finds nothing to do and a ticket would not help:
#: words, then the action whose key is named, and what that does.
_REASON_BY_ACTION: dict[KeyAction, tuple[str, KeyAction | None, str]] = {
    KeyAction.SELECT: _CANNOT_CHOOSE_REASON,
    KeyAction.SELECT_ALL: _CANNOT_CHOOSE_REASON,
    KeyAction.NEXT: ("This is the last ticket", None, ""),
    KeyAction.PREVIOUS: ("This is the first ticket", None, ""),
    KeyAction.NEXT_HIT: _SEARCH_FIRST_REASON,
    KeyAction.PREVIOUS_HIT: _SEARCH_FIRST_REASON,
    KeyAction.SEARCH: ("Only tickets are searched", *_TO_TICKETS_HINT),
    KeyAction.FILTER: ("Only tickets are filtered", *_TO_TICKETS_HINT),
    KeyAction.SORT: ("Only tickets are sorted", *_TO_TICKETS_HINT),
    KeyAction.FOLD: ("There are no sub-tasks to hide", None, ""),
    KeyAction.UNFOLD: ("There are no sub-tasks to show", None, ""),
}
_HANDLER_BY_ACTION: dict[KeyAction, Handler] = {
    KeyAction.PANEL_1: partial(moving.go_to_panel, panel=Panel.WORKSPACES),
    KeyAction.PANEL_2: partial(moving.go_to_panel, panel=Panel.TICKETS),
    KeyAction.PANEL_3: partial(moving.go_to_panel, panel=Panel.DETAIL),
    KeyAction.NEXT_PANEL: partial(moving.go_to_next_panel, by=1),
    KeyAction.PREVIOUS_PANEL: partial(moving.go_to_next_panel, by=-1),
    KeyAction.OPEN: moving.focus_or_widen_detail,
    KeyAction.FOLD: partial(moving.fold_subtasks, hide=True),
    KeyAction.UNFOLD: partial(moving.fold_subtasks, hide=False),
    KeyAction.SELECT: moving.toggle_chosen,
    KeyAction.SELECT_ALL: moving.toggle_all_chosen,
    KeyAction.NEXT: partial(moving.select_and_show_adjacent_ticket, by=1),
    KeyAction.PREVIOUS: partial(moving.select_and_show_adjacent_ticket, by=-1),
    KeyAction.SEARCH: searching.search_list_or_ticket,
    KeyAction.NEXT_HIT: partial(searching.go_to_next_hit_or_match, by=1),
    KeyAction.PREVIOUS_HIT: partial(searching.go_to_next_hit_or_match, by=-1),
    KeyAction.FILTER: filtering.ask_filter,
    KeyAction.SORT: searching.choose_sort_or_column,
    KeyAction.EDIT: changing.open_file_in_editor,
    KeyAction.STATUS: bulk.on_targets(bulk.choose_status),
    **{
        action: bulk.on_targets(partial(bulk.choose_value, field=field))
        for action, field in bulk.FIELD_BY_ACTION.items()
    },
    KeyAction.ADD: changing.ask_new_issue,
    KeyAction.COMMENT: changing.ask_comment,
    KeyAction.REPLY: changing.choose_comment_to_reply_to_or_edit,
    KeyAction.ATTACH: bulk.ask_file_to_attach,
    KeyAction.WORKLOG: bulk.ask_work_to_log,
    KeyAction.CHANGE: bulk.on_targets(bulk.choose_change),
    KeyAction.BROWSER: bulk.open_in_browser,
    KeyAction.COPY_KEY: bulk.copy_keys,
    KeyAction.COPY_ADDRESS: bulk.copy_addresses,
    KeyAction.RELOAD: _workspace_service_handler(files.read_files, "Reading the files again"),
    KeyAction.RESOLVE: _open_this_or_next_conflict,
    KeyAction.UNDO: _workspace_service_handler(ask_to_undo),
    KeyAction.DIFF: _open_diff,
    KeyAction.PALETTE: lambda state, _: (state.opened(Palette(main_screen_step)), ()),
    KeyAction.HELP: lambda state, _: (state.opened(Help(state.context)), ()),
    KeyAction.REDRAW: lambda state, _: (state, (call(outside.redraw),)),
    KeyAction.QUIT: lambda state, _: (state, (call(outside.request_leave),)),
    KeyAction.JOBS: lambda state, _: (state.opened(Jobs()), (call(jobs.read_history),)),
    KeyAction.ADD_WORKSPACE: lambda state, _: (state.opened(FirstRun()), ()),
    KeyAction.LOG_IN: _log_in,
    KeyAction.PULL: _start_pull,
    KeyAction.PUSH: partial(_open_plan, kind=JobKind.PUSH),
    KeyAction.SYNC: partial(_open_plan, kind=JobKind.SYNC),
}
