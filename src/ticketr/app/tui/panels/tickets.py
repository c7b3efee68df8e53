"""Draws the ticket list. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.panels.frame import filled, title_rule
from ticketr.app.tui.panels.marks import initials, status_mark
from ticketr.app.tui.styled import Span
from ticketr.app.tui.theme import mark
from ticketr.text import clean, clip, width, wrap

if TYPE_CHECKING:
    from ticketr.app.tui.keymap import KeyMap
    from ticketr.app.tui.row_blocks import VisibleRow
    from ticketr.app.tui.styled import Line
    from ticketr.app.tui.theme import Theme
    from ticketr.app.tui.workspace import WorkspaceView

KEY_CELLS = 9
#: The most cells of a filter in the title, and the least of a cut one beside other facts.
MOST_FILTER, LEAST_FILTER = 20, 6
#: Cells around title: bar, flag, fold mark, status mark, blanks, assignee.
_AROUND = 4 + 1 + KEY_CELLS + 1 + 4


def draw_tickets(
    workspace: WorkspaceView,
    cells: int,
    height: int,
    theme: Theme,
    keys: KeyMap,
    *,
    is_focused: bool,
    is_pulling: bool = False,
) -> list[str]:
    """Return the rows of the ticket list, its title first.

    Args:
        workspace: The workspace that is shown.
        cells: The width of the panel.
        height: The rows of the panel below its title.
        theme: Colours and characters.
        keys: The keys, for hints.
        is_focused: Whether the panel has the focus.
        is_pulling: Whether a job of the workspace runs or waits, which may bring tickets.
    """
    shown = workspace.visible[workspace.top : workspace.top + height]
    selected = workspace.index
    rows = [
        draw_row(
            workspace,
            row,
            cells,
            theme,
            is_selected=at == selected,
            is_focused=is_focused,
        )
        for at, row in enumerate(shown, start=workspace.top)
    ]
    if not workspace.visible:
        hint = wrap(_hint(workspace, keys, is_pulling=is_pulling), max(8, cells - 2))
        rows = [theme.fit(f" {line}", cells) for line in hint]
    left = "2 Tickets"
    right = _facts(workspace, cells - width(left) - 7, keys)
    return [
        title_rule(left, right, cells, theme, is_focused=is_focused),
        *filled(rows, height, cells),
    ]


def draw_row(
    workspace: WorkspaceView,
    visible: VisibleRow,
    cells: int,
    theme: Theme,
    *,
    is_selected: bool,
    is_focused: bool,
) -> str:
    """Return one row of the list, of exactly so many cells."""
    line = _line(workspace, visible, cells, theme, is_selected=is_selected)
    if is_selected:
        return theme.row(line, cells, "reverse" if is_focused else "bold")
    return theme.row(line, cells)


def _line(
    workspace: WorkspaceView,
    visible: VisibleRow,
    cells: int,
    theme: Theme,
    *,
    is_selected: bool,
) -> Line:
    row = visible.row
    fold = " " if not visible.tasks else "▸" if visible.hidden else "▾"
    bar = "▌" if is_selected else "√" if row.id in workspace.chosen else " "
    name = row.key or ("broken" if row.is_broken else "draft")
    key = theme.fit(name, KEY_CELLS)
    room = max(0, cells - _AROUND - max(0, width(key) - KEY_CELLS))
    hidden = f" +{visible.hidden}" if visible.hidden else ""
    title = f"{'  ' * row.depth}{theme.text(row.title)}"
    title = clip(title, room - width(hidden), ellipsis=theme.ellipsis) + hidden
    pad = " " * max(0, room - width(title))
    person = " " if row.is_broken else initials(row.assignee)
    return (
        Span(bar),
        mark(workspace.flag(row)),
        Span(fold),
        mark(status_mark(row.status)),
        Span(f" {key} {title}{pad} "),
        Span(" " * (2 - width(person)) + person),
        Span(" "),
    )


def _facts(workspace: WorkspaceView, room: int, keys: KeyMap) -> str:
    """Return the position, and as much about the list and its keys as there is room for."""
    count = len(workspace.visible)
    position = f"{workspace.index + 1 if count else 0}/{count}"
    parts = [position]
    if workspace.chosen:
        parts.append(f"{len(workspace.chosen)} chosen")
    if wanted := clean(workspace.filter.text):
        left = room - width(" · ".join([*parts, "only "]))
        if left < min(width(wanted), LEAST_FILTER):
            # That tickets are left out matters more than how many are chosen.
            parts = [position]
            left = room - width(f"{position} · only ")
        parts.insert(1, f"only {clip(wanted, min(MOST_FILTER, left))}")
    parts.append(f"by {workspace.sort}")
    if workspace.rows and not workspace.filter.text:
        hints = ((KeyAction.FILTER, "filter"), (KeyAction.SEARCH, "search"))
        parts += filter(None, (keys.hint(key, Context.TICKETS, does) for key, does in hints))
    while parts[1:] and width(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def _hint(workspace: WorkspaceView, keys: KeyMap, *, is_pulling: bool) -> str:
    if workspace.rows:
        changes = keys.hint(KeyAction.FILTER, Context.MAIN, "changes it", before="; ")
        return f"Nothing matches “{clean(workspace.filter.text)}”{changes}"
    if workspace.problem:
        return workspace.problem
    if not workspace.is_read:
        return "Reading the files..."
    if is_pulling:
        return "No tickets here yet. They appear as they arrive from Jira"
    pull = keys.hint(KeyAction.PULL, Context.MAIN, "to pull from Jira", before=" Press ")
    return f"No tickets here yet.{pull}"
