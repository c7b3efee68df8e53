"""The screen as a pure function of the state: one string for each row, each of the same width.

Texts are cut and padded before they are styled, so that widths count cells of plain text and no
style sequence is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.tui.keymap import ELSEWHERE, TABLE, KeyAction, binding_of
from ticketr.tui.state import TWO_PANELS, Focus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.tui.rows import ListRow
    from ticketr.tui.state import AppState
    from ticketr.tui.theme import Theme

#: The least width of a list that shows the status.
WITH_STATUS = 50
KEY_CELLS, STATUS_CELLS = 10, 13
#: The least width and height of a screen; a smaller one shows one line.
SMALLEST = (20, 4)


def screen(state: AppState, now: float, theme: Theme) -> list[str]:
    """Return the rows of the screen.

    Args:
        state: The state to show.
        now: The time, in seconds by Trio's clock.
        theme: Colours and characters.

    Returns:
        One styled row for each of the terminal's, as wide as the terminal.
    """
    width, height = state.width, state.height
    if width < SMALLEST[0] or height < SMALLEST[1]:
        words = theme.fit("too small", width)
        return [words, *[" " * width] * (height - 1)][:height]
    if state.is_help_open:
        body = _help(state, theme)
    elif state.are_notes_open:
        body = _notes(state, theme)
    else:
        body = _panels(state, theme)
    return [
        _header(state, theme),
        *body,
        _action_bar(state, theme),
        theme.status(state.status.line(width, now, theme.line_style)),
    ]


def _header(state: AppState, theme: Theme) -> str:
    number = sum(not row.is_broken for row in state.rows)
    count = f"{number} ticket{'' if number == 1 else 's'}" if number else "no tickets yet"
    edited, conflicts, broken = len(state.edited), len(state.conflicts), len(state.broken)
    facts = [
        state.title,
        count,
        *([f"{edited} edited"] if edited else []),
        *([f"{conflicts} conflict{'' if conflicts == 1 else 's'}"] if conflicts else []),
        *([f"{broken} broken file{'' if broken == 1 else 's'}"] if broken else []),
    ]
    return theme.header(theme.fit(f" {f' {theme.dot} '.join(facts)}", state.width))


def _panels(state: AppState, theme: Theme) -> list[str]:
    if state.width >= TWO_PANELS:
        lists = _list(state, state.list_width, theme)
        details = _detail(state, state.detail_width, theme)
        return [f"{one}{theme.rule}{two}" for one, two in zip(lists, details, strict=True)]
    if state.focus is Focus.DETAIL:
        return _detail(state, state.width, theme)
    return _list(state, state.width, theme)


def _list(state: AppState, width: int, theme: Theme) -> list[str]:
    if not state.rows:
        hint = f" Press {binding_of(KeyAction.PULL).keys[0]} to pull from Jira"
        return _filled([theme.fit(hint, width)], state.page, width)
    shown = state.rows[state.top : state.top + state.page]
    selected = state.rows[state.index]
    rows = [
        _row(row, _flag(state, row), width, theme, is_selected=row is selected) for row in shown
    ]
    return _filled(rows, state.page, width)


def _flag(state: AppState, row: ListRow) -> str:
    """Return a character that says how an issue differs from the last sync."""
    if row.head in state.conflicts:
        return "!"
    return "*" if row.key in state.edited else " "


def _row(row: ListRow, flag: str, width: int, theme: Theme, *, is_selected: bool) -> str:
    # The mark shows the selected row where colours do not.
    mark = theme.mark if is_selected else " "
    key = theme.fit(row.key or ("broken" if row.is_broken else "draft"), KEY_CELLS)
    text = f"{mark}{flag}{'  ' * row.depth}{key} {row.title}"
    if width >= WITH_STATUS and not row.is_broken:
        text = f"{theme.fit(text, width - STATUS_CELLS - 1)} {theme.fit(row.status, STATUS_CELLS)}"
    text = theme.fit(text, width)
    return theme.selected(text) if is_selected else text


def _detail(state: AppState, width: int, theme: Theme) -> list[str]:
    if state.detail is None:
        return _filled([], state.page, width)
    lines = state.detail.lines[state.detail.top : state.detail.top + state.page]
    return _filled([_line(line, width, theme) for line in lines], state.page, width)


def _line(line: str, width: int, theme: Theme) -> str:
    text = theme.fit(f" {line}", width)
    return theme.heading(text) if line.lstrip().startswith("#") else text


def _help(state: AppState, theme: Theme) -> list[str]:
    lines = [theme.heading(theme.fit(" Keys", state.width))]
    lines += [
        theme.fit(f"  {keys}{words}", state.width)
        for keys, words in (
            *((theme.fit(each.shown, 10), each.help) for each in TABLE),
            *((theme.fit(keys, 10), words) for keys, words in ELSEWHERE),
        )
    ]
    return _filled(lines, state.page, state.width)


def _notes(state: AppState, theme: Theme) -> list[str]:
    lines = state.note_lines[state.notes_top :]
    what = "Broken files, notes of the last job" if state.broken else "Notes of the last job"
    heading = theme.heading(theme.fit(f" {what}", state.width))
    rows = [heading, *(theme.fit(f"  {line}", state.width) for line in lines[: state.page])]
    return _filled(rows, state.page, state.width)


def _action_bar(state: AppState, theme: Theme) -> str:
    if state.prompt is not None:
        return theme.notice(theme.fit(f" {state.prompt.line}", state.width))
    if state.notice:
        return theme.notice(theme.fit(f" {state.notice}", state.width))
    hints = "  ".join(f"{key} {words}" for key, words in _hints(state))
    return theme.bar(theme.fit(f" {hints}", state.width))


def _hints(state: AppState) -> Iterator[tuple[str, str]]:
    """Yield the keys that have an effect now."""
    if state.is_help_open or state.are_notes_open:
        yield "Esc", "close"
    elif state.status.named_job is not None:
        yield "Esc", "cancel"
    elif state.focus is Focus.DETAIL:
        yield "Esc", "back"
    if not state.is_help_open and not state.are_notes_open:
        if state.things_to_note:
            yield "n", "notes"
        if state.rows and state.focus is Focus.LIST:
            yield "Enter", "open"
        if not state.working:
            if state.rows and state.rows[state.index].head in state.conflicts:
                yield "r", "resolve"
            yield "P", "pull"
    yield "?", "help"
    yield "q", "quit"
    is_open = state.is_help_open or state.are_notes_open
    if not is_open and not state.working:  # a narrow screen may cut these off
        yield "p", "push"
        yield "s", "sync"


def _filled(rows: list[str], height: int, width: int) -> list[str]:
    return [*rows[:height], *[" " * width] * (height - len(rows))]
