"""The screen as a pure function of the state: one string for each row, each of the same width.

Texts are cut and padded before they are styled, so that widths count cells of plain text and no
style sequence is cut.
"""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet

from ticketr.app.tui.jobs_state import ended_job_seconds
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.main_screen import activity_wordings, draw_panels
from ticketr.app.tui.overlays.base import Overlay
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.state import AppState, Panel
from ticketr.app.tui.styled import (
    Line,
    Span,
    Theme,
    cells as cells_of,
    shorten_paths_if_too_wide,
    tint_mark,
)
from ticketr.statusline.render import duration, next_spin
from ticketr.text import clean, clip, width, wrap

#: The least cells for the first part of an end, before the rest is cut instead.
MIN_CAUSE_CELLS = 20


def status_row(state: AppState, now: float, theme: Theme) -> str:
    """Return the last row of the screen.

    Args:
        state: The state to show.
        now: The time, in seconds by Trio's clock.
        theme: Colours and characters.
    """
    last = state.status.last
    if last is None and not state.jobs.unfinished:
        return " " * state.width
    if state.status.running or last is None:
        others = len(state.jobs.unfinished) - 1
        more = ""
        if others > 0:
            key = state.keymap.key_name(KeyAction.JOBS, Context.MAIN)
            more = f" +{others} {key}".rstrip()
        hint = "" if state.overlays else "esc cancel"
        line = state.status.line(state.width - width(more), now, theme.status_line_style, hint=hint)
        return f"{line}{more}"
    end = state.job_end(last)
    room = state.width - width(end.mark) - 1
    words = _fit_job_end(f"{end.text} | {duration(ended_job_seconds(last))}", room, theme)
    return theme.row((tint_mark(end.mark), Span(f" {words}")), state.width)


def _fit_job_end(words: str, room: int, theme: Theme) -> str:
    """Cut the first part of an end, such as a long error, so that the count and the key stay.

    The key stays rather than the count, if there is no room for both.
    """
    dot = theme.ascii_if_needed(" · ")
    first, *others = theme.ascii_if_needed(words).split(dot)
    for rest in (others, others[-1:]):
        end = "".join(f"{dot}{text}" for text in rest)
        left = room - width(end)
        if width(first) <= left:
            return f"{first}{end}"
        if left >= MIN_CAUSE_CELLS:
            first = shorten_paths_if_too_wide(first, left, theme)
            return f"{clip(first, left, ellipsis=theme.ellipsis)}{end}"
    return words


#: The least width and height of a screen; a smaller one shows one line.
MIN_SCREEN_SIZE = (20, 4)
#: The least cells of a notice that is cut beside a line to type.
MIN_NOTICE_CELLS_BESIDE_INPUT = 12
#: The most rows of a notice. It covers the lowest rows until the next key.
MAX_NOTICE_ROWS = 3


