"""A line to type in the action bar, as for a search. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay
from ticketr.app.tui.styled import Span, wrap_line
from ticketr.app.tui.text_input import TextInput
from ticketr.text import width

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme


#: What is between two hints.
GAP = "   "
#: The cells around the label, the text and the hints: blanks, the cursor, a gap.
MOST_AROUND = 6


@final
@dataclass(frozen=True, slots=True)
class LineInput(Overlay):
    """A line to type.

    Attributes:
        label: What is typed, such as ``"/"``.
        taken: Gives the step for the text that Enter takes; it gets the state without this
            overlay.
        changed: Gives the state after each change of the text; it gets the state with this
            overlay. None to do nothing then.
        left: Gives the state if Esc closes it, to take back what `changed` did.
        input: The text.
        listed: Gives the step for Tab; it gets the state without this overlay. None if Tab does
            nothing.
        examples: What can be typed, shown while nothing is.
        problem: Why the text was not taken, cleaned; it is shown until the text is changed.
    """

    context: ClassVar[Context] = Context.INPUT
    is_full: ClassVar[bool] = False

    label: str
    taken: Callable[[AppState, str], Step]
    changed: Callable[[AppState, str], AppState] | None = None
    left: Callable[[AppState], AppState] | None = None
    input: TextInput = field(default_factory=TextInput)
    listed: Callable[[AppState], Step] | None = None
    examples: str = ""
    problem: str = ""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the line, take it, or close it."""
        if action is KeyAction.ACCEPT:
            return self.taken(state.closed(), self.input.text)
        if action is KeyAction.ESCAPE:
            closed = state.closed()
            return (closed if self.left is None else self.left(closed)), ()
        if action is KeyAction.NEXT_PANEL and self.listed is not None:
            return self.listed(state.closed())
        edited = self.input.edited(action)
        return None if edited is None else (self._with_text(state, edited), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return self._with_text(state, self.input.typed(text)), ()

    def _with_text(self, state: AppState, edited: TextInput) -> AppState:
        state = state.replaced(replace(self, input=edited, problem=""))
        return state if self.changed is None else self.changed(state, edited.text)

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body; the lowest ones tell the problem, if there is one."""
        if not self.problem:
            return below
        line = (Span(theme.text(self.problem), ("bold", "red")),)
        rows = wrap_line(line, state.width, first=" ", rest=" ")[: len(below)]
        return [
            *below[: len(below) - len(rows)],
            *(theme.row(row, state.width) for row in rows),
        ]

    def line(self, state: AppState, theme: Theme) -> str:
        """Return the text of the action bar."""
        room = max(4, state.width - len(self.label) - 3)
        return f" {self.label} {self.input.shown(room)}"

    def aside(self, state: AppState) -> str:
        """Return examples and keys, as many as there is room for."""
        keys = [(KeyAction.ACCEPT, "takes it"), (KeyAction.ESCAPE, "leaves")]
        if self.listed is not None:
            keys.insert(0, (KeyAction.NEXT_PANEL, "lists"))
        parts = [state.keymap.hint(action, self.context, does) for action, does in keys]
        if self.examples and not self.input.text:
            parts.insert(0, self.examples)
        room = state.width - width(self.label) - width(self.input.text) - MOST_AROUND
        while parts and width(GAP.join(parts)) > room:
            parts.pop()
        return GAP.join(parts)
