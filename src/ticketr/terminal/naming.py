"""What blessed knows about terminals: the names of keys, and how to enter and leave a screen.

Only this module imports blessed, and only when a screen is opened: that takes a while. Its
terminal never touches the real one: given a terminal, it would ask it questions and wait for
answers, 5 seconds for each that does not come.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ticketr.terminal.events import Key

if TYPE_CHECKING:
    from collections.abc import Generator

#: Variables with which blessed would leave out every sequence, not only colours, or the opposite.
_COLOR_VARIABLES: Final = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")
#: A late answer about the cursor's position, which reads as an F3 that no terminal sends.
_POSITION: Final = re.compile("\x1b\\[[0-9]*;1R")
#: Alternate screen, for kinds of terminal whose description does not have it; unknown is ignored.
_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[?1049l"
#: Auto-wrap off, pasted text in brackets; and back, after ending an update that was begun.
_MODES_ON, _MODES_OFF = "\x1b[?7l\x1b[?2004h", "\x1b[?2026l\x1b[?2004l\x1b[?7h"


class TerminalKind:
    """The kind of terminal that TERM names.

    Attributes:
        enter: what turns the terminal into our empty full screen.
        leave: what gives it back as it was.
        colors: how many colours it has.
    """

    def __init__(self, kind: str) -> None:
        import blessed  # noqa: PLC0415 - late, since it is slow to load

        with _without(*_COLOR_VARIABLES):
            terminal = blessed.Terminal(kind=kind, stream=io.StringIO(), force_styling=True)
            self.colors: int = terminal.number_of_colors
            full = str(terminal.enter_fullscreen) or _ENTER
            hidden = str(terminal.hide_cursor) or "\x1b[?25l"
            self.enter = f"{full}{hidden}{_MODES_ON}\x1b[m\x1b[2J\x1b[H"
            shown = str(terminal.normal_cursor) or "\x1b[?25h"
            # Cleared before it is left, for a terminal that has no second screen.
            back = str(terminal.exit_fullscreen) or _LEAVE
            self.leave = f"{_MODES_OFF}\x1b[m\x1b[2J\x1b[H{shown}{back}"
        self._terminal = terminal
        self._cached_name = lru_cache(maxsize=512)(self._name)

    def key(self, token: str) -> Key | None:
        """Name the key that a token stands for; None for what is no key, or none that we know."""
        if len(token) == 1 and token.isprintable():
            return None if token == "\ufffd" else Key(token, token)  # noqa: S105 - no password
        name = self._cached_name(token)
        return None if name is None else Key(name)

    def _name(self, token: str) -> str | None:
        if _POSITION.fullmatch(token):
            return None
        self._terminal.ungetch(token)
        keystroke = self._terminal.inkey(timeout=0, esc_delay=0)
        if self._terminal.flushinp():  # it knew a part only: not a key, and no part of it is one
            return None
        name: str | None = keystroke.name
        return name if name is not None and name.startswith("KEY_") else None


@contextmanager
def _without(*names: str) -> Generator[None]:
    """Take variables out of the environment for a moment without awaits."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
