"""Names of keys, and sequences that enter and leave the full screen, from blessed.

This module imports blessed late, since that is slow. blessed never gets the real terminal: it
would send queries and wait up to 5 seconds for each answer.

A style has no other colours than the 16 of the palette, since users choose one that is legible on
their background.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from ticketr.terminal.tokens import FOCUS_OFF, MOUSE_OFF, Key

#: Variables that make blessed omit or force every sequence, not only colours.
_COLOR_OVERRIDE_VARIABLES: Final = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")
#: A late report of the cursor's position, which blessed takes for F3.
_F3_LIKE_CURSOR_REPORT: Final = re.compile("\x1b\\[[0-9]*;1R")
#: Alternate screen on and off, for terminals whose description lacks them; others ignore them.
_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[?1049l"
#: Auto-wrap off and bracketed paste on; and the reverse, after ending a synchronized update.
_MODES_ON, _MODES_OFF = "\x1b[?7l\x1b[?2004h", "\x1b[?2026l\x1b[?2004l\x1b[?7h"


class TerminalKind:
    """The kind of terminal that TERM names.

    Attributes:
        enter: The sequence that enters an empty full screen.
        leave: The sequence that restores the terminal.
        colors: The number of colours.
    """

    def __init__(self, kind: str) -> None:
        import blessed  # noqa: PLC0415 - late, since it is slow to load

        with _without_variables(*_COLOR_OVERRIDE_VARIABLES):
            terminal = blessed.Terminal(kind=kind, stream=io.StringIO(), force_styling=True)
            self.colors: int = terminal.number_of_colors
            full = str(terminal.enter_fullscreen) or _ENTER
            hidden = str(terminal.hide_cursor) or "\x1b[?25l"
            self.enter = f"{full}{hidden}{_MODES_ON}\x1b[m\x1b[2J\x1b[H"
            shown = str(terminal.normal_cursor) or "\x1b[?25h"
            # Cleared before it is left, for a terminal without an alternate screen.
            back = str(terminal.exit_fullscreen) or _LEAVE
            # Reports of the focus and the mouse end, whether or not they were on.
            self.leave = f"{FOCUS_OFF}{MOUSE_OFF}{_MODES_OFF}\x1b[m\x1b[2J\x1b[H{shown}{back}"
        self._terminal = terminal
        self._cached_name = lru_cache(maxsize=512)(self._name_key)

    def key(self, token: str) -> Key | None:
        """Return the key of a token; None for an unknown key or another sequence."""
        if len(token) == 1 and token.isprintable():
            return None if token == "\ufffd" else Key(token, token)  # noqa: S105 - no password
        name = self._cached_name(token)
        return None if name is None else Key(name)

    def _name_key(self, token: str) -> str | None:
        if _F3_LIKE_CURSOR_REPORT.fullmatch(token):
            return None
        self._terminal.ungetch(token)
        keystroke = self._terminal.inkey(timeout=0, esc_delay=0)
        if self._terminal.flushinp():  # only a part of the token matched a key
            return None
        name: str | None = keystroke.name
        return name if name is not None and name.startswith("KEY_") else None


@contextmanager
def _without_variables(*names: str) -> Generator[None]:
    """Remove variables from the environment for the block, which must not await."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


#: The styles by their SGR codes.
SGR_CODE_BY_STYLE: Final = {
    "bold": 1,
    "dim": 2,
    "italic": 3,
    "underline": 4,
    "reverse": 7,
    "strike": 9,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "bright_black": 90,
}
#: The styles that need no colours; many terminals show `dim` as a colour.
_COLORLESS_STYLES: Final = frozenset(("bold", "italic", "underline", "reverse", "strike"))


def sgr(text: str, *names: str, colors: bool = True) -> str:
    """Return a text with styles.

    Args:
        text: Clean text without styles.
        names: The styles, such as ``"bold", "cyan"``; see `SGR_CODE_BY_STYLE`.
        colors: Whether to use colours; without them, only attributes other than dim are applied.
    """
    codes = _sgr_parameters(names, colors)
    return f"\x1b[{codes}m{text}\x1b[m" if codes and text else text


@lru_cache
def _sgr_parameters(names: tuple[str, ...], colors: bool) -> str:  # noqa: FBT001 - for the cache
    return ";".join(
        str(SGR_CODE_BY_STYLE[name]) for name in names if colors or name in _COLORLESS_STYLES
    )
