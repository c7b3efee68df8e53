"""What the keys of the main screen do. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.tui import effects
from ticketr.tui.job_request import JobKind, JobRequest
from ticketr.tui.keymap import KeyAction
from ticketr.tui.overlays.line_input import LineInput
from ticketr.tui.overlays.log import Log
from ticketr.tui.overlays.scrolling import target
from ticketr.tui.panels.detail import detail_lines
from ticketr.tui.state import REST, Panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.tui.overlays.base import Step
    from ticketr.tui.state import AppState

_ORDER = (Panel.WORKSPACES, Panel.TICKETS, Panel.DETAIL)
_PANELS = {
    KeyAction.PANEL_1: Panel.WORKSPACES,
    KeyAction.PANEL_2: Panel.TICKETS,
    KeyAction.PANEL_3: Panel.DETAIL,
}


def on_main(state: AppState, action: KeyAction, now: float) -> Step | None:
    """Return the step of a key on the main screen; None if it does nothing now."""
    if action in _PANELS:
        return replace(state, focus=_PANELS[action]), ()
    if action in (KeyAction.NEXT_PANEL, KeyAction.PREVIOUS_PANEL):
        by = 1 if action is KeyAction.NEXT_PANEL else -1
        at = (_ORDER.index(state.focus) + by) % len(_ORDER)
        return replace(state, focus=_ORDER[at]), ()
    handler = _HANDLERS.get(action)
    if handler is not None:
        return handler(state, now)
    return _move(state, action, now)


def escape(state: AppState) -> Step | None:
    """Cancel the job that the status line names, else go back; None if there is nothing to do."""
    if state.status.named_job is not None:
        return state, (effects.CancelJob(state.status.named_job),)
    if state.focus is not Panel.TICKETS:
        return replace(state, focus=Panel.TICKETS, is_zoomed=False), ()
    workspace = state.workspace
    if workspace.chosen:
        return state.with_workspace(replace(workspace, chosen=frozenset())), ()
    return None


def _move(state: AppState, action: KeyAction, now: float) -> Step | None:
    match state.focus:
        case Panel.WORKSPACES:
            last = max(0, len(state.workspaces) - 1)
            to = target(action, state.current, state.layout.workspaces, last)
            return None if to is None else show_workspace(state, to, now)
        case Panel.TICKETS:
            workspace = state.workspace
            page = state.layout.tickets
            to = target(action, workspace.index, page, max(0, len(workspace.visible) - 1))
            return None if to is None else (select(state, to, now), ())
        case Panel.DETAIL:
            return _scroll(state, action)


def show_workspace(state: AppState, index: int, now: float) -> Step:
    """Show the tickets of another workspace; its files are read if they were not yet."""
    state = replace(state, current=index, rest_until=now + REST)
    workspace = state.workspace
    return state, () if workspace.is_read else (effects.ReadFiles(workspace.name),)


def select(state: AppState, index: int, now: float) -> AppState:
    """Select a visible row of the list; the open ticket follows after a rest."""
    workspace = state.workspace.select(index, state.layout.tickets)
    return replace(state.with_workspace(workspace), rest_until=now + REST)


def _scroll(state: AppState, action: KeyAction) -> Step | None:
    ticket = state.ticket
    if ticket is None or ticket.sheet is None:
        return None
    layout = state.layout
    lines = detail_lines(ticket.sheet, layout.right, as_source=ticket.as_source)
    last = max(0, len(lines) - layout.detail)
    top = target(action, ticket.top, layout.detail, last)
    return None if top is None else (replace(state, ticket=replace(ticket, top=top)), ())


def _open(state: AppState, now: float) -> Step | None:
    if state.focus is Panel.WORKSPACES:
        return replace(state, focus=Panel.TICKETS), ()
    if state.row is None:
        return None
    if state.focus is Panel.DETAIL:
        return replace(state, is_zoomed=not state.is_zoomed), ()
    return replace(state, focus=Panel.DETAIL, rest_until=min(state.rest_until, now)), ()


def _fold(state: AppState, now: float) -> Step | None:
    if state.focus is Panel.DETAIL:
        return replace(state, focus=Panel.TICKETS, is_zoomed=False), ()
    return _folding(state, now, hide=True)


def _unfold(state: AppState, now: float) -> Step | None:
    return _folding(state, now, hide=False)


def _folding(state: AppState, now: float, *, hide: bool) -> Step | None:
    workspace, row = state.workspace, state.row
    if row is None or state.focus is not Panel.TICKETS:
        return None
    head = next(
        (each for each in workspace.visible if each.row.order[:3] == row.order[:3] and each.tasks),
        None,
    )
    if head is None or bool(head.hidden) == hide:
        return None
    change = frozenset((head.row.id,))
    folded = workspace.folded | change if hide else workspace.folded - change
    workspace = replace(workspace, folded=folded)
    if hide and row.depth:
        workspace = replace(workspace, selected=head.row.order)
    return replace(state.with_workspace(workspace), rest_until=now + REST), ()


def _choose(state: AppState, now: float) -> Step | None:
    workspace, row = state.workspace, state.row
    if row is None or row.is_broken or state.focus is not Panel.TICKETS:
        return None
    state = state.with_workspace(replace(workspace, chosen=workspace.chosen ^ {row.id}))
    return select(state, workspace.index + 1, now), ()


def _search(state: AppState, now: float) -> Step | None:
    if state.focus is Panel.WORKSPACES:
        return None
    before = state.workspace

    def changed(state: AppState, words: str) -> AppState:
        workspace = replace(state.workspace, search=words)
        hits = workspace.hits(words) if words.strip() else ()
        ahead = next((at for at in hits if at >= before.index), hits[0] if hits else before.index)
        state = state.with_workspace(workspace)
        state = select(state, ahead, math.inf)
        found = f"{hits.index(ahead) + 1} of {len(hits)}" if hits else "nothing found"
        return replace(state, notice=found if words.strip() else "", rest_until=now)

    def left(state: AppState) -> AppState:
        return replace(state.with_workspace(before), rest_until=now)

    def taken(state: AppState, words: str) -> Step:
        return state.with_workspace(replace(state.workspace, search=words)), ()

    return state.opened(LineInput("/", taken, changed, left)), ()


def _next_hit(state: AppState, now: float) -> Step | None:
    return _hit(state, now, by=1)


def _previous_hit(state: AppState, now: float) -> Step | None:
    return _hit(state, now, by=-1)


def _hit(state: AppState, now: float, *, by: int) -> Step | None:
    workspace = state.workspace
    if not workspace.search.strip():
        return None
    hits = workspace.hits(workspace.search)
    if not hits:
        return state.noticed(f"nothing found for “{workspace.search}”"), ()
    ahead = [at for at in hits if (at - workspace.index) * by > 0]
    wrapped = hits[0] if by > 0 else hits[-1]
    to = (ahead[0] if by > 0 else ahead[-1]) if ahead else wrapped
    return select(state, to, now).noticed(f"{hits.index(to) + 1} of {len(hits)}"), ()


def _source(state: AppState, now: float) -> Step | None:
    if state.ticket is None:
        return None
    ticket = replace(state.ticket, as_source=not state.ticket.as_source, top=0)
    return replace(state, ticket=ticket), ()


def _reload(state: AppState, now: float) -> Step | None:
    if not state.workspaces:
        return None
    return state.noticed("Reading the files again"), (effects.ReadFiles(state.workspace.name),)


def _log(state: AppState, now: float) -> Step | None:
    return state.opened(Log()), ()


def _pull(state: AppState, now: float) -> Step | None:
    if not state.workspaces:
        return None
    return state, (effects.StartJob(state.workspace.name, JobRequest(JobKind.PULL)),)


def _step_ticket(by: int) -> Callable[[AppState, float], Step | None]:
    def step(state: AppState, now: float) -> Step | None:
        workspace = state.workspace
        to = workspace.index + by
        if not 0 <= to < len(workspace.visible):
            return None
        return replace(select(state, to, now), rest_until=now), ()

    return step


_HANDLERS: dict[KeyAction, Callable[[AppState, float], Step | None]] = {
    KeyAction.OPEN: _open,
    KeyAction.FOLD: _fold,
    KeyAction.UNFOLD: _unfold,
    KeyAction.SELECT: _choose,
    KeyAction.SEARCH: _search,
    KeyAction.NEXT_HIT: _next_hit,
    KeyAction.PREVIOUS_HIT: _previous_hit,
    KeyAction.SOURCE: _source,
    KeyAction.RELOAD: _reload,
    KeyAction.LOG: _log,
    KeyAction.PULL: _pull,
    KeyAction.NEXT: _step_ticket(1),
    KeyAction.PREVIOUS: _step_ticket(-1),
}
