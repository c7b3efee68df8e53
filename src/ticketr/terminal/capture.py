"""Capture standard output and standard error during a full screen, and print them afterwards.

A warning, a log line or the output of a child process would garble the screen. So both
descriptors are redirected to an unnamed file; replacing `sys.stderr` would miss child processes
and log handlers that hold the old stream.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from typing import IO, Final

#: The number of bytes, at the end of the captured output, that are printed afterwards.
MAX_REPLAY: Final = 64 * 1024


class Capture:
    """Captures standard output and standard error if they are a terminal."""

    def __init__(self) -> None:
        self._captured: dict[int, tuple[int, IO[bytes]]] = {}

    def begin(self) -> None:
        """Begin to capture, if it has not begun."""
        if self._captured:
            return
        _flush_streams()
        for descriptor in (1, 2):
            if os.isatty(descriptor):
                file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `end`
                self._captured[descriptor] = os.dup(descriptor), file
                os.dup2(file.fileno(), descriptor)

    def end(self, *, replay: bool) -> None:
        """Restore the descriptors, if they are redirected.

        Args:
            replay: Whether to print the captured output.
        """
        if not self._captured:
            return
        _flush_streams()
        while self._captured:
            descriptor, (original, file) = self._captured.popitem()
            os.dup2(original, descriptor)
            os.close(original)
            with file:
                if replay:
                    _replay(descriptor, file)


def _replay(descriptor: int, file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_REPLAY))
    text = file.read()
    if size > MAX_REPLAY:
        text = b"[%d bytes before]\n" % (size - MAX_REPLAY) + text
    with suppress(OSError):  # the terminal is gone
        while text:
            text = text[os.write(descriptor, text) :]


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
