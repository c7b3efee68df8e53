"""Read a terminal's bytes and convert them to characters, tokens and events."""

from __future__ import annotations

import codecs
import math
import os
import termios
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from ticketr.terminal.device import wait_for_foreground
from ticketr.terminal.tokens import (
    ESC_WAIT,
    Event,
    HungUp,
    Paste,
    Tokenizer,
    is_report,
    read_report,
)
from ticketr.tty import reopen

if TYPE_CHECKING:
    from ticketr.terminal.terminfo import TerminalKind

#: The most bytes of one read.
_READ_SIZE: Final = 1 << 16


def escape_wait(environ: Mapping[str, str]) -> float:
    """Return for how many seconds to hold an Esc: ncurses' ESCDELAY (in ms), or the default."""
    try:
        return min(max(int(environ["ESCDELAY"]), 0), 10_000) / 1000
    except (KeyError, ValueError):
        return ESC_WAIT


class Keyboard:
    """The keyboard of a terminal.

    Args:
        descriptor: A descriptor of the terminal.
        kind: Names the keys.
        encoding: The encoding of the terminal's bytes.
        wait: Seconds for which a lone Esc is held.
    """

    def __init__(self, descriptor: int, kind: TerminalKind, encoding: str, wait: float) -> None:
        self._descriptor, _ = reopen(descriptor, os.O_RDONLY)
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._usual_wait = wait
        self._tokenizer = Tokenizer(wait)
        self._may_read = trio.Event()
        self._may_read.set()

    async def read(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send keys and pastes, and `HungUp` at the end of the terminal's input."""
        while (tokens := await self._tokens()) is not None:
            for token in tokens:
                event = self._event(token)
                if event is not None:
                    await send.send(event)
        await send.send(HungUp())

    def hold_escape(self, seconds: float | None) -> None:
        """Hold a lone Esc for at least so many seconds; None for the usual time."""
        self._tokenizer.hold_escape(max(seconds or 0.0, self._usual_wait))

    def drop(self) -> None:
        """Forget what was typed and has not been read."""
        with suppress(termios.error):  # the terminal is gone
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def pause(self) -> None:
        """Stop reading, so that the shell gets what is typed."""
        if self._may_read.is_set():
            self._may_read = trio.Event()

    def resume(self) -> None:
        """Read again after `pause`."""
        self._may_read.set()

    def close(self) -> None:
        """Close the descriptor; a task that waits for a key gets `trio.ClosedResourceError`."""
        trio.lowlevel.notify_closing(self._descriptor)
        os.close(self._descriptor)

    def _event(self, token: str | Paste) -> Event | None:
        if isinstance(token, Paste):
            return token
        return read_report(token) if is_report(token) else self._kind.key(token)

    async def _tokens(self) -> list[str | Paste] | None:
        """Return the next tokens, or None once the terminal is gone."""
        pending = self._tokenizer.pending
        with trio.move_on_after(math.inf if pending is None else pending) as waiting:
            await trio.lowlevel.wait_readable(self._descriptor)
        if waiting.cancelled_caught:
            return self._tokenizer.flush()
        await wait_for_foreground(self._descriptor)  # in the background, a read stops the process
        if not self._may_read.is_set():  # a checkpoint lets other tasks run before the key is read
            await self._may_read.wait()
        try:
            data = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:  # another process read it
            return []
        except OSError:
            return None
        return self._tokenizer.feed(self._decoder.decode(data)) if data else None
