"""Draw a status line in the terminal's last used row, below all other output.

No mode of the terminal is changed: the cursor stays visible at the beginning of the line, and
there is no scroll region. So the terminal works even after a kill. After a resize, which may wrap
the row, everything from there down is erased.

``print``, ``logging`` and warnings write to text streams. The guard wraps the ``write`` method of
each stream on the terminal: it erases the line before the text, and draws it again once all
streams are at the beginning of a row. The stream objects stay, so references to them still work.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO, final

import trio

from ticketr.tty import reopen_nonblocking_or_dup

#: End a sequence that was cut, go to the beginning of the row, and erase it and all below.
#: Without a carriage return, since that makes a stream flush its buffer.
ERASE_ROW_AND_BELOW = "\x1b[m\x1b[G\x1b[J"


@final
class StreamGuard:
    """Tracks whether the line is shown and whether the cursor is at the beginning of a row.

    Threads may print while the line is drawn. All uses of the attributes need the lock; drawing
    does not wait for it.

    Args:
        fd: A descriptor of the terminal.
        is_current: Returns whether the frame still has the terminal's width.
        wake: Called from any thread if it does not, so that a new frame is drawn.

    Attributes:
        lock: A reentrant lock, since a signal handler may print while the line is drawn.
        frame: The output that draws the line; empty for none.
        is_shown: Whether the line is on the screen.
        final_text: The end of the line, if the terminal did not accept it. The next write to a
            stream prints it first and restores the streams.
    """

    def __init__(self, fd: int, is_current: Callable[[], bool], wake: Callable[[], object]) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.frame = ""
        self.is_shown: bool = False
        self.final_text: str = ""
        self._device = os.fstat(fd).st_rdev
        self._is_current = is_current
        self._wake = wake
        self._guarded: list[TextIO] = []
        self._in_mid_row: set[int] = set()

    @property
    def is_at_row_start(self) -> bool:
        """Whether the cursor is at the beginning of a row, judging by the streams' output."""
        return not self._in_mid_row

    def wrap_stream_writes(self) -> None:
        """Wrap the ``write`` methods of the standard streams that write to the terminal."""
        for stream in dict.fromkeys((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
            if stream is not None and self._is_on_terminal(stream):
                self._wrap_write(stream)

    def restore_streams(self) -> None:
        """Restore the streams."""
        for stream in self._guarded:
            with contextlib.suppress(AttributeError):
                del stream.write  # restores the method of the class
        self._guarded.clear()

    def _is_on_terminal(self, stream: TextIO) -> bool:
        try:
            fd = stream.fileno()
            return os.isatty(fd) and os.fstat(fd).st_rdev == self._device
        except (OSError, ValueError, AttributeError):
            return False

    def _wrap_write(self, stream: TextIO) -> None:
        write = stream.write

        def guarded(text: str) -> int:
            with self.lock:
                return self._write(id(stream), write, text)

        watched: Any = stream
        with contextlib.suppress(AttributeError):  # a stream without writable attributes
            watched.write = guarded
            self._guarded.append(stream)

    def _write(self, stream_id: int, write: Callable[[str], int], text: str) -> int:
        if not text:
            return write(text)
        if self.final_text:
            before, self.final_text = self.final_text, ""
            self.restore_streams()
            write(f"{before}{text}")
            return len(text)
        before = ERASE_ROW_AND_BELOW if self.is_shown else ""
        if text.endswith("\n"):
            self._in_mid_row.discard(stream_id)
        else:
            self._in_mid_row.add(stream_id)
        after = self.frame if self.is_at_row_start else ""
        if after and not self._is_current():
            after = ""
            self._wake()
        self.is_shown = bool(after)
        try:
            write(f"{before}{text}{after}")
        except UnicodeEncodeError:  # the line may be for a stream with another encoding
            self.is_shown = False
            write(f"{before}{text}")
        return len(text)


#: Seconds to wait for a slow terminal to accept the final line.
FINAL_WRITE_TIMEOUT_SECONDS = 0.2


class LineOutput(Protocol):
    """The place in which a status line is drawn."""

    def open(self, redraw: Callable[[], object]) -> None:
        """Begin; ``redraw`` is called from any thread if the line must be drawn again."""
        ...

    def columns(self) -> int:
        """Return the current width in cells."""
        ...

    def try_draw(self, line: str, *, fills_width: bool) -> bool:
        """Replace the line on the screen; return False if that is not possible now.

        Args:
            line: Text and styles; empty for no line.
            fills_width: Whether the line reaches the last column.
        """
        ...

    async def wait_writable(self) -> None:
        """Wait until drawing may be possible."""
        ...

    def close(self, line: str) -> None:
        """Print the final line, or erase it if empty, and end."""
        ...


@final
class TerminalOutput:
    """The terminal of a stream.

    It has its own non-blocking descriptor, so that a stalled terminal does not block the jobs. The
    stream's descriptor cannot be made non-blocking, since other programs share it.

    Args:
        stream: A text stream on the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "ascii"
        self._fd = -1
        self._never_blocks = True
        self._frame_width = 0  # of the frame on the screen
        self._width = 0  # of the terminal at the last query
        self._guard: StreamGuard | None = None

    def open(self, redraw: Callable[[], object]) -> None:
        """Begin; ``redraw`` is called from any thread if the line must be drawn again."""
        self._fd, self._never_blocks = reopen_nonblocking_or_dup(self._stream.fileno(), os.O_WRONLY)
        self._frame_width = self.columns()
        self._guard = StreamGuard(self._fd, lambda: self.columns() == self._frame_width, redraw)
        self._guard.wrap_stream_writes()

    def columns(self) -> int:
        """Return the current width in cells; 80 if the terminal does not report it."""
        try:
            self._width = os.get_terminal_size(self._fd).columns or 80
        except OSError:
            self._width = 80
        return self._width

    def try_draw(self, line: str, *, fills_width: bool) -> bool:
        """Replace the line on the screen; return False if that is not possible now.

        A frame that was written in part is not completed: the next one first ends the cut sequence
        and moves the cursor back.
        """
        guard = self._guard
        if guard is None or not guard.lock.acquire(blocking=False):
            return False  # a thread is printing
        try:
            guard.frame = _frame(line, fills_width=fills_width)
            if not guard.is_at_row_start:
                return True  # the write that completes the row draws the frame
            is_new_width = self._width != self._frame_width
            erase = ERASE_ROW_AND_BELOW if guard.is_shown and (not line or is_new_width) else ""
            self._frame_width = self._width
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
        if not self._never_blocks and not _is_writable(self._fd, 0):
            return False
        try:
            return os.write(self._fd, data) == len(data)
        except BlockingIOError:
            return False

    async def wait_writable(self) -> None:
        """Wait until the terminal accepts output."""
        await trio.lowlevel.wait_writable(self._fd)

    def close(self, line: str) -> None:
        """Print the final line, or erase it if empty, and end."""
        guard = self._guard
        if guard is None:
            return
        text = ERASE_ROW_AND_BELOW if guard.is_shown else ""
        if line and guard.is_at_row_start:
            text += f"{line}\r\n"
        guard.frame, guard.is_shown = "", False
        try:
            if self._write_final(text):
                guard.restore_streams()
            else:
                guard.final_text = text
        except OSError:  # the terminal hung up
            guard.restore_streams()
        finally:
            os.close(self._fd)
            self._guard = None

    def _write_final(self, text: str) -> bool:
        """Write text to a slow terminal; return whether it accepted all of it in time."""
        deadline = time.monotonic() + FINAL_WRITE_TIMEOUT_SECONDS
        while not (is_written := self._write(text)) and (left := deadline - time.monotonic()) > 0:
            _is_writable(self._fd, left)
        return is_written


def _frame(line: str, *, fills_width: bool) -> str:
    """Return the output that draws the line and moves the cursor to its beginning.

    A full line is not followed by an erasure, which in some terminals erases the last character.
    """
    if not line:
        return ""
    rest = "" if fills_width else "\x1b[K"
    return f"\x1b[m\r{line}{rest}\r"


def _is_writable(fd: int, seconds: float) -> bool:
    """Return whether the terminal accepts output within so many seconds; blocks the thread."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
