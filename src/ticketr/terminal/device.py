"""Non-blocking descriptors of a terminal, and buffered output to one.

The flag that makes a descriptor non-blocking belongs to the open file, which standard input and
output share with the shell. So the terminal is opened a second time.
"""

from __future__ import annotations

import os
import select
from dataclasses import dataclass
from typing import Final

import trio

from ticketr._errors import TicketrError
from ticketr.tty import reopen_nonblocking_or_dup


@dataclass(eq=False, repr=False)
class NotATerminal(TicketrError):
    """There is no terminal on which a full screen can be drawn.

    Attributes:
        problem: What is missing, such as ``"standard input is not a terminal"``.
    """

    problem: str

    def __str__(self) -> str:
        return f"the full-screen app needs a terminal: {self.problem}; use --plain instead"


#: The most bytes in one write to a descriptor that may block.
_MAX_BLOCKING_WRITE_BYTES: Final = 256
#: Seconds to block the program for a terminal that accepts nothing, before its last bytes are lost.
_LAST_WRITE_TIMEOUT_SECONDS: Final = 0.2
#: Seconds between two checks whether the process is in the foreground.
_FOREGROUND_CHECK_SECONDS: Final = 0.2


async def wait_for_foreground(descriptor: int) -> None:
    """Wait while the process is in the background, as after Ctrl+Z and `bg`."""
    while _is_background(descriptor):  # noqa: ASYNC110 - the kernel reports no such event
        await trio.sleep(_FOREGROUND_CHECK_SECONDS)


def _is_background(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:  # not the controlling terminal, so there is no job control
        return False


class BufferedOutput:
    """Buffered, non-blocking output to a terminal.

    Bytes that the terminal does not accept at once stay in the buffer, so no escape sequence is
    cut.

    Attributes:
        hung_up: Whether the terminal is gone; then nothing is written any more.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._never_blocks = reopen_nonblocking_or_dup(descriptor, os.O_WRONLY)
        self._unsent = bytearray()
        self._flushing = trio.Lock()
        self.hung_up = False

    def size(self) -> tuple[int, int]:
        """Return width and height in cells; 80 by 24 if the terminal does not report them."""
        try:
            width, height = os.get_terminal_size(self._descriptor)
        except OSError:
            width, height = 0, 0
        return width or 80, height or 24

    @property
    def has_unsent(self) -> bool:
        """Whether the terminal has not accepted the whole buffer."""
        return bool(self._unsent)

    def write_or_buffer(self, data: bytes) -> None:
        """Write what the terminal accepts at once, and buffer the rest."""
        self._unsent += data
        self._write()

    def drop_unsent(self) -> None:
        """Clear the buffer."""
        self._unsent.clear()

    async def flush(self) -> None:
        """Wait until the terminal has accepted the whole buffer.

        Cancellation:
            The rest stays in the buffer for the next call.
        """
        async with self._flushing:
            while self._unsent:
                await trio.lowlevel.wait_writable(self._descriptor)
                self._write()

    def replace_unsent_and_write_blocking(self, data: bytes) -> bool:
        """Replace the buffer and write it; return whether the terminal accepted all of it.

        It blocks the program until the terminal has accepted nothing for a moment.
        """
        self._unsent[:] = data
        self._write()
        while self._unsent and self._can_write(_LAST_WRITE_TIMEOUT_SECONDS):
            self._write()
        sent = not self._unsent
        self.drop_unsent()
        return sent and not self.hung_up

    def close(self) -> None:
        """Clear the buffer and close the descriptor, without waiting for the terminal.

        Tasks that wait for it get `trio.ClosedResourceError`.
        """
        self.drop_unsent()
        self.hung_up = True
        trio.lowlevel.notify_closing(self._descriptor)
        os.close(self._descriptor)

    def _can_write(self, seconds: float) -> bool:
        """Block the program until the terminal accepts bytes or is gone; return False if not."""
        return bool(select.select([], [self._descriptor], [], seconds)[1])

    def _write(self) -> None:
        while self._unsent and self._try_write_portion():
            pass
        if self.hung_up:
            self.drop_unsent()

    def _try_write_portion(self) -> bool:
        """Write one portion if the terminal accepts bytes; return whether it was written."""
        if self.hung_up or not (self._never_blocks or self._can_write(0)):
            return False
        portion = len(self._unsent) if self._never_blocks else _MAX_BLOCKING_WRITE_BYTES
        try:
            del self._unsent[: os.write(self._descriptor, self._unsent[:portion])]
        except BlockingIOError:
            return False
        except OSError:
            self.hung_up = True
            return False
        return True
