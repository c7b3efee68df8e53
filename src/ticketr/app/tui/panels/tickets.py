"""Draws the lists of tickets and of workspaces. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set as AbstractSet

from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.panels.columns import Column, columns_for
from ticketr.app.tui.panels.frame import (
    filled,
    find_words,
    scroll_top,
    status_mark,
    title_rule,
    with_marks,
)
from ticketr.app.tui.rows import VisibleRow
from ticketr.app.tui.styled import Line, Span, Theme, mark, plain
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean, clip, fit, width, wrap


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
        line = _workspace_line(workspaces[at], states[at], cells, is_current=at == current)
        styles = ("reverse" if is_focused else "bold",) if at == current else ()
        rows.append(theme.row(line, cells, *styles))
    facts = f"{current + 1}/{len(workspaces)}" if len(workspaces) > height else ""
    title = title_rule("1 Workspaces", facts, cells, theme, is_focused=is_focused)
    return [title, *filled(rows, height, cells)]


def _workspace_line(
    workspace: WorkspaceView, states: Sequence[str], cells: int, *, is_current: bool
) -> Line:
    count = f"{workspace.rows.issues:,}" if workspace.rows or workspace.is_read else ""
    left = f" {fit(workspace.name, 9)} {fit(workspace.project, 6)}{count:>6} "
    marks: list[Span] = []
    for sign, number, _ in workspace.counts:
        marks += [Span(" "), mark(sign), Span(f"{number}")]
    used = 1 + width(left) + sum(width(span.text) for span in marks)
    room = cells - used - 2
    shown = next((state for state in states if width(state) <= room), "")
    pad = " " * max(0, cells - used - width(shown) - 1)
    return (Span("▸" if is_current else " "), Span(left), *marks, Span(f"{pad}{shown} "))


KEY_CELLS = 9
#: The cells before a title: bar, flag, fold mark, status mark, and the key between two blanks.
_BEFORE = 4 + 1 + KEY_CELLS + 1
#: The most cells of a filter in the title, and the least of a cut one beside other facts.
MOST_FILTER, LEAST_FILTER = 20, 6


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
    selected, style = workspace.index, "reverse" if is_focused else "bold"
    rows = [
        _row(workspace, row, cells, theme, style if at == selected else "")
        for at, row in enumerate(shown, start=workspace.top)
    ]
    if not workspace.visible:
        hint = wrap(_hint(workspace, keys, is_pulling=is_pulling), max(8, cells - 2))
        rows = [theme.fit(f" {line}", cells) for line in hint]
    left = "2 Tickets"
    right = _list_summary(workspace, cells - width(left) - 7, keys)
    return [
        title_rule(left, right, cells, theme, is_focused=is_focused),
        *filled(rows, height, cells),
    ]


def _row(
    workspace: WorkspaceView, visible: VisibleRow, cells: int, theme: Theme, selected: str
) -> str:
    """Draw a row; `selected` is the style of the selected one, and empty for others."""
    line = _line(workspace, visible, cells, theme, "▌" if selected else " ")
    styles = (selected,) if selected else () if visible.is_hit else ("dim",)
    words = workspace.search_words
    is_found = words and visible.is_hit
    if not is_found or any(word not in visible.row.candidate.haystack for word in words):
        return theme.row(line, cells, *styles)
    # A hit of the search; its words may be in a text that the list does not show.
    whole = ((0, len(plain(line))),)
    if styles:
        line = tuple([Span(span.text, styles) for span in line])
    ranges = find_words(line, words)
    marks: tuple[str, ...] = ("reverse",)
    if not ranges:
        ranges, marks = whole, ("bold",)
    elif "reverse" in styles:
        marks = ("bold", "underline")
    return theme.row(with_marks(line, ranges, *marks), cells)


def list_columns(cells: int, hidden: AbstractSet[str]) -> tuple[Column, ...]:
    """Return the columns that have room in a list of so many cells, from left to right."""
    return columns_for(cells - _BEFORE - 1, hidden)


def _line(
    workspace: WorkspaceView, visible: VisibleRow, cells: int, theme: Theme, bar: str
) -> Line:
    row = visible.row
    fold = " " if not visible.tasks else "▸" if visible.hidden else "▾"
    if row.id in workspace.chosen:
        bar = "√"
    elif bar == " " and row.key in workspace.changed:
        bar = "•"
    name = row.key or ("broken" if row.is_broken else "draft")
    key = theme.fit(name, KEY_CELLS)
    room = max(0, cells - _BEFORE - 1 - max(0, width(key) - KEY_CELLS))
    # The error of a broken file needs all the room, and by columns it has nothing to show.
    columns = () if row.is_broken else list_columns(cells, workspace.hidden)
    shown = "".join([f" {theme.fit(column.text(row), column.cells)}" for column in columns])
    room -= width(shown)
    hidden = f" +{visible.hidden}" if visible.hidden else ""
    title = f"{'  ' * row.depth}{theme.text(row.title)}"
    title = clip(title, room - width(hidden), ellipsis=theme.ellipsis) + hidden
    pad = " " * max(0, room - width(title))
    return (
        Span(bar),
        mark(workspace.flag(row)),
        Span(fold),
        mark(status_mark(row.status)),
        Span(f" {key} {title}{pad}{shown} "),
    )


def _list_summary(workspace: WorkspaceView, room: int, keys: KeyMap) -> str:
    """Return the position, and as much about the list and its keys as there is room for."""
    parts = [*_selection_parts(workspace, room), f"by {workspace.sort}"]
    parts += _key_hints(workspace, keys)
    while parts[1:] and width(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def _selection_parts(workspace: WorkspaceView, room: int) -> list[str]:
    """Return the position, the filter, and how many tickets are chosen if there is room."""
    at, count = workspace.position
    position = f"{at}/{count}"
    chosen = [f"{len(workspace.chosen)} chosen"] if workspace.chosen else []
    text = clean(workspace.filter.text)
    if not text:
        return [position, *chosen]
    filter_room = room - width(" · ".join([position, *chosen, "only "]))
    if filter_room < min(width(text), LEAST_FILTER):
        # The filter matters more, since it hides tickets.
        chosen = []
        filter_room = room - width(f"{position} · only ")
    return [position, f"only {clip(text, min(MOST_FILTER, filter_room))}", *chosen]


def _key_hints(workspace: WorkspaceView, keys: KeyMap) -> Iterator[str]:
    """Yield the hints of the keys that filter and search, where no filter is set."""
    if workspace.rows and not workspace.filter.text:
        for key, does in ((KeyAction.FILTER, "filter"), (KeyAction.SEARCH, "search")):
            if hint := keys.hint(key, Context.TICKETS, does):
                yield hint


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
