"""Keys that search and sort. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.tickets import SORT_NAMES
from ticketr.app.tui.main.filtering import remembered
from ticketr.app.tui.main.finding import next_match, search_ticket
from ticketr.app.tui.navigation import select
from ticketr.app.tui.overlays.choice import Choice, Option
from ticketr.app.tui.overlays.line_input import LineInput
from ticketr.app.tui.state import AppState, Panel

if TYPE_CHECKING:
    from ticketr.app.tui.step import Step


def search(state: AppState, now: float) -> Step | None:
    """Search in the list or the open ticket as it is typed; Esc goes back to where it began."""
    if state.focus is Panel.WORKSPACES:
        return None
    if state.focus is Panel.DETAIL:
        return search_ticket(state)
    before = state.workspace

    def changed(state: AppState, words: str) -> AppState:
        workspace = replace(state.workspace, search=words)
        hits = workspace.hits(words) if words.strip() else ()
        ahead = next((at for at in hits if at >= before.index), hits[0] if hits else before.index)
        state = state.with_workspace(workspace)
        state = select(state, ahead, math.inf)
        text = f"{hits.index(ahead) + 1} of {len(hits)}" if hits else "nothing found"
        return replace(state, notice=text if words.strip() else "", rest_until=now)

    def left(state: AppState) -> AppState:
        shown = replace(
            state.workspace, search=before.search, selected=before.selected, top=before.top
        )
        return replace(state.with_workspace(shown), rest_until=now)

    def taken(state: AppState, words: str) -> Step:
        return state.with_workspace(replace(state.workspace, search=words)), ()

    return state.opened(LineInput("/", taken, changed, left)), ()


def next_hit(by: int) -> Callable[[AppState, float], Step | None]:
    """Return the handler of a key that goes to the next hit, or to the one before."""
    return lambda state, now: _go_to_hit(state, now, by=by)


def _go_to_hit(state: AppState, now: float, *, by: int) -> Step | None:
    ticket, workspace = state.ticket, state.workspace
    if state.focus is Panel.DETAIL and ticket is not None and ticket.search.strip():
        return next_match(state, by)
    if not workspace.search.strip() or not state.layout.left:  # no list is shown
        return None
    hits = workspace.hits(workspace.search)
    if not hits:
        return state.noticed(f"nothing found for “{workspace.search}”"), ()
    ahead = [at for at in hits if (at - workspace.index) * by > 0]
    wrapped = hits[0] if by > 0 else hits[-1]
    to = (ahead[0] if by > 0 else ahead[-1]) if ahead else wrapped
    return select(state, to, now).noticed(f"{hits.index(to) + 1} of {len(hits)}"), ()


def sort_tickets(state: AppState, _: float) -> Step | None:
    """Choose how the list is sorted."""
    workspace = state.workspace
    if not state.workspaces or state.focus is Panel.WORKSPACES:
        return None

    def chosen(state: AppState, index: int) -> Step:
        changed = replace(state.workspace, sort=SORT_NAMES[index])
        return state.with_workspace(changed), (remembered(changed),)

    options = tuple(Option(name) for name in SORT_NAMES)
    at = SORT_NAMES.index(workspace.sort)
    return state.opened(Choice("Sort by", options, chosen, at)), ()
