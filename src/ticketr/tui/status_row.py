"""The last row of the screen: the job that is shown, and how many others there are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    waiting = len(state.jobs.live) - 1
    more = f" +{waiting} J" if waiting > 0 else ""
    line = state.status.line(state.width - len(more), now, theme.line_style)
    return theme.status(f"{line}{more}")
