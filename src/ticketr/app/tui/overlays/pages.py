"""Overlays that only show lines: the help and the edits. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import ClassVar, final

from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import TERMINAL_KEY_HELP_ROWS, Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, moved_index, word_diff_lines
from ticketr.app.tui.panels.frame import cut_or_pad_rows, space_headings, title_rule
from ticketr.app.tui.services.outside import open_editor
from ticketr.app.tui.sheet import IssueSheet
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Theme
from ticketr.text import fit, width, wrap

INDENT = "   "


@final
@dataclass(frozen=True, slots=True)
class Diff(Overlay):
    """What was changed in a ticket.

    Attributes:
        workspace: The name of its workspace.
        sheet: The ticket.
        top: The index of the first row that is shown.
    """

    context: ClassVar[Context] = Context.DIFF

    workspace: str
    sheet: IssueSheet
    top: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Scroll, edit the file, or close it."""
        if action is KeyAction.DIFF:
            return state.top_closed(), ()
        if action is KeyAction.EDIT:
            line = self.sheet.line or 1
            return state, (call_in(self.workspace, open_editor, self.sheet.path, line),)
        height = sum(
            1 + len(word_diff_lines(edit.before, edit.after, state.width - 4, INDENT, INDENT))
            for edit in self.sheet.edits
        )
        last = max(0, height - state.layout.body_rows)
        top = moved_index(action, self.top, state.layout.body_rows, last)
        return None if top is None else (state.top_replaced(replace(self, top=top)), ())

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Show the ticket as it is after its file was read again; close it without changes."""
        match message:
            case messages.DetailRead(self.workspace, _, IssueSheet(key=self.sheet.key) as sheet):
                if not sheet.edits:
                    return state.without_overlay(self), ()
                return state.overlay_replaced(self, replace(self, sheet=sheet)), ()
            case _:
                return None

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"Diff · {self.sheet.key} {self.sheet.title}", "since the last sync"

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.layout.body_rows
        rows: list[Line | str] = []  # drawn where they are shown: there may be thousands
        headings: list[int] = []
        for edit in self.sheet.edits:
            headings.append(len(rows))
            rows.append(title_rule(edit.part_name, "", cells, theme, is_focused=True))
            rows += word_diff_lines(edit.before, edit.after, cells - 4, INDENT, INDENT)
        rows, top = space_headings(rows, headings, self.top, height, " " * cells)
        shown = [
            row if isinstance(row, str) else theme.row(row, cells)
            for row in rows[top : top + height]
        ]
        return cut_or_pad_rows(shown, height, cells)


#: The least and the most cells for the names of keys.
KEYS_CELLS, MAX_KEYS_CELLS = 11, 24


@final
@dataclass(frozen=True, slots=True)
class Help(Overlay):
    """The help.

    Attributes:
        listed_context: The place whose keys it lists.
        top: The index of the first line that is shown.
    """

    context: ClassVar[Context] = Context.HELP

    listed_context: Context
    top: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Scroll, or close it."""
        if action is KeyAction.HELP:
            return state.top_closed(), ()
        page = state.layout.body_rows - 1
        last = max(0, len(help_lines(state.keymap, self.listed_context, state.width)) - page)
        top = moved_index(action, self.top, page, last)
        return None if top is None else (state.top_replaced(replace(self, top=top)), ())

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the action that opened it."""
        return frozenset((KeyAction.HELP,))

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        lines = help_lines(state.keymap, self.listed_context, state.width)
        height = state.layout.body_rows
        facts = f"{min(self.top + 1, len(lines))}/{len(lines)}" if len(lines) >= height else ""
        title = title_rule(
            f"Keys of {self.listed_context.value}", facts, state.width, theme, is_focused=True
        )
        shown = [theme.fit(f" {line}", state.width) for line in lines[self.top :]]
        return [title, *cut_or_pad_rows(shown, height - 1, state.width)][-height:]


def help_lines(keymap: KeyMap, place: Context, cells: int) -> list[str]:
    """Return the lines of the help: one for each key that has an effect in a place.

    Args:
        keymap: The keys.
        place: The place.
        cells: The width of the screen.
    """
    bound = keymap.bindings_by_context[place]
    named = ((bound.effective_key_names(row), row.help) for row in bound.all_bindings)
    rows = [(keys, words) for keys, words in named if keys]
    size = min(MAX_KEYS_CELLS, max(KEYS_CELLS, *(width(keys) for keys, _ in rows)))
    room = max(10, cells - size - 4)
    lines = []
    for keys, words in (*rows, *TERMINAL_KEY_HELP_ROWS):
        first, *rest = wrap(words, room)
        lines.append(f"{fit(keys, size)} {first}")
        lines += [f"{'':{size}} {line}" for line in rest]
    return lines
