"""The standard streams: replaces closed ones, and tells whether they are a terminal."""

from __future__ import annotations

import io
import os
import sys

from ticketr.tty import can_draw

_IN, _OUT, _ERR = range(3)


class _LossyFile(io.FileIO):
    """A file whose writes never fail; data that it does not accept is lost."""

    def write(self, data: object) -> int:
        """Write data; on an error, return its length as if it was written."""
        view = memoryview(data)  # type: ignore[arg-type]  # a buffer
        try:
            return super().write(view) or 0
        except BlockingIOError:  # a terminal or pipe that is full for a moment
            raise
        except OSError:
            return view.nbytes


def prepare_streams() -> None:
    """Open closed standard streams again, and make writes to standard error never fail.

    Otherwise a file that is opened later could get the descriptor of a closed stream, and output
    for that stream would go into the file. Writing to a standard output that was closed fails, as
    on a full disk. Output that standard error does not accept is lost.
    """
    for number, mode in ((_IN, os.O_RDONLY), (_OUT, os.O_RDONLY), (_ERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free descriptor
    if sys.stdin is None:
        sys.stdin = open(_IN, closefd=False)  # noqa: SIM115 - it stays open
    if sys.stdout is None:
        sys.stdout = open(_OUT, "w", closefd=False)  # noqa: SIM115 - likewise
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_LossyFile(_ERR, "w", closefd=False)),
        encoding=sys.stderr.encoding if sys.stderr is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def is_full_screen_possible() -> bool:
    """Return whether input and output are a terminal that can do more than print lines."""
    return is_terminal() and can_draw(os.environ)


def is_terminal() -> bool:
    """Return whether input and output are a terminal."""
    return os.isatty(_IN) and os.isatty(_OUT)
