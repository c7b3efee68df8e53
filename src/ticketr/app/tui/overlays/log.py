"""The log of the app: everything that the action bar has shown, and how jobs have ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay, target
from ticketr.app.tui.panels.frame import filled, title_rule
from ticketr.app.tui.state import LOG_ENTRIES, AppState
from ticketr.app.tui.theme import Theme
from ticketr.text import wrap

if TYPE_CHECKING:
    from ticketr.app.tui.step import Step


@final
@dataclass(frozen=True, slots=True)
class Log(Overlay):
    """The log.

    Attributes:
        back: By how many lines it is scrolled back from the end.
    """

    context: ClassVar[Context] = Context.LOG

    back: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Scroll, or close it."""
        if action is KeyAction.LOG:
            return state.closed(), ()
        page = state.body - 1
        last = max(0, len(_lines(state)) - page)
        top = target(action, last - min(self.back, last), page, last)
        return None if top is None else (state.replaced(replace(self, back=last - top)), ())

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        lines = _lines(state) or ["Nothing has happened yet"]
        page = state.body - 1
        top = max(0, len(lines) - page - self.back)
        shown = [theme.fit(f" {line}", state.width) for line in lines[top : top + page]]
        facts = f"{top + len(shown)}/{len(lines)}"
        title = title_rule("Log", facts, state.width, theme, is_focused=True)
        return [title, *filled(shown, page, state.width)][-state.body :]


def _lines(state: AppState) -> list[str]:
    room = max(10, state.width - 2)
    return [line for entry in state.log for line in _wrapped(entry, room)]


@lru_cache(maxsize=LOG_ENTRIES)
def _wrapped(entry: str, room: int) -> tuple[str, ...]:
    return wrap(entry, room)
