"""Keep a status line apart from the program's other output.

``print``, ``logging`` and warnings write to text streams. The guard wraps the ``write`` method of
each stream on the terminal: it erases the line before the text, and draws it again once all
streams are at the beginning of a row. The stream objects stay, so references to them still work.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO, final

#: End a sequence that was cut, go to the beginning of the row, and erase it and all below.
#: Without a carriage return, since that makes a stream flush its buffer.
ERASE = "\x1b[m\x1b[G\x1b[J"


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
    """

    def __init__(self, fd: int, is_current: Callable[[], bool], wake: Callable[[], object]) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.frame = ""
        self.is_shown: bool = False
        self._device = os.fstat(fd).st_rdev
        self._is_current = is_current
        self._wake = wake
        self._guarded: list[TextIO] = []
        self._final_text = ""
        self._in_mid_row: set[int] = set()

    @property
    def is_free(self) -> bool:
        """Whether the cursor is at the beginning of a row, judging by the streams' output."""
        return not self._in_mid_row

    def install(self) -> None:
        """Wrap the ``write`` methods of the standard streams that write to the terminal."""
        for stream in dict.fromkeys((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
            if stream is not None and self._is_on_terminal(stream):
                self._watch(stream)

    def remove(self, final_text: str = "") -> None:
        """Restore the streams.

        Args:
            final_text: Text that could not be written. If given, the next write to a stream
                prints it first and restores the streams.
        """
        self._final_text = final_text
        if not final_text:
            self._restore()

    def _restore(self) -> None:
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

    def _watch(self, stream: TextIO) -> None:
        write = stream.write

        def guarded(text: str) -> int:
            with self.lock:
                return self._write(id(stream), write, text)

        watched: Any = stream
        with contextlib.suppress(AttributeError):  # a stream without writable attributes
            watched.write = guarded
            self._guarded.append(stream)

    def _write(self, stream: int, write: Callable[[str], int], text: str) -> int:
        if not text:
            return write(text)
        if self._final_text:
            before, self._final_text = self._final_text, ""
            self._restore()
            write(f"{before}{text}")
            return len(text)
        before = ERASE if self.is_shown else ""
        if text.endswith("\n"):
            self._in_mid_row.discard(stream)
        else:
            self._in_mid_row.add(stream)
        after = self.frame if self.is_free else ""
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
