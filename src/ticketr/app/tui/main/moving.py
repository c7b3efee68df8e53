"""Keys and the mouse that move: the selection, the focus, the open ticket, folds. Pure."""

from __future__ import annotations

from dataclasses import replace

from ticketr.app.tui.effects import ServiceCall
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import moved_index
from ticketr.app.tui.panels.detail import subtask_line_index
from ticketr.app.tui.panels.frame import scroll_top
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.state import (
    SELECTION_DELAY_SECONDS,
    AppState,
    Panel,
    Step,
    select_row,
    show_workspace,
    unhide_and_select_row,
)
from ticketr.terminal import Mouse, MouseAction

#: Rows that one step of the wheel moves.
WHEEL_ROWS = 3
#: Rows above the body.
_HEADER_ROWS = 1


def on_mouse(state: AppState, mouse: Mouse, now: float) -> Step:
    """Return the step for a click or a turn of the wheel.

    A click goes to what it hits; one on the selected ticket opens it. The wheel moves in the panel
    below the pointer, which gets the focus.
    """
    if state.overlays:
        is_click = mouse.action is MouseAction.LEFT_PRESS
        return (state, ()) if is_click else _move_by_wheel(state, mouse, now)
    panel = _panel_at(state, mouse.x, mouse.y)
    if panel is None:
        return state, ()
    if mouse.action is MouseAction.LEFT_PRESS:
        return _click(state, panel, mouse, now)
    return _move_by_wheel(replace(state, focus=panel), mouse, now)


def _move_by_wheel(state: AppState, mouse: Mouse, now: float) -> Step:
    action = KeyAction.UP if mouse.action is MouseAction.WHEEL_UP else KeyAction.DOWN
    is_long = state.overlays or state.focus is not Panel.WORKSPACES
    effects: tuple[ServiceCall, ...] = ()
    for _ in range(WHEEL_ROWS if is_long else 1):
        turn = state.overlays[-1].on_action if state.overlays else move
        step = turn(state, action, now)
        if step is not None:
            state, effects = step[0], (*effects, *step[1])
    return state, effects


def _click(state: AppState, panel: Panel, mouse: Mouse, now: float) -> Step:
    layout = state.layout
    row = mouse.y - _HEADER_ROWS
    state = replace(state, focus=panel)
    if panel is Panel.WORKSPACES:
        top = scroll_top(0, state.workspace_index, layout.workspace_rows, len(state.workspaces))
        at = top + row - 1 if row else -1
        if 0 <= at < len(state.workspaces) and at != state.workspace_index:
            return show_workspace(state, now, index=at)
        return state, ()
    if panel is Panel.TICKETS:
        at = state.workspace.top + row - layout.workspaces_panel_rows - 1
        if row <= layout.workspaces_panel_rows or not 0 <= at < len(state.workspace.visible):
            return state, ()
        if at == state.workspace.selected_index:
            return focus_or_widen_detail(state, now) or (state, ())
        return select_row(state, at, now), ()
    return state, ()


def _panel_at(state: AppState, x: int, y: int) -> Panel | None:
    """Return the panel at a place of the screen; None for the lines around the panels."""
    layout = state.layout
    if not _HEADER_ROWS <= y < _HEADER_ROWS + layout.body_rows:
        return None
    if x >= layout.list_cells:
        return Panel.DETAIL if layout.detail_cells else None
    is_above = y - _HEADER_ROWS < layout.workspaces_panel_rows
    return Panel.WORKSPACES if is_above else Panel.TICKETS


_PANEL_ORDER = (Panel.WORKSPACES, Panel.TICKETS, Panel.DETAIL)


def go_to_panel(state: AppState, _: float, *, panel: Panel) -> Step:
    """Go to a panel."""
    return replace(state, focus=panel), ()


def go_to_next_panel(state: AppState, _: float, *, by: int) -> Step:
    """Go to the next panel, or to the one before."""
    if (
        state.is_detail_wide
        and state.focus is Panel.DETAIL
        and (step := _cycle_subtask_selection(state, by))
    ):
        return step
    panels = _PANEL_ORDER if state.wants_workspaces_panel else _PANEL_ORDER[1:]
    at = (panels.index(state.focus) + by) % len(panels)
    return replace(state, focus=panels[at]), ()


def _cycle_subtask_selection(state: AppState, by: int) -> Step | None:
    """Go through the sub-tasks of the open ticket, and through none; None if it has none."""
    ticket = state.ticket
    if ticket is None or ticket.sheet is None or not ticket.sheet.issue.tasks:
        return None
    count = len(ticket.sheet.issue.tasks)
    task = (ticket.selected_subtask_index + 1 + by) % (count + 1) - 1
    at = subtask_line_index(ticket.sheet, ticket.wrapped_lines, task)
    page = state.layout.detail_rows
    top = ticket.top if at < 0 else scroll_top(ticket.top, at, page, len(ticket.wrapped_lines))
    return replace(state, ticket=replace(ticket, selected_subtask_index=task, top=top)), ()


