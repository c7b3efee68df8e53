"""Draws the workspaces. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ticketr.app.tui.panels.frame import filled, scroll_top, title_rule
from ticketr.app.tui.styled import Line, Span
from ticketr.app.tui.theme import Theme, mark
from ticketr.text import fit, width

if TYPE_CHECKING:
    from ticketr.app.tui.workspace import WorkspaceView


def draw_workspaces(
    workspaces: Sequence[WorkspaceView],
    current: int,
    states: Sequence[Sequence[str]],
    cells: int,
    height: int,
    theme: Theme,
    *,
    is_focused: bool,
) -> list[str]:
    """Return the rows of the workspaces' panel, its title first.

    Args:
        workspaces: All workspaces.
        current: The index of the one whose tickets are shown.
        states: What to say of each at the right, the longest words first: its running job, or
            its last sync.
        cells: The width of the panel.
        height: The rows of the panel below its title.
        theme: Colours and characters.
        is_focused: Whether the panel has the focus.
    """
    top = scroll_top(0, current, height, len(workspaces))
    rows = []
    for at in range(top, min(top + height, len(workspaces))):
        line = _line(workspaces[at], states[at], cells, is_current=at == current)
        styles = ("reverse" if is_focused else "bold",) if at == current else ()
        rows.append(theme.row(line, cells, *styles))
    facts = f"{current + 1}/{len(workspaces)}" if len(workspaces) > height else ""
    title = title_rule("1 Workspaces", facts, cells, theme, is_focused=is_focused)
    return [title, *filled(rows, height, cells)]


def _line(workspace: WorkspaceView, states: Sequence[str], cells: int, *, is_current: bool) -> Line:
    count = f"{workspace.count:,}" if workspace.rows or workspace.is_read else ""
    left = f" {fit(workspace.name, 9)} {fit(workspace.project, 6)}{count:>6} "
    marks: list[Span] = []
    for sign, number, _ in workspace.counts:
        marks += [Span(" "), mark(sign), Span(f"{number}")]
    used = 1 + width(left) + sum(width(span.text) for span in marks)
    room = cells - used - 2
    shown = next((state for state in states if width(state) <= room), "")
    pad = " " * max(0, cells - used - width(shown) - 1)
    return (Span("▸" if is_current else " "), Span(left), *marks, Span(f"{pad}{shown} "))
