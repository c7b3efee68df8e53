"""Keeps a status line out of what the program prints.

``print``, ``logging`` and warnings write to a text stream. Streams on the same terminal take the
line away before they write, and put it back as soon as all of them stand at the beginning of a
row, in the same write where that can be. The streams themselves stay as they are, so whoever holds
on to one is heard too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

#: Ends whatever sequence was cut, goes to the beginning of the row, and erases it and all below.
#: No carriage return, since that makes a stream pass on what it has at once.
ERASE = "\x1b[m\x1b[G\x1b[J"


@final
class StreamGuard:
    """Knows whether the line is shown and whether the cursor is free for it.

    Threads may print while the line is drawn; whoever uses what is here holds the lock. Drawing
    never waits for it.

    Args:
        fd: A descriptor of the terminal.
        is_current: Tells whether the frame still has the terminal's width.
        wake: Called, from any thread, when it has not, so that a new one is drawn.

    Attributes:
        lock: Reentrant, since a signal handler may print while the line is drawn.
        frame: What draws the line; empty for none.
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
        self._last_words = ""
        self._in_mid_row: set[int] = set()

    @property
    def is_free(self) -> bool:
        """Whether the cursor is at the beginning of a row, as far as the streams know."""
        return not self._in_mid_row

    def install(self) -> None:
        """Begin to watch the program's streams."""
        for stream in dict.fromkeys((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
            if stream is not None and self._is_ours(stream):
                self._watch(stream)

    def remove(self, last_words: str = "") -> None:
        """Leave the streams as they were.

        Args:
            last_words: What could not be written and goes before the next thing that is printed;
                that stream is left as it was then.
        """
        self._last_words = last_words
        if not last_words:
            self._uncover()

    def _uncover(self) -> None:
        for stream in self._guarded:
            with contextlib.suppress(AttributeError):
                del stream.write  # uncovers the method
        self._guarded.clear()

    def _is_ours(self, stream: TextIO) -> bool:
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
        with contextlib.suppress(AttributeError):  # not one of Python's own: it takes none
            watched.write = guarded
            self._guarded.append(stream)

    def _write(self, stream: int, write: Callable[[str], int], text: str) -> int:
        if not text:
            return write(text)
        if self._last_words:
            before, self._last_words = self._last_words, ""
            self._uncover()
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
        except UnicodeEncodeError:  # of the line perhaps, which may be for another encoding
            self.is_shown = False
            write(f"{before}{text}")
        return len(text)
