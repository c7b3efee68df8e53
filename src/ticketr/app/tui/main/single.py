"""Keys that concern the selected issue: edit, browser, copy, source. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.tui import effects
from ticketr.app.tui.effects import Effect
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.state import AppState, Panel

if TYPE_CHECKING:
    from ticketr.app.tui.step import Step


def edit(state: AppState, _: float) -> Step | None:
    """Open the issue's file in the editor, at the line that is at the top of the open ticket."""
    row = state.row
    if row is None:
        return None
    line = row.line or 1
    ticket = state.ticket
    if state.focus is Panel.DETAIL and ticket is not None and ticket.sheet is not None:
        sources = (ticket_line.source for ticket_line in state.ticket_lines[ticket.top :])
        line = next((source for source in sources if source), line)
    return state, (effects.OpenEditor(state.workspace.name, row.path, line),)


def browser(state: AppState, _: float) -> Step | None:
    """Open the issue in the browser."""
    return _with_key(state, lambda key: effects.OpenBrowser(state.workspace.name, key))


def copy_key(state: AppState, _: float) -> Step | None:
    """Copy the issue's key."""
    return _with_key(state, lambda key: effects.Copy(key, key))


def copy_address(state: AppState, _: float) -> Step | None:
    """Copy the address of the issue in a browser."""
    return _with_key(state, lambda key: effects.CopyAddress(state.workspace.name, key))


def source(state: AppState, _: float) -> Step | None:
    """Switch the open ticket between its rendered form and the text of its file."""
    if state.ticket is None:
        return None
    is_hidden = not state.layout.right  # a narrow screen shows the list alone
    as_source = is_hidden or not state.ticket.as_source
    ticket = replace(state.ticket, as_source=as_source, top=0, task=-1)
    focus = Panel.DETAIL if is_hidden else state.focus
    return replace(state, ticket=ticket, focus=focus), ()


def _with_key(state: AppState, effect: Callable[[str], Effect]) -> Step | None:
    """Return the step with an effect for the issue's key; a draft has none."""
    row = state.row
    if row is None or row.is_broken:
        return None
    if row.key:
        return state, (effect(row.key),)
    does = "shows what a push would create"
    push = state.keymap.hint(KeyAction.PUSH, Context.MAIN, does, before="; ")
    return state.noticed(f"Jira does not have this ticket yet{push}"), ()
