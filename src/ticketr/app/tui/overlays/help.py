"""The help: the keys that have an effect where it was opened. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import TERMINAL_KEYS, Context, KeyAction, KeyMap
from ticketr.app.tui.overlays.base import Overlay, target
from ticketr.app.tui.panels.frame import filled, title_rule
from ticketr.text import fit, width, wrap

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme

#: From this width on, a long help has two columns.
TWO_COLUMNS = 96
#: The least and the most cells for the names of keys.
KEYS_CELLS, MOST_KEYS_CELLS = 11, 24


@final
@dataclass(frozen=True, slots=True)
class Help(Overlay):
    """The help.

    Attributes:
        place: The place whose keys it lists.
        top: The index of the first line that is shown.
    """

    context: ClassVar[Context] = Context.HELP

    place: Context
    top: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Scroll, or close it."""
        if action is KeyAction.HELP:
            return state.closed(), ()
        page = state.body - 1
        last = max(0, len(_rows(state, self.place)) - page)
        top = target(action, self.top, page, last)
        return None if top is None else (state.replaced(replace(self, top=top)), ())

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        lines = _rows(state, self.place)
        facts = f"{min(self.top + 1, len(lines))}/{len(lines)}" if len(lines) >= state.body else ""
        title = title_rule(
            f"Keys of {self.place.value}", facts, state.width, theme, is_focused=True
        )
        shown = [theme.fit(f" {line}", state.width) for line in lines[self.top :]]
        return [title, *filled(shown, state.body - 1, state.width)][-state.body :]


def _rows(state: AppState, place: Context) -> list[str]:
    """Return the rows of the help, in two columns if it is long and the screen is wide."""
    lines = help_lines(state.keymap, place, state.width)
    if len(lines) < state.body or state.width < TWO_COLUMNS:
        return lines
    cells = (state.width - 4) // 2
    lines = help_lines(state.keymap, place, cells)
    half = (len(lines) + 1) // 2
    return [
        f"{fit(left, cells)}  {right}"
        for left, right in zip_longest(lines[:half], lines[half:], fillvalue="")
    ]


def help_lines(keymap: KeyMap, place: Context, cells: int) -> list[str]:
    """Return the lines of the help: one for each key that has an effect in a place.

    Args:
        keymap: The keys.
        place: The place.
        cells: The width of the screen.
    """
    named = ((keymap.shown_in(row, place), row.help) for row in keymap.in_context(place))
    rows = [(keys, words) for keys, words in named if keys]
    size = min(MOST_KEYS_CELLS, max(KEYS_CELLS, *(width(keys) for keys, _ in rows)))
    room = max(10, cells - size - 4)
    lines = []
    for keys, words in (*rows, *TERMINAL_KEYS):
        first, *rest = wrap(words, room)
        lines.append(f"{fit(keys, size)} {first}")
        lines += [f"{'':{size}} {line}" for line in rest]
    return lines
