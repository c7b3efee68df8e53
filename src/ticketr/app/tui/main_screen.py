"""Draws the panels of the main screen: the workspaces, the tickets, and the open ticket. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ticketr import JobSnapshot, JobStatus
from ticketr.app.tickets import fold
from ticketr.app.tui.jobs_state import kind_of
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.panels import frame
from ticketr.app.tui.panels.columns import CELLS_BEFORE_TITLE, ISSUE_KEY_CELLS, choose_columns
from ticketr.app.tui.panels.detail import subtask_line_index
from ticketr.app.tui.rows import VisibleRow
from ticketr.app.tui.sheet import DetailLine
from ticketr.app.tui.state import AppState, Panel
from ticketr.app.tui.styled import Line, Span, Theme, plain, tint_mark
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.statusline.render import ago, rounded_percent
from ticketr.text import clean, clip, fit, width, wrap

#: The most cells of a filter in the title.
MAX_FILTER_CELLS_IN_TITLE = 20


def draw_panels(state: AppState, now: float, theme: Theme) -> list[str]:
    """Return the rows of the body: the panels for which there is room."""
    layout = state.layout
    left = []
    if layout.list_cells:
        above = _draw_workspaces(state, now, theme) if layout.workspace_rows else []
        # The lowest screen has no room for a title.
        left = [*above, *_draw_tickets(state, theme)][-layout.body_rows :]
    if not layout.detail_cells:
        return left
    right = draw_detail(state, theme)[-layout.body_rows :]
    if not left:
        if state.selected_row is None:  # the list, which says why, is hidden
            right[-1] = theme.fit(" No ticket is selected", layout.detail_cells)
        return right
    rule = theme.style(theme.ascii_if_needed("│"), "dim")
    return [f"{one}{rule}{two}" for one, two in zip(left, right, strict=True)]


def _highlighted_panel(state: AppState) -> Panel | None:
    """Return the panel with the focus; None where a list over it has the only reversed row."""
    return None if state.context in {Context.CHOICE, Context.PALETTE} else state.focus


def _draw_workspaces(state: AppState, now: float, theme: Theme) -> list[str]:
    current, count = state.workspace_index, len(state.workspaces)
    cells, height = state.layout.list_cells, state.layout.workspace_rows
    is_focused = _highlighted_panel(state) is Panel.WORKSPACES
    top = frame.scroll_top(0, current, height, count)
    rows = []
    for at, workspace in enumerate(state.workspaces[top : top + height], start=top):
        words = activity_wordings(state, workspace, now)
        line = _workspace_line(workspace, words, cells, is_current=at == current)
        styles = ("reverse" if is_focused else "bold",) if at == current else ()
        rows.append(theme.row(line, cells, *styles))
    facts = f"{current + 1}/{count}" if count > height else ""
    title = frame.title_rule("1 Workspaces", facts, cells, theme, is_focused=is_focused)
    return [title, *frame.cut_or_pad_rows(rows, height, cells)]


def _workspace_line(
    workspace: WorkspaceView, wordings: Sequence[str], cells: int, *, is_current: bool
) -> Line:
    rows = workspace.rows
    count = f"{rows.issue_and_draft_count:,}" if rows or workspace.are_files_read else ""
    left = f" {fit(workspace.name, 9)} {fit(workspace.project, 6)}{count:>6} "
    marks: list[Span] = []
    for sign, number, _ in workspace.change_marks_counts_and_names:
        marks += [Span(" "), tint_mark(sign), Span(f"{number}")]
    used = 1 + width(left) + sum(width(span.text) for span in marks)
    room = cells - used - 2
    shown = next((text for text in wordings if width(text) <= room), "")
    pad = " " * max(0, cells - used - width(shown) - 1)
    return (Span("▸" if is_current else " "), Span(left), *marks, Span(f"{pad}{shown} "))


def activity_wordings(state: AppState, workspace: WorkspaceView, now: float) -> tuple[str, ...]:
    """Return what a workspace is doing, or when it was synced; the longest words first."""
    jobs = state.jobs.unfinished_jobs_of(workspace.name)
    if jobs:
        return _job_activity_wordings(jobs[0])
    if workspace.opening_problem:
        return ("cannot be opened", "closed")
    if workspace.complete_pull_trio_time is None:
        return ("not pulled yet", "") if workspace.are_files_read and not workspace.rows else ("",)
    age = ago(now - workspace.complete_pull_trio_time)
    return f"synced {age}", age


def _job_activity_wordings(job: JobSnapshot) -> tuple[str, ...]:
    kind = kind_of(job) or "work"
    if job.status is JobStatus.PENDING:
        return f"{kind} waits", "waits"
    progress = job.progress
    if progress is None or progress.total <= 0:
        return f"{kind}ing...", kind
    share = f"{rounded_percent(progress)}%"
    return f"{kind}ing {share}", share


def _draw_tickets(state: AppState, theme: Theme) -> list[str]:
    cells, height = state.layout.list_cells, state.layout.ticket_list_rows
    workspace = state.workspace.scrolled_to_selected(height)
    shown = workspace.visible.rows[workspace.top : workspace.top + height]
    is_focused = _highlighted_panel(state) is Panel.TICKETS
    selected, style = workspace.selected_index, "reverse" if is_focused else "bold"
    rows = [
        _draw_row(workspace, row, cells, theme, style if at == selected else "")
        for at, row in enumerate(shown, start=workspace.top)
    ]
    if not workspace.visible:
        hint = wrap(_empty_list_text(state), max(8, cells - 2))
        rows = [theme.fit(f" {line}", cells) for line in hint]
    left = "2 Tickets"
    right = _list_summary(workspace, cells - width(left) - 7, state.keymap)
    title = frame.title_rule(left, right, cells, theme, is_focused=is_focused)
    return [title, *frame.cut_or_pad_rows(rows, height, cells)]


def _draw_row(
    workspace: WorkspaceView, visible: VisibleRow, cells: int, theme: Theme, selected_style: str
) -> str:
    """Draw a row; `selected_style` is the style of the selected one, and empty for others."""
    line = _ticket_line(workspace, visible, cells, theme, "▌" if selected_style else " ")
    styles = (selected_style,) if selected_style else () if visible.matches_filter else ("dim",)
    words = workspace.search_query_words
    is_found = words and visible.matches_filter
    if not is_found or any(word not in visible.row.candidate.haystack for word in words):
        return theme.row(line, cells, *styles)
    # A hit of the search; its words may be in a text that the list does not show.
    whole = ((0, len(plain(line))),)
    if styles:
        line = tuple([Span(span.text, styles) for span in line])
    ranges = frame.find_words(line, words)
    marks: tuple[str, ...] = ("reverse",)
    if not ranges:
        ranges, marks = whole, ("bold",)
    elif "reverse" in styles:
        marks = ("bold", "underline")
    return theme.row(frame.with_marked_ranges(line, ranges, *marks), cells)


def _ticket_line(
    workspace: WorkspaceView, visible: VisibleRow, cells: int, theme: Theme, bar: str
) -> Line:
    row = visible.row
    fold = " " if not visible.subtask_count else "▸" if visible.hidden_count else "▾"
    if row.id in workspace.chosen_ids:
        bar = "√"
    elif bar == " " and row.key in workspace.keys_of_unseen_changes:
        bar = "•"
    name = row.key or ("broken" if row.is_broken else "draft")
    key = theme.fit(name, ISSUE_KEY_CELLS)
    room = max(0, cells - CELLS_BEFORE_TITLE - 1 - max(0, width(key) - ISSUE_KEY_CELLS))
    # The error of a broken file needs all the room, and by columns it has nothing to show.
    columns = () if row.is_broken else choose_columns(cells, workspace.hidden_columns)
    shown = "".join([f" {theme.fit(column.text(row), column.cells)}" for column in columns])
    room -= width(shown)
    hidden = f" +{visible.hidden_count}" if visible.hidden_count else ""
    title = f"{'  ' * row.depth}{theme.ascii_if_needed(row.title_or_error)}"
    title = clip(title, room - width(hidden), ellipsis=theme.ellipsis) + hidden
    pad = " " * max(0, room - width(title))
    return (
        Span(bar),
        tint_mark(workspace.sync_mark_of(row)),
        Span(fold),
        tint_mark(frame.status_mark(row.status)),
        Span(f" {key} {title}{pad}{shown} "),
    )


def _list_summary(workspace: WorkspaceView, room: int, keys: KeyMap) -> str:
    """Return the position, and as much about the list and its keys as there is room for."""
    at, count = workspace.filtered_position_and_count
    parts = [f"{at}/{count}"]
    if workspace.filter.text:  # it matters most, since it hides tickets
        filter_room = min(MAX_FILTER_CELLS_IN_TITLE, room - width(f"{parts[0]} · only "))
        parts.append(f"only {clip(clean(workspace.filter.text), filter_room)}")
    if workspace.chosen_ids:
        parts.append(f"{len(workspace.chosen_ids)} chosen")
    parts.append(f"by {workspace.sort}")
    if workspace.rows and not workspace.filter.text:
        actions = ((KeyAction.FILTER, "filter"), (KeyAction.SEARCH, "search"))
        hints = (keys.hint(action, Context.TICKETS, does) for action, does in actions)
        parts += filter(None, hints)
    while parts[1:] and width(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def _empty_list_text(state: AppState) -> str:
    """Return why the list is empty, and the key that changes that."""
    workspace, keys = state.workspace, state.keymap
    if workspace.rows:
        changes = keys.hint(KeyAction.FILTER, Context.MAIN, "changes it", before="; ")
        return f"Nothing matches “{clean(workspace.filter.text)}”{changes}"
    if workspace.opening_problem:
        return workspace.opening_problem
    if not workspace.are_files_read:
        return "Reading the files..."
    if state.jobs.unfinished_jobs_of(workspace.name):
        return "No tickets here yet. They appear as they arrive from Jira"
    pull = keys.hint(KeyAction.PULL, Context.MAIN, "to pull from Jira", before=" Press ")
    return f"No tickets here yet.{pull}"


def draw_detail(state: AppState, theme: Theme) -> list[str]:
    """Return the rows of the open ticket's panel, its title first."""
    ticket, cells, height = state.ticket, state.layout.detail_cells, state.layout.detail_rows
    is_focused = _highlighted_panel(state) is Panel.DETAIL
    if ticket is None or ticket.sheet is None:
        title = frame.title_rule("3", "", cells, theme, is_focused=is_focused)
        return [title, *frame.cut_or_pad_rows([], height, cells)]
    sheet, top, lines = ticket.sheet, ticket.top, ticket.wrapped_lines
    words, matches = state.workspace.search_query_words, tuple[int, ...]()
    if ticket.search:
        words = (" ".join(fold(ticket.search).split()),)
        matches = frame.line_index_of_each_match(lines, ticket.search)
    match = matches[ticket.match_index] if ticket.match_index < len(matches) else -1
    selected = subtask_line_index(sheet, lines, ticket.selected_subtask_index)
    rows: list[str] = []
    for at, line in enumerate(lines[top : top + height], start=top):
        text, ranges = line.line, frame.find_words(line.line, words)
        if not ranges and at in matches:
            ranges = _range_of_match_start(text, words[0])
        if ranges:
            marks = ("reverse", "bold") if at == match else ("reverse",)
            text = frame.with_marked_ranges(text, ranges, *marks)
        if at == selected:
            rows.append(theme.row((Span("▌"), *text), cells, "reverse"))
        else:
            rows.append(theme.row((Span(" "), *text, *_hint_to_resolve(line, state.keymap)), cells))
    facts = f"{min(top + 1, len(lines))}/{len(lines)}" if len(lines) > height else ""
    name = sheet.key or ("broken file" if sheet.error else "draft")
    title = frame.title_rule(f"3 {name}", facts, cells, theme, is_focused=is_focused)
    return [title, *frame.cut_or_pad_rows(rows, height, cells)]


def _range_of_match_start(line: Line, words: str) -> tuple[tuple[int, int], ...]:
    """Return the range of the beginning of a text that goes on in the next line."""
    parts = words.split()
    for count in range(len(parts) - 1, 0, -1):
        if ranges := frame.find_words(line, (" ".join(parts[:count]),)):
            return ranges[-1:]
    return ()


def _hint_to_resolve(line: DetailLine, keys: KeyMap) -> Line:
    """Return the key that a line names at its end, and what it does."""
    key = keys.key_name(KeyAction.RESOLVE, Context.DETAIL) if line.has_resolve_hint else ""
    return (Span("   "), Span(key, ("bold",)), Span(" resolve")) if key else ()
