"""The time that something has to be on the screen before Enter carries it out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState

#: Seconds that a plan, conflict or question has to be on the screen before Enter is taken.
LOOK = 0.3


def is_too_soon(state: AppState, shown_at: float, now: float) -> bool:
    """Return whether an Enter comes too soon to be an answer to what is on the screen.

    That is so while it is new, and after a key that had no meaning: then somebody types words.

    Args:
        state: The state.
        shown_at: The time at which it came on the screen; infinity if it has not.
        now: The time of the Enter, in seconds by Trio's clock.
    """
    return now < max(shown_at, state.swallow_until) + LOOK
