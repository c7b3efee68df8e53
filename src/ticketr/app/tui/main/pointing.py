"""The mouse on the main screen. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.tui.effects import Effect
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.main.moving import move, open_ticket
from ticketr.app.tui.navigation import select, show_workspace
from ticketr.app.tui.panels.frame import scroll_top
from ticketr.app.tui.state import AppState, Panel
from ticketr.terminal import MouseAction

if TYPE_CHECKING:
    from ticketr.app.tui.messages import MouseUsed
    from ticketr.app.tui.step import Step

#: Rows that one step of the wheel moves.
WHEEL_ROWS = 3
#: Rows above the body.
_ABOVE = 1


def on_mouse(state: AppState, used: MouseUsed, now: float) -> Step:
    """Return the step for a click or a turn of the wheel.

    A click goes to what it hits; one on the selected ticket opens it. The wheel moves in the panel
    below the pointer, which gets the focus.
    """
    if state.overlays:
        return _on_overlay(state, used, now)
    panel = _panel_at(state, used.x, used.y)
    if panel is None:
        return state, ()
    if used.action is MouseAction.CLICK:
        return _click(state, panel, used, now)
    return _turn_wheel(replace(state, focus=panel), used, now)


def _on_overlay(state: AppState, used: MouseUsed, now: float) -> Step:
    if used.action is MouseAction.CLICK:
        return state, ()
    action = KeyAction.UP if used.action is MouseAction.WHEEL_UP else KeyAction.DOWN
    asked: tuple[Effect, ...] = ()
    for _ in range(WHEEL_ROWS):
        step = state.overlays[-1].on_action(state, action, now)
        if step is not None:
            state, asked = step[0], (*asked, *step[1])
    return state, asked


def _turn_wheel(state: AppState, used: MouseUsed, now: float) -> Step:
    action = KeyAction.UP if used.action is MouseAction.WHEEL_UP else KeyAction.DOWN
    if state.focus is Panel.WORKSPACES:
        return move(state, action, now) or (state, ())
    for _ in range(WHEEL_ROWS):
        step = move(state, action, now)
        if step is not None:
            state = step[0]
    return state, ()


def _click(state: AppState, panel: Panel, used: MouseUsed, now: float) -> Step:
    layout = state.layout
    row = used.y - _ABOVE
    state = replace(state, focus=panel)
    if panel is Panel.WORKSPACES:
        top = scroll_top(0, state.current, layout.workspaces, len(state.workspaces))
        at = top + row - 1 if row else -1
        if 0 <= at < len(state.workspaces) and at != state.current:
            return show_workspace(state, at, now)
        return state, ()
    if panel is Panel.TICKETS:
        at = state.workspace.top + row - layout.above - 1
        if row <= layout.above or not 0 <= at < len(state.workspace.visible):
            return state, ()
        if at == state.workspace.index:
            return open_ticket(state, now) or (state, ())
        return select(state, at, now), ()
    return state, ()


def _panel_at(state: AppState, x: int, y: int) -> Panel | None:
    """Return the panel at a place of the screen; None for the lines around the panels."""
    layout = state.layout
    if not _ABOVE <= y < _ABOVE + layout.body:
        return None
    if x >= layout.left:
        return Panel.DETAIL if layout.right else None
    return Panel.WORKSPACES if y - _ABOVE < layout.above else Panel.TICKETS
