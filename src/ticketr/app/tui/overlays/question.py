"""A question that Enter answers with yes, and Esc with no. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay, boxed, is_too_soon
from ticketr.text import wrap

if TYPE_CHECKING:
    from ticketr.app.tui.effects import Effect
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme


@final
@dataclass(frozen=True, slots=True)
class Question(Overlay):
    """A question that Enter answers with yes, and Esc with no.

    Attributes:
        title: What it is about.
        words: The question, cleaned.
        effects: What a yes does.
        shown_at: The time at which it came.
    """

    context: ClassVar[Context] = Context.QUESTION
    is_full: ClassVar[bool] = False

    title: str
    words: str
    effects: tuple[Effect, ...]
    shown_at: float

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Answer it with yes."""
        if action is not KeyAction.ACCEPT:
            return None
        if is_too_soon(state, self.shown_at, now):
            return state.noticed("Read the question first"), ()
        return state.closed(), self.effects

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(70, max(16, state.width - 8))
        lines = [(f" {line}", False) for line in wrap(self.words, cells - 2)]
        return boxed(below, self.title, lines, 0, cells, state.width, theme)
