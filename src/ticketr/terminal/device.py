"""The terminal's file: descriptors of our own that never block, and what is still to be written.

The flag that makes a descriptor non-blocking belongs to the open file, which our standard input
and output share with the shell that started us. So the terminal is opened a second time.
"""

from __future__ import annotations

import os
import select
from typing import Final

import trio

#: At most this much is written at once to a descriptor that may block.
_CAREFUL: Final = 256
#: Seconds between two looks at whether the shell gave the terminal back.
_FOREGROUND_WAIT: Final = 0.2


def reopen(descriptor: int, flags: int) -> tuple[int, bool]:
    """Open the terminal of a descriptor again, non-blocking.

    Returns:
        The new descriptor, and whether it never blocks. After `su` or in a container the
        terminal's file may be out of reach: then it is a copy that may block.
    """
    flags |= os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        # Not /dev/tty, which kqueue refuses.
        return os.open(os.ttyname(descriptor), flags), True
    except OSError:
        return os.dup(descriptor), False


async def wait_for_foreground(descriptor: int) -> None:
    """Wait while the shell has the terminal: after Ctrl+Z and `bg`. Nothing tells of its end."""
    while _is_background(descriptor):  # noqa: ASYNC110 - no event tells
        await trio.sleep(_FOREGROUND_WAIT)


def _is_background(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:  # it controls no jobs, so nobody else has it
        return False


class Output:
    """Writes to a terminal without ever holding up the program.

    What the terminal does not take at once is kept, in order: a sequence must not be cut.

    Attributes:
        hung_up: the terminal is gone. Nothing is written any more.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._never_blocks = reopen(descriptor, os.O_WRONLY)
        self._unsent = bytearray()
        self._flushing = trio.Lock()
        self.hung_up = False

    def size(self) -> tuple[int, int]:
        """Width and height in cells; 80 by 24 if the terminal does not know."""
        try:
            width, height = os.get_terminal_size(self._descriptor)
        except OSError:
            width, height = 0, 0
        return width or 80, height or 24

    def put(self, data: bytes) -> None:
        """Write what the terminal takes at once, and keep the rest."""
        self._unsent += data
        self._write()

    def drop(self) -> None:
        """Forget what is kept."""
        self._unsent.clear()

    async def flush(self) -> None:
        """Wait until the terminal has taken everything.

        Cancellation:
            What is left is kept, for the next call.
        """
        async with self._flushing:
            while self._unsent:
                await trio.lowlevel.wait_writable(self._descriptor)
                self._write()

    def put_last(self, data: bytes, patience: float) -> bool:
        """Write in place of all that is kept; gives whether the terminal took it.

        Args:
            data: what to write.
            patience: seconds that the whole program may be held up by a terminal that takes
                nothing.
        """
        self._unsent[:] = data
        self._write()
        if self._unsent and patience and self._can_write(patience):
            self._write()
        sent = not self._unsent
        self.drop()
        return sent and not self.hung_up

    def close(self) -> None:
        """Give the descriptor back; whoever still waits for it gets an error."""
        self.drop()
        self.hung_up = True
        trio.lowlevel.notify_closing(self._descriptor)
        os.close(self._descriptor)

    def _can_write(self, seconds: float) -> bool:
        """Wait, the whole program with it, until the terminal takes something or is gone."""
        return bool(select.select([], [self._descriptor], [], seconds)[1])

    def _write(self) -> None:
        while self._unsent and self._write_some():
            pass
        if self.hung_up:
            self.drop()

    def _write_some(self) -> bool:
        """Write once, if the terminal takes anything and is there; gives whether to go on."""
        if self.hung_up or not (self._never_blocks or self._can_write(0)):
            return False
        portion = len(self._unsent) if self._never_blocks else _CAREFUL
        try:
            del self._unsent[: os.write(self._descriptor, self._unsent[:portion])]
        except BlockingIOError:
            return False
        except OSError:
            self.hung_up = True
            return False
        return True
