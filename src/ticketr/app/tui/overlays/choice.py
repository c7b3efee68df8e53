"""A short list to choose from, in a box over the main screen. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay, boxed, target
from ticketr.text import fit, width

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme


#: The least cells of a list, where the screen has them.
LEAST = 34


@dataclass(frozen=True, slots=True)
class Option:
    """One of the things to choose from.

    Attributes:
        words: What it is.
        facts: What is at the right.
        refused: Why it cannot be chosen now; empty if it can.
    """

    words: str
    facts: str = ""
    refused: str = ""


@final
@dataclass(frozen=True, slots=True)
class Choice(Overlay):
    """A short list to choose from; Esc closes it.

    Attributes:
        title: What is chosen.
        options: The things to choose from.
        chosen: Gives the step for the index of the option that Enter takes; it gets the state
            without this overlay.
        at: The index of the selected option.
    """

    context: ClassVar[Context] = Context.CHOICE
    is_full: ClassVar[bool] = False

    title: str
    options: tuple[Option, ...]
    chosen: Callable[[AppState, int], Step]
    at: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, or take the selected one."""
        if action is KeyAction.ACCEPT and self.options:
            option = self.options[self.at]
            if option.refused:
                return state.noticed(option.refused), ()
            return self.chosen(state.closed(), self.at)
        at = target(action, self.at, state.body, max(0, len(self.options) - 1))
        return None if at is None else (state.replaced(replace(self, at=at)), ())

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        longest = max(
            (width(f"{option.words} {option.refused or option.facts}") for option in self.options),
            default=0,
        )
        cells = min(64, max(16, state.width - 8), max(LEAST, longest + 4, width(self.title) + 6))
        lines = []
        for at, option in enumerate(self.options):
            facts = option.refused or option.facts
            room = cells - width(facts) - 3
            text = f"{'▌' if at == self.at else ' '}{fit(option.words, max(1, room))} {facts} "
            lines.append((text, at == self.at))
        return boxed(below, self.title, lines, self.at, cells, state.width, theme)