def draw_screen(state: AppState, now: float, theme: Theme) -> list[str]:
    """Return the rows of the screen.

    Args:
        state: The state to show.
        now: The time, in seconds by Trio's clock.
        theme: Colours and characters.

    Returns:
        One styled row for each of the terminal's, as wide as the terminal.
    """
    cells, height = state.width, state.height
    if cells < MIN_SCREEN_SIZE[0] or height < MIN_SCREEN_SIZE[1]:
        words = theme.fit(f"ticketr needs {MIN_SCREEN_SIZE[0]}x{MIN_SCREEN_SIZE[1]}", cells)
        return [words, *[" " * cells] * (height - 1)][:height]
    shown = _shown_overlays(state)
    body = [] if shown and shown[0].is_full_screen else draw_panels(state, now, theme)
    for overlay in shown:
        body = overlay.draw_body(state, body, now, theme)
    rule = [theme.rule(cells)] if state.layout.has_rule_below_body else []
    above = [*body, *rule]
    most = min(MAX_NOTICE_ROWS, 1 + len(rule) + len(body) // 4)
    bar = _draw_input_notice_or_hints(state, theme, most)
    above = above[: len(above) + 1 - len(bar)]
    return [_draw_header(state, now, theme), *above, *bar, status_row(state, now, theme)]


def next_change_time(state: AppState, now: float, theme: Theme) -> float:
    """Return the time at which the screen changes without a message; infinity for never."""
    if not state.status.running:
        return math.inf
    change = state.status.next_change(now, theme.status_line_style)
    spins = any(overlay.has_spinners for overlay in _shown_overlays(state))
    return min(change, next_spin(now)) if spins and theme.status_line_style.motion else change


def _shown_overlays(state: AppState) -> tuple[Overlay, ...]:
    """Return the overlays that are on the screen: none that another one hides."""
    full = (at for at in reversed(range(len(state.overlays))) if state.overlays[at].is_full_screen)
    return state.overlays[next(full, 0) :]


def _draw_header(state: AppState, now: float, theme: Theme) -> str:
    given = [pair for overlay in state.overlays if (pair := overlay.header_left_and_right(state))]
    choices: tuple[Line, ...]  # the longest first
    more = ""
    if given:
        left, right = given[-1]
        choices = ((Span(right),),)
    elif state.workspaces and not state.layout.list_cells:  # which ticket of the list
        left, choices = _open_ticket_breadcrumb(state), _position_variants(state)
    else:
        workspace = state.workspace
        left = f"{workspace.name} · {workspace.site}" if workspace.site else workspace.name
        choices = (_mark_counts(state), _mark_counts(state, is_short=True))
        if state.workspaces and not state.layout.workspace_rows:  # their panel would say it
            more = next(filter(None, activity_wordings(state, workspace, now)), "")
    left = clip(left, max(0, state.width - 12))
    name: Line = ()
    for words in (f" · {more}", "") if more else ("",):
        name = (Span(" ticketr", ("bold",)), Span(f"  {left}{words}"))
        for facts in choices:
            gap = state.width - cells_of((*name, *facts)) - 1
            if gap >= 2:
                return theme.row((*name, Span(" " * gap), *facts), state.width)
    return theme.row(name, state.width)


def _open_ticket_breadcrumb(state: AppState) -> str:
    """Return the workspace, the parent and the key of the open ticket."""
    row, sheet = state.selected_row, state.ticket.sheet if state.ticket is not None else None
    names = [state.workspace.name]
    if row is not None and not row.is_broken:
        parent = clean(sheet.issue.fields.get("Parent", "")) if sheet is not None else ""
        names += [row.head_key if row.depth else parent, row.key or "draft"]
    return " › ".join(filter(None, names))


def _position_variants(state: AppState) -> tuple[Line, ...]:
    """Return the place of the open ticket in the list, with and without the keys to others."""
    at, count = state.workspace.filtered_position_and_count
    place = Span(f"{at}/{count}")
    keys: list[Span] = []
    for action, does in ((KeyAction.PREVIOUS, "previous"), (KeyAction.NEXT, "next")):
        key = state.keymap.key_name(action, Context.MAIN)
        keys += [Span(f"   {key}", ("bold",)), Span(f" {does}")] if key else []
    return (place, *keys), (place,)


def _mark_counts(state: AppState, *, is_short: bool = False) -> Line:
    """Return what differs from the last sync: its marks and numbers, in full with its names."""
    spans: list[Span] = []
    for sign, number, words in state.workspace.change_marks_counts_and_names:
        spans += [Span("  " if spans else ""), tint_mark(sign)]
        spans.append(Span(f"{number}" if is_short else f" {number} {words}"))
    return tuple(spans)


def _draw_input_notice_or_hints(state: AppState, theme: Theme, max_rows: int) -> list[str]:
    """Return the rows of the action bar: one, or more for a long notice."""
    overlay = state.overlays[-1] if state.overlays else None
    if isinstance(overlay, LineInput):
        typed = overlay.draw_line(state, theme)
        right = Span(theme.ascii_if_needed(overlay.line_hints(state)), ("dim",))
        if state.notice:
            room = state.width - width(typed) - 2
            is_told = room >= min(width(state.notice), MIN_NOTICE_CELLS_BESIDE_INPUT)
            right = Span(clip(state.notice, room if is_told else 0, ellipsis=theme.ellipsis))
        gap = state.width - width(typed) - width(right.text) - 1
        end = (Span(" " * gap), right) if right.text and gap > 0 else ()
        return [theme.row((Span(typed), *end), state.width)]
    if state.notice:
        styles = ("bold", "red") if state.is_notice_bad else ("bold",)
        lines = _notice_lines(theme.ascii_if_needed(state.notice), state.width - 2, max_rows, theme)
        return [theme.row((Span(f" {line}", styles),), state.width) for line in lines]
    return [theme.row((Span(" "), *_key_hints(state, theme)), state.width)]


def _notice_lines(words: str, room: int, max_rows: int, theme: Theme) -> list[str]:
    """Return a notice in as few lines as it needs; the last one is cut if there are too many."""
    lines = [*wrap(words, room)]
    if len(lines) > min(2, max_rows):
        lines = [*wrap(shorten_paths_if_too_wide(words, room, theme), room)]
    if len(lines) > max_rows:
        rest = " ".join(lines[max_rows - 1 :])
        lines[max_rows - 1 :] = [clip(rest, room, ellipsis=theme.ellipsis)]
    return lines


def _key_hints(state: AppState, theme: Theme) -> list[Span]:
    """Return the keys that have an effect now, most important first, while there is room for them."""
    if state.overlays:
        idle = state.overlays[-1].unavailable_actions(state)
    else:
        idle = _unavailable_main_actions(state)
    bindings = state.keymap.bindings_by_context[state.context]
    hints = [
        (
            bindings.key_name_by_action[row.action],
            theme.ascii_if_needed(row.hint),
            Context.EVERYWHERE in row.contexts,
        )
        for row in bindings.all_bindings
        if row.hint and row.action in bindings.key_name_by_action and row.action not in idle
    ]
    sizes = [width(f"{key} {word}") + 2 for key, word, _ in hints]
    spans: list[Span] = []
    used = 1
    # Those of the keys that work everywhere are last, and are never left out for others.
    reserved = sum(size for (*_, is_last), size in zip(hints, sizes, strict=True) if is_last)
    for (key, word, is_last), size in zip(hints, sizes, strict=True):
        reserved -= size if is_last else 0
        if size > state.width - used - reserved:
            continue
        used += size
        spans += [Span(key, ("bold",)), Span(f" {word}  ")]
    return spans


def _unavailable_main_actions(state: AppState) -> AbstractSet[KeyAction]:
    """Return the actions that have no effect now on the main screen."""
    row, workspace = state.selected_row, state.workspace
    is_narrowed = workspace.chosen_ids or workspace.filter.text or workspace.search_query_words
    cancels = state.job_to_cancel is not None  # the status line says so
    task = state.ticket.selected_subtask_index if state.ticket is not None else -1
    has_effect = {
        KeyAction.ESCAPE: not cancels and (state.focus is not Panel.TICKETS or is_narrowed),
        KeyAction.CHANGE: workspace.chosen_ids,
        KeyAction.OPEN: row
        and (state.focus is not Panel.DETAIL or not state.is_detail_wide or task >= 0),
        KeyAction.RESOLVE: row and row.head_key in workspace.conflicts_by_key,
        KeyAction.DIFF: row and row.key in workspace.edited_keys,
        KeyAction.BROWSER: row and row.key,
        **dict.fromkeys((KeyAction.EDIT, KeyAction.STATUS, KeyAction.ASSIGN), row),
    }
    return {action for action, has in has_effect.items() if not has}
