"""What was changed in the open ticket since the last sync, word by word. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, target, wrapped_words
from ticketr.app.tui.panels.frame import filled, spaced, title_rule
from ticketr.app.tui.sheet import Sheet
from ticketr.app.tui.styled import Line

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme


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
    sheet: Sheet
    top: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Scroll, edit the file, or close it."""
        if action is KeyAction.DIFF:
            return state.closed(), ()
        if action is KeyAction.EDIT:
            line = self.sheet.line or 1
            return state, (effects.OpenEditor(self.workspace, self.sheet.path, line),)
        last = max(0, self._height(state) - state.body)
        top = target(action, self.top, state.body, last)
        return None if top is None else (state.replaced(replace(self, top=top)), ())

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Show the ticket as it is after its file was read again; close it without changes."""
        match message:
            case messages.DetailRead(self.workspace, _, Sheet(key=self.sheet.key) as sheet):
                new = (replace(self, sheet=sheet),) if sheet.edits else ()
            case _:
                return None
        at = state.overlays.index(self)
        overlays = (*state.overlays[:at], *new, *state.overlays[at + 1 :])
        return replace(state, overlays=overlays), ()

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"Diff · {self.sheet.key} {self.sheet.title}", "since the last sync"

    def _height(self, state: AppState) -> int:
        return sum(
            1 + len(wrapped_words(edit.before, edit.after, state.width - 4, INDENT, INDENT))
            for edit in self.sheet.edits
        )

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        rows: list[Line | str] = []  # drawn where they are shown: there may be thousands
        headings: list[int] = []
        for edit in self.sheet.edits:
            headings.append(len(rows))
            rows.append(title_rule(edit.part, "", cells, theme, is_focused=True))
            rows += wrapped_words(edit.before, edit.after, cells - 4, INDENT, INDENT)
        rows, top = spaced(rows, headings, self.top, height, " " * cells)
        shown = [
            row if isinstance(row, str) else theme.row(row, cells)
            for row in rows[top : top + height]
        ]
        return filled(shown, height, cells)