def move(state: AppState, action: KeyAction, now: float) -> Step | None:
    """Move within the focused panel; None if the action does not move."""
    match state.focus:
        case Panel.WORKSPACES:
            last = max(0, len(state.workspaces) - 1)
            to = moved_index(action, state.workspace_index, state.layout.workspace_rows, last)
            return None if to is None else show_workspace(state, now, index=to)
        case Panel.TICKETS:
            workspace = state.workspace
            page = state.layout.ticket_list_rows
            to = moved_index(
                action, workspace.selected_index, page, max(0, len(workspace.visible) - 1)
            )
            return None if to is None else (select_row(state, to, now), ())
        case Panel.DETAIL:
            return _scroll_detail(state, action)


def _scroll_detail(state: AppState, action: KeyAction) -> Step | None:
    ticket = state.ticket
    if ticket is None or ticket.sheet is None:
        return None
    page = state.layout.detail_rows
    top = moved_index(action, ticket.top, page, max(0, len(ticket.wrapped_lines) - page))
    return None if top is None else (replace(state, ticket=replace(ticket, top=top)), ())


def focus_or_widen_detail(state: AppState, now: float) -> Step | None:
    """Go from the list to the open ticket, then give it the whole width."""
    if state.focus is Panel.WORKSPACES:
        return replace(state, focus=Panel.TICKETS), ()
    if state.selected_row is None:
        return None
    if state.focus is Panel.DETAIL:
        task = _subtask_selected_in_detail(state)
        if task is not None:
            return replace(unhide_and_select_row(state, task), follow_selection_at=now), ()
        return replace(state, is_detail_wide=not state.is_detail_wide), ()
    at = min(state.follow_selection_at, now)
    return replace(state, focus=Panel.DETAIL, follow_selection_at=at), ()


def _subtask_selected_in_detail(state: AppState) -> ListRow | None:
    """Return the row of the sub-task that is selected in the open ticket."""
    ticket = state.ticket
    if ticket is None or ticket.selected_subtask_index < 0:
        return None
    order = (*ticket.row_key_order[:3], ticket.selected_subtask_index + 1)
    return next((row for row in state.workspace.rows if row.key_order == order), None)


def fold_subtasks(state: AppState, now: float, *, hide: bool) -> Step | None:
    """Hide or show sub-tasks; to hide them in the open ticket is to go back to the list."""
    if hide and state.focus is Panel.DETAIL:
        return replace(state, focus=Panel.TICKETS, is_detail_wide=False), ()
    workspace, row = state.workspace, state.selected_row
    if row is None or state.focus is not Panel.TICKETS:
        return None
    at = workspace.selected_index
    while at and workspace.visible.rows[at - 1].row.key_order[:3] == row.key_order[:3]:
        at -= 1
    head = workspace.visible.rows[at]
    if not head.subtask_count or bool(head.hidden_count) == hide:
        return None
    change = frozenset((head.row.id,))
    folded = workspace.folded_ids | change if hide else workspace.folded_ids - change
    workspace = replace(workspace, folded_ids=folded)
    if hide and row.depth:
        workspace = replace(workspace, selected_row_key_order=head.row.key_order)
    state = state.with_workspace(workspace)
    return replace(state, follow_selection_at=now + SELECTION_DELAY_SECONDS), ()


def toggle_chosen(state: AppState, now: float) -> Step | None:
    """Choose the selected issue for a common change, or undo the choice."""
    workspace, row = state.workspace, state.selected_row
    if row is None or row.is_broken or state.focus is not Panel.TICKETS:
        return None
    if not workspace.visible.rows[workspace.selected_index].matches_filter:
        words = "is not what the filter looks for; it is above a sub-task that is"
        return state.with_notice(f"{row.key or row.title_or_error} {words}"), ()
    state = _choose_with_notice(state, workspace.chosen_ids ^ {row.id})
    return select_row(state, workspace.selected_index + 1, now), ()


def toggle_all_chosen(state: AppState, _: float) -> Step | None:
    """Choose all issues that the list shows; if all of them are chosen, none."""
    rows = (shown.row for shown in state.workspace.visible.rows if shown.matches_filter)
    listed, chosen = {row.id for row in rows if not row.is_broken}, state.workspace.chosen_ids
    if not listed or state.focus is not Panel.TICKETS:
        return None
    return _choose_with_notice(state, chosen - listed if listed <= chosen else chosen | listed), ()


def _choose_with_notice(state: AppState, chosen_ids: frozenset[str]) -> AppState:
    """Return the state with other chosen issues, and what can be done with them."""
    state = state.with_workspace(replace(state.workspace, chosen_ids=chosen_ids))
    if not chosen_ids:
        return state
    change = state.keymap.hint(KeyAction.CHANGE, Context.MAIN, "changes them, ", before="; ")
    return state.with_notice(f"{len(chosen_ids)} chosen{change or '; '}Esc lets them go")


def select_and_show_adjacent_ticket(state: AppState, now: float, *, by: int) -> Step | None:
    """Go to the next ticket or to the one before, whatever has the focus."""
    workspace = state.workspace
    to = workspace.selected_index + by
    if not 0 <= to < len(workspace.visible):
        return None
    return replace(select_row(state, to, now), follow_selection_at=now), ()
