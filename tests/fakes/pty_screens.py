"""See a program's terminal as its user does: as rows, after whole frames."""

from __future__ import annotations

import re
import time

import pyte
from fakes.processes import LONG
from fakes.ptys import Pty

_FRAME_END = re.escape("\x1b[?2026l")


class PtyScreen:
    """The screen of a terminal.

    Args:
        pty: The terminal.
        width: Its width in cells.
        height: Its height in cells.
    """

    def __init__(self, pty: Pty, width: int, height: int) -> None:
        self.pty = pty
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._screen)
        self._fed = 0

    @property
    def rows(self) -> list[str]:
        """What is shown after all that was read."""
        self._stream.feed(self.pty.output[self._fed :])
        self._fed = len(self.pty.output)
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """The rows as one text."""
        return "\n".join(self.rows)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read frames until the screen matches a pattern."""
        deadline = time.monotonic() + LONG
        try:
            while (found := re.search(pattern, self.text)) is None:
                assert time.monotonic() < deadline
                self.pty.wait_for(_FRAME_END)
        except AssertionError:
            raise AssertionError(f"no {pattern!r} in:\n{self.text}") from None
        return found

    def resize(self, width: int, height: int, pattern: str) -> None:
        """Resize the terminal, and read frames until the new screen matches a pattern."""
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._screen)
        self._fed = len(self.pty.output)
        self.pty.resize(width, height)
        self.wait_for(pattern)

    def press(self, keys: str, pattern: str) -> re.Match[str]:
        """Type keys, and read frames until the screen matches a pattern."""
        self.pty.type(keys)
        return self.wait_for(pattern)
