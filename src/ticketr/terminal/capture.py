"""Keeps what else the program prints off the screen, and prints it afterwards.

A warning, a log line or a child's complaint in the middle of a full screen tears it. So while the
screen is ours, standard output and standard error go to a file without a name; replacing
`sys.stderr` alone would miss log handlers that hold the old one, and child processes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from typing import IO, Final

#: At most this many bytes are printed afterwards: the last ones.
KEPT: Final = 64 * 1024


class Capture:
    """Catches standard output and standard error, as far as they go to a terminal."""

    def __init__(self) -> None:
        self._caught: dict[int, tuple[int, IO[bytes]]] = {}

    def begin(self) -> None:
        """Begin to catch; does nothing if it has begun."""
        if self._caught:
            return
        _flush_streams()
        for descriptor in (1, 2):
            if os.isatty(descriptor):
                file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `end`
                self._caught[descriptor] = os.dup(descriptor), file
                os.dup2(file.fileno(), descriptor)

    def end(self, *, replay: bool) -> None:
        """Give the descriptors back; does nothing if nothing is caught.

        Args:
            replay: whether to print what was caught.
        """
        if not self._caught:
            return
        _flush_streams()
        while self._caught:
            descriptor, (original, file) = self._caught.popitem()
            os.dup2(original, descriptor)
            os.close(original)
            with file:
                if replay:
                    _print(descriptor, file)


def _print(descriptor: int, file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - KEPT))
    text = file.read()
    if size > KEPT:
        text = b"[%d bytes before]\n" % (size - KEPT) + text
    with suppress(OSError):  # whoever cannot be told cannot be told
        while text:
            text = text[os.write(descriptor, text) :]


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
