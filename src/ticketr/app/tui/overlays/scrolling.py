"""Scrolling through lines by keys. Pure."""

from __future__ import annotations

from ticketr.app.tui.keymap import KeyAction


def target(action: KeyAction, at: int, page: int, last: int) -> int | None:
    """Return the index that a key for moving leads to; None for any other action.

    Args:
        action: The action of the key.
        at: The index now.
        page: The number of lines on the screen.
        last: The greatest index.
    """
    to = {
        KeyAction.UP: at - 1,
        KeyAction.DOWN: at + 1,
        KeyAction.PAGE_UP: at - page,
        KeyAction.PAGE_DOWN: at + page,
        KeyAction.HALF_UP: at - page // 2,
        KeyAction.HALF_DOWN: at + page // 2,
        KeyAction.TOP: 0,
        KeyAction.BOTTOM: last,
    }.get(action)
    return None if to is None else max(0, min(last, to))
