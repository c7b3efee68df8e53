"""Where a status line goes: the terminal's last row in use, below all that is printed.

Nothing of the terminal is changed that would have to be put right again: the cursor stays
visible and rests at the beginning of the line, and no part of the screen is set apart. So even a
kill leaves a terminal that works; and a resize, which may break the row into several, is answered
by erasing from there on down.
"""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Protocol, final

import trio

from ticketr.statusline.guard import ERASE, StreamGuard

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

#: How many seconds a slow terminal may take for the last words.
PATIENCE = 0.2


class LineOutput(Protocol):
    """What a status line needs of the place it is drawn in."""

    def open(self, wake: Callable[[], object]) -> None:
        """Begin; ``wake`` is called, from any thread, when the line must be drawn anew."""
        ...

    def columns(self) -> int:
        """Give the width, in cells, as it is now."""
        ...

    def draw(self, line: str, *, is_full: bool) -> bool:
        """Show this in the place of what is shown; False if that is not possible now.

        Args:
            line: Text and styles, or nothing.
            is_full: Whether it reaches to the last column.
        """
        ...

    async def wait_for_room(self) -> None:
        """Wait until it may be possible."""
        ...

    def close(self, line: str) -> None:
        """Leave this as an ordinary line, or nothing, and end."""
        ...


@final
class TerminalOutput:
    """The terminal that a stream leads to.

    It is written to through a descriptor of our own that does not block, so that a terminal which
    nobody reads holds up no job. The stream's own descriptor cannot be made so, since other
    programs share it.

    Args:
        stream: A text stream on the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "ascii"
        self._fd = -1
        self._may_block = False
        self._columns = 0  # of the frame that is shown
        self._asked = 0  # what the terminal said last
        self._guard: StreamGuard | None = None

    def open(self, wake: Callable[[], object]) -> None:
        """Begin; ``wake`` is called, from any thread, when the line must be drawn anew."""
        self._fd, self._may_block = _open_again(self._stream.fileno())
        self._columns = self.columns()
        self._guard = StreamGuard(self._fd, lambda: self.columns() == self._columns, wake)
        self._guard.install()

    def columns(self) -> int:
        """Give the width, in cells, as it is now; 80 if the terminal does not know."""
        try:
            self._asked = os.get_terminal_size(self._fd).columns or 80
        except OSError:
            self._asked = 80
        return self._asked

    def draw(self, line: str, *, is_full: bool) -> bool:
        """Show this in the place of what is shown; False if that is not possible now.

        A frame that went out in part is not completed: each begins with what ends a sequence that
        was cut, and takes the cursor back.
        """
        guard = self._guard
        if guard is None or not guard.lock.acquire(blocking=False):
            return False  # a thread is printing
        try:
            guard.frame = _frame(line, is_full=is_full)
            if not guard.is_free:
                return True  # what completes the row draws it
            is_new_width = self._asked != self._columns
            erase = ERASE if guard.is_shown and (not line or is_new_width) else ""
            self._columns = self._asked
            guard.is_shown = guard.is_shown or bool(line)
            done = self._write(erase + guard.frame)
            guard.is_shown = guard.is_shown and not (done and not line)
            return done
        finally:
            guard.lock.release()

    def _write(self, text: str) -> bool:
        data = text.encode(self._encoding, "replace")
        if not data:
            return True
        if self._may_block and not _has_room(self._fd, 0):
            return False
        try:
            return os.write(self._fd, data) == len(data)
        except BlockingIOError:
            return False

    async def wait_for_room(self) -> None:
        """Wait until it may be possible."""
        await trio.lowlevel.wait_writable(self._fd)

    def close(self, line: str) -> None:
        """Leave this as an ordinary line, or nothing, and end."""
        guard = self._guard
        if guard is None:
            return
        text = ERASE if guard.is_shown else ""
        if line and guard.is_free:
            text += f"{line}\r\n"
        guard.frame, guard.is_shown = "", False
        try:
            is_said = self._say_last(text)
            guard.remove("" if is_said else text)
        except OSError:  # it hung up
            guard.remove()
        finally:
            os.close(self._fd)
            self._guard = None

    def _say_last(self, text: str) -> bool:
        """Write it, patiently; False if the terminal does not take it."""
        deadline = time.monotonic() + PATIENCE
        while not (is_said := self._write(text)) and (left := deadline - time.monotonic()) > 0:
            _has_room(self._fd, left)
        return is_said


def _frame(line: str, *, is_full: bool) -> str:
    """Write the line over the row, and rest at its beginning.

    At the last column some terminals would erase the last character rather than nothing.
    """
    if not line:
        return ""
    rest = "" if is_full else "\x1b[K"
    return f"\x1b[m\r{line}{rest}\r"


def _open_again(fd: int) -> tuple[int, bool]:
    """Open the terminal of this descriptor once more, for writing that does not block.

    Returns:
        The new descriptor, and whether writing to it may block after all.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(os.ttyname(fd), flags), False
    except OSError:  # it belongs to another user, as after `su`: looking for room must do
        return os.dup(fd), True


def _has_room(fd: int, seconds: float) -> bool:
    """Tell whether the terminal takes something, after waiting so long at most."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
