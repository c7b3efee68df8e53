"""Goes to another ticket or workspace. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.tui import effects
from ticketr.app.tui.state import REST, AppState
from ticketr.app.tui.workspace import NO_FILTER

if TYPE_CHECKING:
    from ticketr.app.tui.rows import ListRow
    from ticketr.app.tui.step import Step


def show_workspace(state: AppState, index: int, now: float) -> Step:
    """Show the tickets of another workspace; its files are read if they were not yet."""
    state = replace(state, current=index, rest_until=now + REST)
    workspace = state.workspace
    return state, () if workspace.is_read else (effects.ReadFiles(workspace.name),)


def show_row(state: AppState, row: ListRow) -> AppState:
    """Select a row; a filter that hides it is taken off, and folds are opened."""
    workspace = state.workspace
    if all(visible_row.row.order != row.order for visible_row in workspace.visible):
        workspace = replace(workspace, filter=NO_FILTER, folded=frozenset())
    return state.with_workspace(replace(workspace, selected=row.order))


def select(state: AppState, index: int, now: float) -> AppState:
    """Select a visible row of the list; the open ticket follows after a rest."""
    workspace = state.workspace.select(index, state.layout.tickets)
    return replace(state.with_workspace(workspace), rest_until=now + REST)
