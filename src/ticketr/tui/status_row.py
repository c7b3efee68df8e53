"""The last row of the screen: the job that is shown, and how many others there are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.statusline.words import duration
from ticketr.text import width
from ticketr.tui.ends import end_of, seconds_of
from ticketr.tui.keymap import Context, KeyAction
from ticketr.tui.styled import Span
from ticketr.tui.theme import mark

if TYPE_CHECKING:
    from ticketr.tui.state import AppState
    from ticketr.tui.theme import Theme


def status_row(state: AppState, now: float, theme: Theme) -> str:
    """Return the last row of the screen.

    Args:
        state: The state to show.
        now: The time, in seconds by Trio's clock.
        theme: Colours and characters.
    """
    if state.status.running or state.status.last is None:
        others = len(state.jobs.live) - 1
        key = state.keymap.key(KeyAction.JOBS, Context.MAIN)
        more = f" +{others} {key}".rstrip() if others > 0 else ""
        line = state.status.line(state.width - width(more), now, theme.line_style)
        return f"{line}{more}"
    last = state.status.last
    end = end_of(last, state.keymap)
    words = f" {end.words} | {duration(seconds_of(last))}"
    return theme.row((mark(end.mark), Span(words)), state.width)
