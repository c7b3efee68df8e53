"""Reads what a terminal reports beside keys: the mouse and the focus. Pure."""

from __future__ import annotations

import re
from typing import Final

from ticketr.terminal.events import Focused, Mouse, MouseAction

#: Focus reports on and off.
FOCUS_ON, FOCUS_OFF = "\x1b[?1004h", "\x1b[?1004l"
#: Clicks and the wheel as SGR reports, on and off.
MOUSE_ON, MOUSE_OFF = "\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l"

_FOCUS_IN: Final = "\x1b[I"
_FOCUS_OUT: Final = "\x1b[O"
_MOUSE: Final = re.compile(r"\x1b\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])")
#: Buttons without the bits for Shift, Alt and Ctrl.
_ACTIONS: Final = {
    0: MouseAction.CLICK,
    64: MouseAction.WHEEL_UP,
    65: MouseAction.WHEEL_DOWN,
}
_MODIFIERS: Final = 4 | 8 | 16


def is_report(token: str) -> bool:
    """Return whether a token is a report and no key."""
    return token in (_FOCUS_IN, _FOCUS_OUT) or _MOUSE.fullmatch(token) is not None


def read_report(token: str) -> Mouse | Focused | None:
    """Return the event of a report; None for one that means nothing, such as a lost focus.

    Args:
        token: A whole token.
    """
    if token == _FOCUS_IN:
        return Focused()
    match = _MOUSE.fullmatch(token)
    if match is None or match[4] == "m":  # a release follows every click
        return None
    action = _ACTIONS.get(int(match[1]) & ~_MODIFIERS)
    if action is None:
        return None
    return Mouse(action, int(match[2]) - 1, int(match[3]) - 1)
