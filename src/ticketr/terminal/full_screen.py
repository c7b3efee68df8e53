"""Enter and leave the full screen, and restore the terminal.

`enter` and `leave` may be called in any order and any number of times, so the end, a crash, a
signal and a suspension all use them.

A warning, a log line or the output of a child process would garble the screen. So both
descriptors are redirected to an unnamed file; replacing `sys.stderr` would miss child processes
and log handlers that hold the old stream.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import termios
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ticketr.terminal.device import BufferedOutput
    from ticketr.terminal.key_protocol import KeyProtocol


#: The number of bytes, at the end of the captured output, that are printed afterwards.
MAX_REPLAY_BYTES: Final = 64 * 1024


class OutputCapture:
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
    file.seek(max(0, size - MAX_REPLAY_BYTES))
    text = file.read()
    if size > MAX_REPLAY_BYTES:
        text = b"[%d bytes before]\n" % (size - MAX_REPLAY_BYTES) + text
    with suppress(OSError):  # the terminal is gone
        while text:
            text = text[os.write(descriptor, text) :]


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()


_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6  # indexes into the result of tcgetattr


class FullScreenMode:
    """A full screen on a terminal.

    Args:
        tty_fd: The descriptor whose modes are set.
        output: The terminal's output.
        enter: The sequence that enters the full screen.
        leave: The sequence that restores the terminal.
        protocol: Negotiates how the terminal sends keys.
    """

    def __init__(
        self, tty_fd: int, output: BufferedOutput, *, enter: str, leave: str, protocol: KeyProtocol
    ) -> None:
        self._tty_fd = tty_fd
        self._output = output
        self._enter, self._leave = enter, leave
        self._protocol = protocol
        self._modes: list[Any] | None = None
        self._capture = OutputCapture()

    @property
    def is_entered(self) -> bool:
        """Whether the terminal is a full screen now."""
        return self._modes is not None

    def enter(self) -> None:
        """Make the terminal a full screen; input that was typed before is kept."""
        if self._modes is None:
            self._modes = termios.tcgetattr(self._tty_fd)
        _set_modes_at_once(self._tty_fd, _make_cbreak_modes(self._modes))
        self._capture.begin()
        # A terminal keeps other keys for the alternate screen, so the question comes behind that.
        self._output.write_or_buffer(f"{self._enter}{self._protocol.begin_query()}".encode("ascii"))

    def leave(self) -> None:
        """Restore the terminal."""
        if self._modes is None:
            return
        leave = f"{self._protocol.end()}{self._leave}".encode("ascii")
        sent = self._output.replace_unsent_and_write_blocking(leave)
        with suppress(termios.error):  # the terminal is gone
            _set_modes_at_once(self._tty_fd, self._modes)
        self._modes = None
        self._capture.end(replay=sent)


def _make_cbreak_modes(modes: list[Any]) -> list[Any]:
    """Return modes without echo and line buffering.

    Ctrl+C and Ctrl+Z stay signals; Ctrl+S and Ctrl+V become keys.
    """
    cbreak = [*modes]
    cbreak[_INPUT] &= ~termios.IXON
    cbreak[_LOCAL] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    cbreak[_CHARACTERS] = [*modes[_CHARACTERS]]
    cbreak[_CHARACTERS][termios.VMIN], cbreak[_CHARACTERS][termios.VTIME] = 1, 0
    return cbreak


def _set_modes_at_once(descriptor: int, modes: list[Any]) -> None:
    """Set modes at once, without waiting for pending output, which may never be written."""
    while True:
        try:
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        except termios.error as error:
            # In the background this call stops the process until `fg`, and must be repeated.
            if error.args[0] != errno.EINTR:
                raise
        else:
            return
