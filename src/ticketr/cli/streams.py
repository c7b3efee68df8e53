"""Standard streams that cannot be used: closed ones, and errors that nobody can be told."""

from __future__ import annotations

import io
import os
import sys

from ticketr.tty import can_draw

_IN, _OUT, _ERR = range(3)


class _Forgiving(io.FileIO):
    """A file whose writes never fail: what it does not take is lost."""

    def write(self, data: object) -> int:
        """Write as much as goes; gives the length of all of it where nothing goes."""
        view = memoryview(data)  # type: ignore[arg-type]  # whatever the buffer holds
        try:
            return super().write(view) or 0
        except BlockingIOError:  # a terminal or pipe that is full for a moment
            raise
        except OSError:
            return view.nbytes


def prepare_streams() -> None:
    """See that the standard streams are there, and that standard error fails nobody.

    A file that is opened must not get the number of a stream that was closed: what somebody writes
    to that stream would go into the file. Where standard output was closed, writing to it is an
    error as it is on a full disk. What cannot be written to standard error is lost, and the exit
    code tells.
    """
    for number, mode in ((_IN, os.O_RDONLY), (_OUT, os.O_RDONLY), (_ERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # which gets the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(_IN, closefd=False)  # noqa: SIM115 - it stays open
    if sys.stdout is None:
        sys.stdout = open(_OUT, "w", closefd=False)  # noqa: SIM115 - likewise
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Forgiving(_ERR, "w", closefd=False)),
        encoding=sys.stderr.encoding if sys.stderr is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def is_full_screen_possible() -> bool:
    """Return whether input and output are a terminal that can do more than print lines."""
    return os.isatty(_IN) and os.isatty(_OUT) and can_draw(os.environ)
