"""Keys that sort and search, and those that go to a match. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ticketr.app.tickets import SORT_NAMES
from ticketr.app.tui.main.filtering import call_to_save_view
from ticketr.app.tui.overlays.questions import Choice, LineInput, Option
from ticketr.app.tui.panels.columns import COLUMN_NAMES, choose_columns
from ticketr.app.tui.panels.frame import line_index_of_each_match
from ticketr.app.tui.state import AppState, Panel, Step, select_row

#: The words before the name of a column, in the list of sorts.
_COLUMN_LABEL_PREFIX = "column "


def open_search_in_ticket(state: AppState) -> Step | None:
    """Search in the open ticket as it is typed; Esc goes back to where it began."""
    before = state.ticket
    if before is None or before.sheet is None:
        return None

    def on_change(state: AppState, words: str) -> AppState:
        state = _with_search_in_ticket(state, words, before.match_index, before.top)
        matches = _find_matches_in_ticket(state)
        if not matches:
            return replace(state, notice="nothing found" if words.strip() else "")
        ahead = (at for at, line in enumerate(matches) if line >= before.top)
        state, place = _scroll_to_match(state, matches, next(ahead, 0))
        return replace(state, notice=place)

    def on_cancel(state: AppState) -> AppState:
        return _with_search_in_ticket(state, before.search, before.match_index, before.top)

    def on_accept(state: AppState, words: str) -> Step:
        return state, ()

    return state.opened(LineInput("/", on_accept, on_change, on_cancel)), ()


def go_to_next_match_in_ticket(state: AppState, by: int) -> Step:
    """Go to the next match in the open ticket, or to the one before; from the end to the start."""
    ticket, matches = state.ticket, _find_matches_in_ticket(state)
    assert ticket is not None
    if not matches:
        return state.with_notice(f"nothing found for “{ticket.search}”"), ()
    at = min(ticket.match_index, len(matches) - 1)
    if _is_line_shown(state, matches[at]):
        to = (at + by) % len(matches)
    else:  # the user has scrolled: go on from what is on the screen
        ahead = [at for at, line in enumerate(matches) if line >= ticket.top]
        first = ahead[0] if ahead else 0
        to = first if by > 0 else (first - 1 if ahead else -1) % len(matches)
    state, place = _scroll_to_match(state, matches, to)
    return state.with_notice(place), ()


def end_search_in_ticket(state: AppState) -> AppState | None:
    """Remove the marks of a search in the open ticket; None if there are none."""
    ticket = state.ticket
    if ticket is None or not ticket.search.strip():
        return None
    return _with_search_in_ticket(state, "", 0, ticket.top)


def _with_search_in_ticket(state: AppState, search: str, match: int, top: int) -> AppState:
    """Return the state with another search in the open ticket, which may have been closed meanwhile."""
    if state.ticket is None:
        return state
    return replace(state, ticket=replace(state.ticket, search=search, match_index=match, top=top))


def _find_matches_in_ticket(state: AppState) -> tuple[int, ...]:
    ticket = state.ticket
    return () if ticket is None else line_index_of_each_match(ticket.wrapped_lines, ticket.search)


def _is_line_shown(state: AppState, line: int) -> bool:
    ticket = state.ticket
    return ticket is not None and ticket.top <= line < ticket.top + state.layout.detail_rows


def _scroll_to_match(state: AppState, matches: Sequence[int], index: int) -> tuple[AppState, str]:
    """Return the state scrolled to a match, and which one of how many that is."""
    ticket = state.ticket
    assert ticket is not None
    top = ticket.top
    if not _is_line_shown(state, matches[index]):
        last = max(0, len(ticket.wrapped_lines) - state.layout.detail_rows)
        top = min(matches[index], last)
    state = replace(state, ticket=replace(ticket, match_index=index, top=top))
    return state, f"{index + 1} of {len(matches)}"


def search_list_or_ticket(state: AppState, now: float) -> Step | None:
    """Search in the list or the open ticket as it is typed; Esc goes back to where it began."""
    if state.focus is Panel.WORKSPACES:
        return None
    if state.focus is Panel.DETAIL:
        return open_search_in_ticket(state)
    before = state.workspace

    def on_change(state: AppState, words: str) -> AppState:
        workspace = replace(state.workspace, search=words)
        hits = workspace.find_visible_row_hits(words) if words.strip() else ()
        ahead = next(
            (at for at in hits if at >= before.selected_index),
            hits[0] if hits else before.selected_index,
        )
        state = state.with_workspace(workspace)
        state = select_row(state, ahead, math.inf)
        text = f"{hits.index(ahead) + 1} of {len(hits)}" if hits else "nothing found"
        return replace(state, notice=text if words.strip() else "", follow_selection_at=now)

    def on_cancel(state: AppState) -> AppState:
        shown = replace(
            state.workspace,
            search=before.search,
            selected_row_key_order=before.selected_row_key_order,
            top=before.top,
        )
        return replace(state.with_workspace(shown), follow_selection_at=now)

    def on_accept(state: AppState, words: str) -> Step:
        return state.with_workspace(replace(state.workspace, search=words)), ()

    return state.opened(LineInput("/", on_accept, on_change, on_cancel)), ()


def go_to_next_hit_or_match(state: AppState, now: float, *, by: int) -> Step | None:
    """Go to the next hit of a search, or to the one before."""
    ticket, workspace = state.ticket, state.workspace
    if state.focus is Panel.DETAIL and ticket is not None and ticket.search.strip():
        return go_to_next_match_in_ticket(state, by)
    if not workspace.search.strip() or not state.layout.list_cells:  # no list is shown
        return None
    hits = workspace.find_visible_row_hits(workspace.search)
    if not hits:
        return state.with_notice(f"nothing found for “{workspace.search}”"), ()
    ahead = [at for at in hits if (at - workspace.selected_index) * by > 0]
    wrapped = hits[0] if by > 0 else hits[-1]
    to = (ahead[0] if by > 0 else ahead[-1]) if ahead else wrapped
    return select_row(state, to, now).with_notice(f"{hits.index(to) + 1} of {len(hits)}"), ()


def choose_sort_or_column(state: AppState, _: float) -> Step | None:
    """Choose how the list is sorted, and which columns it has."""
    if state.focus is Panel.WORKSPACES:
        return None
    return state.opened(_sort_or_column_choice(state, SORT_NAMES.index(state.workspace.sort))), ()


def _sort_or_column_choice(state: AppState, at: int) -> Choice:
    """Return the list of sorts and columns; a column that was switched leaves it open."""

    def on_choose(state: AppState, name: str) -> Step:
        if name in SORT_NAMES:
            changed = replace(state.workspace, sort=name)
            return state.with_workspace(changed), (call_to_save_view(changed),)
        column = name.removeprefix(_COLUMN_LABEL_PREFIX)
        changed = replace(state.workspace, hidden_columns=state.workspace.hidden_columns ^ {column})
        state = state.with_workspace(changed)
        at = len(SORT_NAMES) + COLUMN_NAMES.index(column)
        return state.opened(_sort_or_column_choice(state, at)), (call_to_save_view(changed),)

    hidden = state.workspace.hidden_columns
    shown = [
        column.name for column in choose_columns(state.layout.list_cells or state.width, hidden)
    ]
    options = [Option(name) for name in SORT_NAMES]
    for name in COLUMN_NAMES:
        facts = "shown" if name in shown else "hidden" if name in hidden else "no room"
        options.append(Option(f"{_COLUMN_LABEL_PREFIX}{name}", facts))
    return Choice("Sort by, or show a column", tuple(options), on_choose, option_index=at)
